import fs from 'node:fs/promises';
import path from 'node:path';
import { socketDirectory } from '../../engines/host/layout';
import { erase, seal, type EraseOptions } from '../../engines/host/provision/remove';
import { readRecord } from '../../engines/host/record';
import { createCluster } from '../support/host-cluster';
import { removeTempDirs, tempDir } from '../support/temp';

/*
 * What an interrupted erasing leaves, and how the next one goes on. `holdfast down` as a whole: tests/integration/start.test.ts.
 */
afterAll(removeTempDirs);

const optionsIn = (home: string): EraseOptions => ({ home, report: () => undefined, keepRepository: true });

test('what says what the timer is stays until all is to go', async () => {
  const { home, name, specification, paths } = await createCluster();
  const note = path.join(paths.root, 'schedule.json');
  await fs.writeFile(note, '{}');
  await erase(specification, { ...optionsIn(home), keepNotes: true });
  expect(await fs.readdir(paths.dataDirectory)).toEqual([]);
  await fs.access(note);
  await expect(seal([name], home)).rejects.toMatchObject({ exitCode: 3 });

  await erase(specification, optionsIn(home));
  await expect(fs.access(paths.root)).rejects.toMatchObject({ code: 'ENOENT' });
  await seal([name], home);
});

test('cut off, it goes on with what is left of the data, and leaves what is somebody else’s', async () => {
  const dataDirectory = path.join(tempDir(0o700), 'data');
  const { home, specification, paths } = await createCluster({
    cluster: { source: { mode: 'managed', dataDirectory } },
  });
  const [left, mark] = [path.join(dataDirectory, 'left'), path.join(dataDirectory, '.holdfast-erasing')];
  await erase(specification, { ...optionsIn(home), keepNotes: true });

  for (const [of, stays] of [
    [null, true],
    ['7000000000000000000', true],
    [(await readRecord(paths))!.systemIdentifier, false],
  ] as const) {
    await fs.writeFile(left, '');
    if (of !== null) await fs.writeFile(mark, of);
    await erase(specification, { ...optionsIn(home), keepNotes: true });
    expect((await fs.readdir(dataDirectory)).includes('left')).toBe(stays);
  }
  expect(await fs.readdir(dataDirectory)).toEqual([]);
});

test('where clones have their sockets is removed too, also where that is elsewhere', async () => {
  const home = path.join(tempDir(0o700), 'a long name '.repeat(8));
  const { specification, paths } = await createCluster({ home });
  const run = path.join(paths.clones, 'c-20260102-030405-abcd', 'run');
  const socket = socketDirectory(run);
  expect([paths.socketDirectory, socket].filter(directory => directory.startsWith(home))).toEqual([]);
  await fs.mkdir(run, { recursive: true });
  await fs.mkdir(socket);
  await erase(specification, optionsIn(home));
  for (const directory of [paths.socketDirectory, socket])
    await expect(fs.access(directory)).rejects.toMatchObject({ code: 'ENOENT' });
});

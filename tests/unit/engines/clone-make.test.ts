import fs from 'node:fs';
import path from 'node:path';
import type { CloneRequest } from '../../../engines/engine';
import { clones } from '../../../engines/host/clone/catalog';
import { clone } from '../../../engines/host/clone/make';
import { removeTempDirs } from '../../support/temp';
import { quiet, withPrograms } from './clone-support';
import {
  archived,
  filesOf,
  firstLabel,
  infoOf,
  listedSet,
  manifestOf,
  pgBackRestIsReal,
  repositoryIs,
  segment,
} from './facts';

afterEach(() => {
  pgBackRestIsReal();
  jest.restoreAllMocks();
});
afterAll(removeTempDirs);

describe('no clone is made', () => {
  const set = listedSet();
  const request: CloneRequest = {
    target: { type: 'backup-set', id: firstLabel },
    purpose: 'clone',
    expiresAt: '2026-01-03T00:00:00.000Z',
  };
  const sound = {
    info: infoOf([set]),
    archive: { [archived(segment(2))]: 1 },
    backup: filesOf(set),
    contents: { [`backup/shop/${firstLabel}/backup.manifest`]: manifestOf(set) },
  };
  const make = (context = withPrograms({})) => clone(context, request, quiet());

  test('without a backup set, and it is said why there is none', async () => {
    repositoryIs({ info: infoOf([]) });
    await expect(make()).rejects.toMatchObject({
      code: 'engine-failed',
      message: 'cluster shop has no backup sets: none was taken',
      hint: 'holdfast backup shop --kind full',
    });
    const repo = [{ cipher: 'none', key: 1, status: { code: 99, message: 'its disk is gone' } }];
    repositoryIs({ info: infoOf([], { repo }) });
    await expect(make()).rejects.toThrow('cluster shop has no backup sets: its disk is gone');
    repositoryIs({ info: 'garbage' });
    await expect(make()).rejects.toMatchObject({
      message: expect.stringContaining('the repository of shop can’t be read') as string,
      hint: expect.stringContaining('by hand') as string,
    });
  });

  test('where there can be no directory for it', async () => {
    repositoryIs(sound);
    const context = withPrograms({});
    fs.mkdirSync(context.paths.root, { recursive: true });
    fs.writeFileSync(context.paths.clones, 'a file');
    await expect(make(context)).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining('where the cluster would be restored, can’t be made') as string,
    });
  });

  test('when its restore fails; that a full disk was the reason is said, as it says nothing about the set', async () => {
    const context = withPrograms({});
    const directory = repositoryIs(sound);
    const script = path.join(directory, 'pgbackrest');
    fs.writeFileSync(
      script,
      `${fs.readFileSync(script, 'utf8')}case " $* " in *" restore "*) exit 39 ;; esac\n`,
    );
    await expect(make(context)).rejects.toMatchObject({
      code: 'engine-failed',
      hint: expect.any(String) as string,
    });
    expect(await clones(context)).toEqual([]);

    const free = (blocks: number) => ({ bavail: blocks, bsize: 1024 * 1024 }) as never;
    const plenty = free(1_000_000);
    jest
      .spyOn(fs.promises, 'statfs')
      .mockResolvedValueOnce(plenty)
      .mockResolvedValueOnce(plenty)
      .mockResolvedValue(free(1));
    await expect(make(context)).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining('became full while the clone was made') as string,
    });
    expect(await clones(context)).toEqual([]);
  });
});

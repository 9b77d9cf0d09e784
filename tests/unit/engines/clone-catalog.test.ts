import fs from 'node:fs';
import path from 'node:path';
import {
  clonePaths,
  clones,
  describeClone,
  dropClone,
  writeEntry,
} from '../../../engines/host/clone/catalog';
import { removeTempDirs } from '../../support/temp';
import { id, withClone } from './clone-support';
import { hostContext } from './facts';

afterAll(removeTempDirs);

const entry = {
  schema: 1,
  id,
  purpose: 'clone',
  createdAt: '2026-01-02T03:04:05.000Z',
  expiresAt: '2026-01-03T03:04:05.000Z',
  ready: true,
  sizeBytes: 10,
  measured: null,
} as const;

describe('the clones of a cluster', () => {
  test('are none where none was made; a directory that can’t be read is not taken for none', async () => {
    const context = hostContext();
    expect(await clones(context)).toEqual([]);
    fs.mkdirSync(path.dirname(context.paths.clones), { recursive: true });
    fs.symlinkSync(context.paths.clones, context.paths.clones);
    await expect(clones(context)).rejects.toMatchObject({ code: 'ELOOP' });
  });

  test('are those that are still there: one may be dropped while they are listed', async () => {
    const { context, paths } = withClone();
    await writeEntry(paths, entry);
    const other = path.join(context.paths.clones, 'c-20260102-030405-ffff');
    fs.symlinkSync(path.join(context.paths.clones, 'dropped'), other);
    expect((await clones(context)).map(clone => clone.id)).toEqual([id]);
    fs.unlinkSync(other);
    fs.symlinkSync(other, other);
    await expect(clones(context)).rejects.toMatchObject({ code: 'ELOOP' });
  });

  test('come by age; one of which nothing can be understood is incomplete', async () => {
    const { context, paths } = withClone();
    await writeEntry(paths, entry);
    const beside = clonePaths(context, 'd-20260101-030405-9f3a');
    fs.mkdirSync(beside.root, { recursive: true });
    fs.writeFileSync(beside.entry, '{"schema":');
    fs.mkdirSync(path.join(context.paths.clones, 'd-elsewhere'));
    const found = await clones(context);
    expect(found.map(one => [one.id, one.state])).toEqual([
      [id, 'stopped'],
      ['d-20260101-030405-9f3a', 'incomplete'],
    ]);
  });

  test('whose server can’t be told from its files count as stopped', async () => {
    const { context, paths } = withClone();
    await writeEntry(paths, entry);
    fs.mkdirSync(path.join(paths.dataDirectory, 'postmaster.pid'), { recursive: true });
    expect((await describeClone(context, id)).state).toBe('stopped');
  });

  test('are only dropped when they are there, and by a name that leads nowhere else', async () => {
    const context = hostContext();
    await expect(dropClone(context, id)).rejects.toMatchObject({
      code: 'configuration',
      message: `cluster shop has no clone ${id}`,
    });
    await expect(dropClone(context, '../data')).rejects.toThrow('"../data" is not the name of a clone');
  });
});

import fs from 'node:fs';
import path from 'node:path';
import { clonePaths, describeClone, writeEntry } from '../../../engines/host/clone/catalog';
import { controlData } from '../../../engines/host/clone/control-data';
import type { HostContext } from '../../../engines/host/context';
import { readJournal, writeJournal, type Journal } from '../../../engines/host/replace/journal';
import { startOriginal } from '../../../engines/host/replace/start';
import { replaceWith, settle } from '../../../engines/host/replace/swap';
import { markRestorePoint } from '../../../engines/host/restore-point';
import { withServer } from '../../../engines/host/session';
import { removeTempDirs } from '../../support/temp';
import { hostContext } from './facts';

/*
 * What stands between two data directories that change places, step by step and back: the directories are real, the servers
 * are not. tests/engine/replace.test.ts has both, and kills it at each step.
 */

jest.mock('../../../engines/host/replace/start', () => ({ startOriginal: jest.fn() }));
jest.mock('../../../engines/host/replace/configure', () => ({
  archiveNewTimeline: jest.fn(),
  configureRestored: jest.fn(),
  returnTablespaces: jest.fn(),
  takeTablespaces: jest.fn(),
}));
jest.mock('../../../engines/host/clone/control-data', () => ({ controlData: jest.fn() }));
jest.mock('../../../engines/host/restore-point', () => ({ markRestorePoint: jest.fn() }));
jest.mock('../../../engines/host/session', () => ({
  ...jest.requireActual<object>('../../../engines/host/session'),
  withServer: jest.fn(),
}));

afterAll(removeTempDirs);

const id = 'c-20260102-030405-9f3a';
const own = '7300000000000000001';
const entry = {
  schema: 1,
  id,
  purpose: 'restore',
  createdAt: '2026-01-02T03:04:05.000Z',
  expiresAt: '2026-01-03T03:04:05.000Z',
  ready: true,
  sizeBytes: 10,
  measured: null,
} as const;
const quiet = () => ({ report: () => undefined, signal: new AbortController().signal });

/** The server that answers is of this system identifier. */
function answers(identifier: string, recovering = false): void {
  jest
    .mocked(withServer)
    .mockImplementation((_server, _database, use) =>
      use({ query: () => Promise.resolve([{ identifier, recovering }] as never[]) }),
    );
}

/** A data directory of a cluster, told from others by a file with its name. */
function dataDirectory(directory: string, identifier: string, name: string): void {
  const head = Buffer.alloc(12);
  head.writeBigUInt64LE(BigInt(identifier));
  head.writeUInt32LE(1300, 8);
  fs.mkdirSync(path.join(directory, 'global'), { recursive: true });
  fs.writeFileSync(path.join(directory, 'global', 'pg_control'), head);
  fs.writeFileSync(path.join(directory, 'PG_VERSION'), '15\n');
  fs.writeFileSync(path.join(directory, name), '');
}

async function cluster({ original = own, restored = own, ready = true } = {}): Promise<HostContext> {
  const installation = () => Promise.resolve({ version: 15, bin: '/nowhere', release: '15.8' });
  const context = hostContext({}, { installation });
  const clone = clonePaths(context, id);
  fs.mkdirSync(clone.root, { recursive: true });
  await writeEntry(clone, { ...entry, ready });
  if (original !== '') dataDirectory(context.paths.dataDirectory, original, 'original');
  if (restored !== '') dataDirectory(clone.dataDirectory, restored, 'restored');
  return context;
}

const replace = async (context: HostContext) =>
  replaceWith(context, await describeClone(context, id), quiet());
/** Which of the two is in the cluster's place. */
const inPlace = ({ paths }: HostContext) =>
  ['original', 'restored'].filter(name => fs.existsSync(path.join(paths.dataDirectory, name))).join();

beforeEach(() => {
  jest.resetAllMocks();
  jest.mocked(controlData).mockResolvedValue({ state: 'shut down' } as never);
  answers(own);
});

describe('a clone takes the place of the original', () => {
  test('which is kept aside', async () => {
    const context = await cluster();
    const { keptAside } = await replace(context);
    expect(inPlace(context)).toBe('restored');
    expect(fs.existsSync(path.join(keptAside, 'data', 'original'))).toBe(true);
    expect(await readJournal(context)).toBeNull();
  });

  test('not while it is incomplete, holds no data, or is of another cluster', async () => {
    const refused = async (context: HostContext, why: string) => {
      await expect(replace(context)).rejects.toMatchObject({
        code: 'refused',
        message: expect.stringContaining(why) as string,
      });
      expect(await readJournal(context)).toBeNull();
    };
    await refused(await cluster({ ready: false }), 'it is incomplete');
    await refused(await cluster({ restored: '' }), 'it holds no data');
    await refused(await cluster({ restored: '7300000000000000002' }), 'it is of another cluster');
  });

  test('not where the data would have to be copied: it is on another file system', async () => {
    const context = await cluster();
    const { dataDirectory } = context.paths;
    jest
      .spyOn(fs.promises, 'stat')
      .mockImplementation(file =>
        file === dataDirectory ? Promise.resolve({ dev: 2 } as never) : Promise.resolve({ dev: 1 } as never),
      );
    const refused = expect(replace(context)).rejects.toThrow('is a mount point, or on another file system');
    await refused.finally(() => jest.restoreAllMocks());
    expect(inPlace(context)).toBe('original');
  });

  test('where the data is lost and nobody knows whose it was', async () => {
    const context = await cluster({ original: '' });
    const { keptAside } = await replace(context);
    expect(inPlace(context)).toBe('restored');
    expect(fs.readdirSync(keptAside)).toEqual([]);
  });

  test('not while an earlier restore isn’t settled', async () => {
    const context = await cluster();
    await writeJournal(context, { state: 'undoing', wasRunning: false, swap: null });
    await expect(replace(context)).rejects.toThrow('an earlier restore of shop is not settled yet');
    expect(inPlace(context)).toBe('original');
  });

  test('not when it was not shut down cleanly', async () => {
    const context = await cluster();
    jest.mocked(controlData).mockResolvedValue({ state: 'in production' } as never);
    await expect(replace(context)).rejects.toThrow('did not shut down cleanly (in production)');
    expect(inPlace(context)).toBe('original');
    expect(fs.existsSync(path.join(clonePaths(context, id).dataDirectory, 'restored'))).toBe(true);
    expect(await readJournal(context)).toBeNull();
  });

  test.each([
    ['another server answers', '7300000000000000002', false],
    ['it is still recovering', own, true],
  ])('and goes back when %s there', async (_, identifier, recovering) => {
    const context = await cluster();
    answers(identifier, recovering);
    await expect(replace(context)).rejects.toThrow('the server that started is not the restored cluster');
    expect(inPlace(context)).toBe('original');
    expect(await readJournal(context)).toBeNull();
  });

  test('and stays there when its WAL can’t be archived, which the next run tries again', async () => {
    const context = await cluster();
    jest.mocked(markRestorePoint).mockRejectedValueOnce(new Error('the repository is full'));
    await expect(replace(context)).rejects.toThrow('is restored and running (old data: ');
    expect(inPlace(context)).toBe('restored');
    expect(await readJournal(context)).toMatchObject({ state: 'finishing' });
    expect(await settle(context)).toEqual([expect.stringContaining('was finished') as string]);
    expect(await readJournal(context)).toBeNull();
  });
});

describe('what an interrupted restore left', () => {
  /** As a process that was killed in this state left it. */
  async function left(
    state: Journal['state'],
    moved: 'neither' | 'original' | 'both',
    changes: Partial<NonNullable<Journal['swap']>> = {},
  ): Promise<HostContext> {
    const context = await cluster();
    const { dataDirectory: data, aside } = context.paths;
    const swap = {
      clone: id,
      aside: path.join(aside, 'x'),
      systemIdentifier: own,
      hadData: true,
      ...changes,
    };
    fs.mkdirSync(swap.aside, { recursive: true });
    if (moved !== 'neither') fs.renameSync(data, path.join(swap.aside, 'data'));
    if (moved === 'both') fs.renameSync(clonePaths(context, id).dataDirectory, data);
    await writeJournal(context, { state, wasRunning: true, swap });
    return context;
  }
  const undone = 'an interrupted restore of shop was undone: the original is in its place';

  test.each(['neither', 'original', 'both'] as const)(
    'is undone while data was being moved: %s of the two was',
    async moved => {
      const context = await left('moving', moved);
      expect(await settle(context)).toEqual([undone]);
      expect(inPlace(context)).toBe('original');
      expect(fs.existsSync(path.join(clonePaths(context, id).dataDirectory, 'restored'))).toBe(true);
      expect(startOriginal).toHaveBeenCalledTimes(1);
    },
  );

  test('never takes the original for its clone, though somebody removed that', async () => {
    const context = await left('moving', 'neither');
    fs.rmSync(clonePaths(context, id).dataDirectory, { recursive: true });
    expect(await settle(context)).toEqual([undone]);
    expect(inPlace(context)).toBe('original');
  });

  test('takes nothing that isn’t there for the clone', async () => {
    const context = await left('moving', 'original');
    fs.rmSync(clonePaths(context, id).dataDirectory, { recursive: true });
    expect(await settle(context)).toEqual([undone]);
    expect(inPlace(context)).toBe('original');
  });

  test('counts what can’t be read in the cluster’s place as the clone, and moves it back', async () => {
    const context = await left('moving', 'both');
    const version = path.join(context.paths.dataDirectory, 'PG_VERSION');
    fs.rmSync(version);
    fs.mkdirSync(version);
    expect(await settle(context)).toEqual([undone]);
    expect(inPlace(context)).toBe('original');
  });

  test('is finished once the restored cluster starts, else undone', async () => {
    const finished = await left('starting', 'both');
    expect(await settle(finished)).toEqual([expect.stringContaining('was finished') as string]);
    expect(inPlace(finished)).toBe('restored');
    const failed = await left('starting', 'both');
    jest.mocked(startOriginal).mockRejectedValueOnce(new Error('its port is in use'));
    expect(await settle(failed)).toEqual([
      expect.stringContaining('did not start: its port is in use') as string,
    ]);
    expect(inPlace(failed)).toBe('original');
  });

  test('is never undone once the restored cluster may have been written to', async () => {
    const context = await left('finishing', 'both');
    jest.mocked(startOriginal).mockRejectedValueOnce(new Error('its port is in use'));
    await expect(settle(context)).rejects.toThrow('its port is in use');
    expect(inPlace(context)).toBe('restored');
    expect(await readJournal(context)).toMatchObject({ state: 'finishing' });
  });

  test('is nothing where there is no journal; after a halt alone the original runs again, if it did', async () => {
    const context = await cluster();
    expect(await settle(context)).toEqual([]);
    for (const wasRunning of [true, false]) {
      await writeJournal(context, { state: 'halted', wasRunning, swap: null });
      expect(await settle(context)).toEqual([expect.stringContaining('it is as before') as string]);
    }
    expect(startOriginal).toHaveBeenCalledTimes(1);
    expect(await readJournal(context)).toBeNull();
  });
});

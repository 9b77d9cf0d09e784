import fs from 'node:fs';
import path from 'node:path';
import { planClone } from '../../../engines/host/clone/target';
import { restorePoints, spoolError } from '../../../engines/host/restore-point';
import type { RecoveryTarget } from '../../../core/recovery-target';
import { removeTempDirs } from '../../support/temp';
import {
  facts,
  firstLabel,
  hostContext,
  infoOf,
  listedSet,
  pgBackRestIsReal,
  repositoryIs,
  segment,
} from './facts';

afterEach(pgBackRestIsReal);
afterAll(removeTempDirs);

const later = listedSet({
  label: '20260102-000000F',
  stoppedAt: '2026-01-02T00:01:00.000Z',
  firstSegment: segment(5),
  lastSegment: segment(5),
  stopLsn: '0/5000100',
});
const segments = [2, 3, 4, 5, 6].map(number => ({ name: segment(number), writtenAt: 1 }));
const points = [
  { name: 'p', at: '2026-01-01T12:00:00.000Z', position: '0/4000000', archivedAfterSeconds: 1, timeline: 1 },
  { name: 'q', at: '2026-01-02T12:00:00.000Z', position: '0/6000000', archivedAfterSeconds: 1, timeline: 1 },
];

const plan = (
  target: RecoveryTarget,
  repository = facts([listedSet(), later], { segments }),
  changes: object = {},
  known: readonly object[] = points,
) => {
  const context = hostContext();
  fs.mkdirSync(context.paths.root, { recursive: true });
  fs.writeFileSync(
    path.join(context.paths.root, 'restore-points.jsonl'),
    known.map(point => `${JSON.stringify(point)}\n`).join(''),
  );
  repositoryIs({ info: infoOf([listedSet()]) });
  const request = { target, purpose: 'clone', expiresAt: '2026-01-03T00:00:00Z', ...changes } as const;
  return planClone(context, request, repository);
};
const at = (time: string) => ({ type: 'time', at: time }) as const;
const latest = { type: 'latest' } as const;

describe('a clone', () => {
  test('of a time starts from the newest set before it, and stays on the timeline of that time', async () => {
    const recovery = { recovery_target_time: '2026-01-01 18:00:00.000000+00', recovery_target_timeline: '1' };
    expect(await plan(at('2026-01-01T18:00:00+00:00'))).toMatchObject({
      set: { label: firstLabel },
      recovery,
      lastSegment: segment(6),
    });
    expect(await plan(at('2026-01-02T18:00:00+00:00'))).toMatchObject({ set: { label: later.label } });
  });

  test('of a moment for which one set only is allowed starts from that, or not at all', async () => {
    expect(await plan(latest, undefined, { backupSet: firstLabel })).toMatchObject({
      set: { label: firstLabel },
    });
    await expect(
      plan(at('2026-01-01T18:00:00+00:00'), undefined, { backupSet: later.label }),
    ).rejects.toMatchObject({
      code: 'configuration',
      message: expect.stringContaining(`(only ${later.label} is allowed)`) as string,
    });
  });

  test('of the latest moment follows the newest timeline from the set that leads there', async () => {
    const histories = [{ timeline: 2, ancestors: [{ timeline: 1, until: 0x5000000n }] }];
    const onSecond = segment(6, 2);
    const branched = facts([listedSet(), later], {
      segments: [...segments, { name: onSecond, writtenAt: 2 }],
      histories,
    });
    // The later set ended after the second timeline had left the first one.
    expect(await plan(latest, branched)).toMatchObject({ set: { label: firstLabel }, lastSegment: onSecond });
    const orphan = listedSet({ label: '20260103-000000F', lastSegment: segment(9, 3), stopLsn: null });
    const unknown = facts([listedSet({ stopLsn: null }), orphan], {
      segments,
      histories,
      unusable: new Map([[orphan.label, 'broken']]),
    });
    await expect(plan(latest, unknown)).rejects.toMatchObject({ code: 'configuration' });
    const broken = listedSet({ label: '20260103-000000F', firstSegment: null, lastSegment: null });
    const second = facts([listedSet({ stopLsn: null }), broken], {
      segments: [],
      histories,
      unusable: new Map([[broken.label, 'broken']]),
    });
    await expect(plan(latest, second)).rejects.toMatchObject({ code: 'configuration' });
    expect(await plan(latest, facts([listedSet()]))).toMatchObject({ lastSegment: null });
  });

  test('of a time is on the timeline that had begun then', async () => {
    const histories = [{ timeline: 2, ancestors: [{ timeline: 1, until: 0x5000000n }] }];
    const historiesArchived = [{ timeline: 2, archivedAt: Date.parse('2026-01-01T12:00:00Z') / 1000 }];
    const branched = facts([listedSet()], { segments, histories, historiesArchived });
    const timeline = async (time: string) =>
      (await plan(at(time), branched)).recovery.recovery_target_timeline;
    expect(await timeline('2026-01-01T11:00:00Z')).toBe('1');
    expect(await timeline('2026-01-01T13:00:00Z')).toBe('2');
  });

  test('of a restore point starts before it and stops exactly there', async () => {
    expect(await plan({ type: 'restore-point', name: 'p' })).toMatchObject({
      set: { label: firstLabel },
      recovery: { recovery_target_lsn: '0/4000000', recovery_target_inclusive: 'off' },
      lastSegment: null,
    });
    expect(await plan({ type: 'restore-point', name: 'q' })).toMatchObject({ set: { label: later.label } });
    const nowhere = facts([listedSet({ stopLsn: null })], { segments });
    await expect(plan({ type: 'restore-point', name: 'p' }, nowhere)).rejects.toMatchObject({
      hint: expect.stringContaining('Restorable is from') as string,
    });
  });

  test('of an unknown restore point is refused, and the newest ones are said', async () => {
    const unknown = { type: 'restore-point', name: 'nonsense' } as const;
    await expect(plan(unknown)).rejects.toMatchObject({ hint: expect.stringContaining('p (2026') as string });
    await expect(plan(unknown, undefined, {}, [])).rejects.toMatchObject({
      hint: expect.stringContaining('--at TIME') as string,
    });
  });

  test('of a backup set stops where that is consistent; of a broken or unknown one none is made', async () => {
    const of = (id: string, unusable = new Map<string, string>()) =>
      plan({ type: 'backup-set', id }, facts([listedSet()], { unusable }));
    expect(await of(firstLabel)).toMatchObject({ recovery: { recovery_target: 'immediate' } });
    await expect(of('20200101-000000F')).rejects.toThrow('it isn’t in the repository');
    await expect(of(firstLabel, new Map([[firstLabel, 'page checksums']]))).rejects.toMatchObject({
      code: 'check-failed',
      message: expect.stringContaining('page checksums') as string,
    });
  });

  test('can’t be made without a usable set', async () => {
    for (const target of [latest, at('2026-01-01T18:00:00Z')])
      await expect(plan(target, facts([]))).rejects.toMatchObject({
        hint: 'Take one: holdfast backup shop --kind full.',
      });
  });
});

describe('restore points', () => {
  test('older than the oldest backup are left out; without any backup all are kept', async () => {
    const context = hostContext();
    fs.mkdirSync(context.paths.root, { recursive: true });
    const file = path.join(context.paths.root, 'restore-points.jsonl');
    fs.writeFileSync(file, `${JSON.stringify(points[0])}\n${JSON.stringify(points[1])}\n{"name":"hal`);
    repositoryIs({ info: infoOf([later]) });
    expect((await restorePoints(context)).map(({ name }) => name)).toEqual(['q']);
    repositoryIs({ info: infoOf([]) });
    expect((await restorePoints(context)).map(({ name }) => name)).toEqual(['p', 'q']);
  });

  test('are none before the first; unreadable ones are not taken for none', async () => {
    const context = hostContext();
    repositoryIs({ info: infoOf([]) });
    expect(await restorePoints(context)).toEqual([]);
    fs.mkdirSync(path.join(context.paths.root, 'restore-points.jsonl'), { recursive: true });
    await expect(restorePoints(context)).rejects.toMatchObject({ code: 'EISDIR' });
  });
});

test('what the archiver of pgBackRest wrote down is told without how it travelled', async () => {
  const context = hostContext();
  const out = path.join(context.paths.spool, 'archive', 'shop', 'out');
  fs.mkdirSync(out, { recursive: true });
  expect(await spoolError(context, segment(3))).toBe('');
  fs.writeFileSync(
    path.join(out, 'global.error'),
    '39\nraised from local-1 protocol: encountered error(s):\nno space\nHINT: x\n',
  );
  expect(await spoolError(context, segment(3))).toBe(': no space');
  fs.writeFileSync(path.join(out, `${segment(3)}.error`), '39\nread-only\n');
  expect(await spoolError(context, segment(3))).toBe(': read-only');
});

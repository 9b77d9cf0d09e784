import fs from 'node:fs';
import path from 'node:path';
import {
  archiveEvidence,
  gapsSince,
  missingTail,
  newestUsable,
  restorable,
} from '../../../engines/host/evidence-archive';
import { network } from '../../../engines/host/evidence-access';
import type { ArchivedSegment } from '../../../engines/host/pgbackrest/repository';
import { removeTempDirs } from '../../support/temp';
import { facts, firstLabel, hostContext, listedSet, segment, serverFacts } from './facts';

afterAll(removeTempDirs);

const written = (seconds: number) => new Date(seconds * 1000).toISOString();
const archivedAt = (number: number, writtenAt = 1_767_225_660 + number): ArchivedSegment => ({
  name: segment(number),
  writtenAt,
});
const later = listedSet({
  label: '20260101-120000F',
  stoppedAt: '2026-01-01T12:00:00.000Z',
  firstSegment: segment(6),
  lastSegment: segment(6),
  stopLsn: '0/6000100',
});
const now = '2026-01-02T00:00:00.000Z';
const bytes = 16 * 1024 * 1024;

/** Of a server that is at the begin of a segment: nothing waits. */
const evidence = (
  changes: Parameters<typeof serverFacts>[0] = {},
  repository: Parameters<typeof archiveEvidence>[3] = facts(),
  context = hostContext(),
) => archiveEvidence(context, serverFacts(changes), [], repository, []);

describe('archiving', () => {
  test.each([
    [{ archiveMode: 'off' }, 'archive_mode is off'],
    [{ archiveLibrary: 'other' }, 'archive_library is set, so WAL goes elsewhere'],
    [{ archiveCommand: '' }, 'archive_command is empty'],
    [{ archiveCommand: 'cp %p /x' }, 'archive_command is that of another tool, so WAL goes elsewhere'],
    [
      { archiveCommand: 'pgbackrest --stanza=crm archive-push %p' },
      'archive_command is that of another tool, so WAL goes elsewhere',
    ],
    [{ lastFailedAt: '2025-12-31T00:00:00.000Z', lastFailedSegment: segment(1) }, null],
    [{ lastFailedAt: now, lastFailedSegment: segment(3) }, `archiving ${segment(3)} failed at ${now}`],
    [
      { lastFailedAt: now, lastFailedSegment: segment(3), lastArchivedAt: null },
      `archiving ${segment(3)} failed at ${now}`,
    ],
    [{}, null],
  ])('of a server with %j fails because: %s', async (changes, reason) => {
    expect((await evidence(changes)).failing).toBe(reason);
  });

  test('is as far from the newest backup as the server has written since', async () => {
    const since = async (...from: Parameters<typeof evidence>) =>
      (await evidence(...from)).bytesSinceNewestBackup;
    expect(await since()).toBe(0x3000028 - 0x2000100);
    expect(await since({ lsn: 0x1000000n })).toBe(0);
    expect(await since({ lsn: null })).toBeNull();
    expect(await since({}, null)).toBeNull();
    expect(await since({}, facts([]))).toBeNull();
    expect(await since({}, facts([listedSet({ stopLsn: null })]))).toBeNull();
  });

  test('was last when the newest segment came, where the server doesn’t know it any more', async () => {
    const last = async (segments: readonly ArchivedSegment[]) =>
      (await evidence({ lastArchivedAt: null }, facts([], { segments }))).lastArchivedAt;
    expect(await last([archivedAt(2, 100), archivedAt(3, 50)])).toBe(written(100));
    expect(await last([])).toBeNull();
    expect((await evidence({ lastArchivedAt: null }, null)).lastArchivedAt).toBeNull();
  });

  test('of what was listed as waiting, and has gone since, is looked at again', async () => {
    const context = hostContext();
    const status = path.join(context.paths.dataDirectory, 'pg_wal', 'archive_status');
    fs.mkdirSync(status, { recursive: true });
    const found = await archiveEvidence(context, serverFacts(), [segment(2)], facts(), []);
    expect(found).toMatchObject({ backlogSegments: 1, oldestUnarchivedChangeAt: null });
    fs.writeFileSync(path.join(status, `${segment(2)}.ready`), '');
    await expect(archiveEvidence(context, serverFacts(), [segment(2)], facts(), [])).rejects.toMatchObject({
      code: 'ENOENT',
    });
  });
});

describe('what the server archived last', () => {
  test.each([
    ['is there', segment(2), [2], null],
    ['is not known', null, [], null],
    ['is the history of a timeline', '00000002.history', [], null],
    ['is missing', segment(4), [2], { timeline: 1, from: segment(3), to: segment(4) }],
    ['is missing with all before it', segment(4), [], { timeline: 1, from: segment(4), to: segment(4) }],
  ])('%s', (_, lastArchivedSegment, present, gap) => {
    const segments = present.map(number => archivedAt(number));
    expect(missingTail(segments, serverFacts({ lastArchivedSegment }))).toEqual(gap);
  });
});

describe('the moments that can be restored', () => {
  const all = [2, 3, 4, 5, 6, 7].map(number => archivedAt(number));
  const of = async (
    repository: ReturnType<typeof facts>,
    changes: Parameters<typeof serverFacts>[0] | null = {},
  ) => restorable(repository, [], bytes, changes === null ? null : await evidence(changes, repository), now);

  test('are none without a usable set', async () => {
    expect(await of(facts([]))).toBeNull();
    expect(await of(facts([listedSet()], { unusable: new Map([[firstLabel, 'broken']]) }))).toBeNull();
  });

  test('begin with the oldest usable set from which no WAL is missing', async () => {
    const sets = [listedSet(), later];
    expect(await of(facts(sets, { segments: all }))).toMatchObject({ from: listedSet().stoppedAt });
    const unusable = new Map([[firstLabel, 'broken']]);
    expect(await of(facts(sets, { segments: all, unusable }))).toMatchObject({ from: later.stoppedAt });
    const holed = all.filter(({ name }) => name !== segment(4));
    expect(await of(facts(sets, { segments: holed }))).toMatchObject({ from: later.stoppedAt });
  });

  test('go on until now where everything is archived, else until what was archived last', async () => {
    const repository = facts([listedSet()], { segments: all });
    const last = written(1_767_225_660 + 7);
    expect(await of(repository)).toMatchObject({ until: now });
    expect(await of(repository, { archiveMode: 'off' })).toMatchObject({ until: last });
    expect(await of(repository, null)).toMatchObject({ until: last });
    // Segments that are older than the end of the set say nothing.
    const old = facts([listedSet()], { segments: [archivedAt(2, 1)] });
    expect(await of(old, null)).toMatchObject({ until: listedSet().stoppedAt });
    expect(await of(facts([listedSet()]), null)).toMatchObject({ until: listedSet().stoppedAt });
  });

  test('end before WAL that is missing', async () => {
    const holed = all.filter(({ name }) => name !== segment(4));
    const repository = facts([listedSet()], { segments: holed });
    expect(gapsSince(newestUsable(repository)!, repository, [], bytes)).toEqual([
      { timeline: 1, from: segment(4), to: segment(4) },
    ]);
    expect(await of(repository)).toMatchObject({ until: written(1_767_225_660 + 3) });
  });
});

test.each([
  [null, null, null],
  ['samehost', null, 'samehost'],
  ['10.0.0.0', '255.255.0.0', '10.0.0.0/16'],
  ['::1', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', '::1/128'],
  ['fe80::', 'ffff::', 'fe80::/16'],
])('the address %s with mask %s is %s', (address, netmask, cidr) => {
  expect(network(address, netmask)).toBe(cidr);
});

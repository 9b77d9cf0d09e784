import { conditionsOf } from '../../../core/alerts';
import { copyTroubles } from '../../../core/copies';
import type { CopyEvidence, KnownCopies } from '../../../core/evidence';
import { judge } from '../../../core/freshness';
import { ago, evidence, limits } from './fixtures';

const hours = (count: number) => ago(count * 3600);
const known = (overrides: Partial<KnownCopies> = {}): KnownCopies => ({
  state: 'known',
  place: 'recovery points in eu-west-1',
  count: 3,
  oldestAt: hours(72),
  newestAt: hours(24),
  encrypted: true,
  ...overrides,
});
const none = { count: 0, oldestAt: null, newestAt: null };
const messages = (copies: CopyEvidence, begunAt: string | null = hours(1000), maximumAge = 26 * 3600) =>
  copyTroubles(evidence({ copies: [copies], begunAt }), { ...limits, maximumAge }).map(
    ({ message }) => message,
  );

test('a cluster without copies has no trouble with them', () =>
  expect(copyTroubles(evidence(), limits)).toEqual([]));

describe('recovery points', () => {
  test('may be two days old, whatever less a backup may be', () => {
    expect(messages(known({ newestAt: hours(48) }))).toEqual([]);
    expect(messages(known({ newestAt: ago(48 * 3600 + 60) }))).toEqual([
      'the newest of recovery points in eu-west-1 is 2 d old; at most 2 d is expected',
    ]);
  });

  test('may be as old as a backup may be, where that is more', () => {
    expect(messages(known({ newestAt: hours(72) }), null, 72 * 3600)).toEqual([]);
    expect(messages(known({ newestAt: hours(73) }), null, 72 * 3600)).toHaveLength(1);
  });

  test('of a new cluster may be missing', () => {
    expect(messages(known(none), null)).toEqual([]);
    expect(messages(known(none), hours(48))).toEqual([]);
    expect(messages(known(none), hours(49))).toEqual(['there are no recovery points in eu-west-1']);
  });

  test('of a time that isn’t one are never young enough', () =>
    expect(messages(known({ newestAt: 'yesterday' }))).toEqual([
      'the newest of recovery points in eu-west-1 is of unknown age; at most 2 d is expected',
    ]));
});

test('automated backups elsewhere may be as old as a backup may be', () => {
  const replicated = (newestAt: string) =>
    known({ place: 'automated backups in eu-west-1', count: null, newestAt });
  expect(messages(replicated(hours(26)))).toEqual([]);
  expect(messages(replicated(hours(27)))).toEqual([
    'the newest of automated backups in eu-west-1 is 27 h old; at most 26 h is expected',
  ]);
});

test('what can’t be asked is told of, but for what never can', () => {
  const unknown = { place: 'recovery points in eu-west-1', reason: 'AWS denies it', remedy: 'Allow it.' };
  expect(messages({ state: 'unknown', ...unknown })).toEqual([
    'nothing is known of recovery points in eu-west-1: AWS denies it',
  ]);
  expect(messages({ state: 'foreign', ...unknown })).toEqual([]);
});

test('copies that are late are alerted of, and leave the verdict as it is', () => {
  const of = evidence({ copies: [known({ newestAt: hours(50) })] });
  const judgement = judge(of, limits);
  expect(judgement.verdict).toBe('fresh');
  expect(
    conditionsOf({ evidence: of, judgement, limits, failures: [], fullOn: {}, now: of.observedAt }),
  ).toEqual([
    {
      key: 'copy-late:recovery points in eu-west-1',
      kind: 'copy-late',
      message: 'the newest of recovery points in eu-west-1 is 2 d 2 h old; at most 2 d is expected',
      remedy: 'the console of AWS tells why: the jobs of AWS Backup, the automated backups of RDS',
    },
  ]);
});

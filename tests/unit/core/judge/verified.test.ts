import { ago, backupSet, failed, judged, limits, passed } from '../fixtures';
import type { BackupSet } from '../../../../core/evidence';

const verified = (...backups: BackupSet[]) => judged('verified', { backups });

test('a verification may be as old as the limit, and not a second older', () => {
  const aged = (seconds: number) => verified(backupSet({ verification: passed({ at: ago(seconds) }) }));
  expect(aged(limits.verificationMaximumAge).verdict).toBe('fresh');
  expect(aged(limits.verificationMaximumAge + 1)).toMatchObject({
    verdict: 'stale',
    message: expect.stringMatching(/is 7 d old; one within 7 d is needed/) as string,
    remedy: 'holdfast verify shop',
  });
});

test('a restore may take as long as the RTO, and not a second longer', () => {
  const taking = (restoreSeconds: number) =>
    verified(backupSet({ verification: passed({ restoreSeconds }) }));
  expect(taking(limits.rto).verdict).toBe('fresh');
  expect(taking(limits.rto + 1)).toMatchObject({
    verdict: 'stale',
    message: 'of 20260304-013000F, the restore took 1 h; the RTO is 1 h',
  });
  expect(taking(NaN).verdict).toBe('stale');
});

test('any usable backup set that was verified counts, not only the newest', () =>
  expect(verified(backupSet({ id: 'old' }), backupSet({ id: 'new', verification: null })).message).toContain(
    'of old',
  ));

test('a verification of a backup set that is no longer usable doesn’t count', () =>
  expect(verified(backupSet({ unusable: 'damaged' }), backupSet({ verification: null }))).toMatchObject({
    verdict: 'missing',
    message: 'no usable backup set was ever verified; one within 7 d is needed',
  }));

test('without a usable backup set it is missing', () =>
  expect(verified()).toMatchObject({ verdict: 'missing', message: 'there is no backup' }));

describe('a failed verification', () => {
  const at = (hours: number) => ({ at: ago(hours * 3600) });

  test('holds over an earlier success, with its reason', () =>
    expect(
      verified(
        backupSet({ verification: passed(at(5)) }),
        backupSet({ id: 'b', verification: failed(at(3)) }),
      ),
    ).toMatchObject({
      verdict: 'stale',
      message: expect.stringMatching(
        /verification of b .*failed: pg_amcheck found a broken index; this holds/,
      ) as string,
      remedy: 'repair what failed, then holdfast verify shop',
    }));

  test('holds over a success of the same moment', () =>
    expect(
      verified(backupSet({ verification: passed(at(3)) }), backupSet({ verification: failed(at(3)) }))
        .verdict,
    ).toBe('stale'));

  test('holds no more after a later success, of whatever backup set', () =>
    expect(
      verified(backupSet({ verification: failed(at(5)) }), backupSet({ verification: passed(at(3)) }))
        .verdict,
    ).toBe('fresh'));

  test('of an unusable backup set holds too', () =>
    expect(
      verified(
        backupSet({ verification: passed(at(5)) }),
        backupSet({ unusable: 'damaged', verification: failed(at(3)) }),
      ).verdict,
    ).toBe('stale'));

  test('without any success is missing, also when no reason was recorded', () =>
    expect(verified(backupSet({ verification: failed({ reason: null }) }))).toMatchObject({
      verdict: 'missing',
      message: expect.stringContaining('no reason was recorded') as string,
    }));
});

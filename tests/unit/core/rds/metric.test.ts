import { restorableMetricLine } from '../../../../core/rds/metric';
import { ago, archive, evidence, now } from '../fixtures';

const lineOf = (overrides: Parameters<typeof archive>[0]) =>
  restorableMetricLine(evidence({ archive: archive(overrides) }));

test('how much could be lost is a metric of the cluster, in seconds', () => {
  expect(JSON.parse(lineOf({ oldestUnarchivedChangeAt: ago(312.4) })!)).toEqual({
    _aws: {
      Timestamp: Date.parse(now),
      CloudWatchMetrics: [
        {
          Namespace: 'Holdfast',
          Dimensions: [['Cluster']],
          Metrics: [{ Name: 'SecondsNotRestorable', Unit: 'Seconds' }],
        },
      ],
    },
    Cluster: 'shop',
    SecondsNotRestorable: 312,
  });
});

test('nothing could be lost where all is archived', () => {
  expect(lineOf({ oldestUnarchivedChangeAt: null })).toContain('"SecondsNotRestorable":0}');
  expect(lineOf({ oldestUnarchivedChangeAt: ago(-5) })).toContain('"SecondsNotRestorable":0}');
});

test('what isn’t known is no figure, which the alarm takes for the worst', () => {
  expect(restorableMetricLine(evidence({ archive: null }))).toBeNull();
  expect(
    lineOf({ failing: 'automated backups are switched off', oldestUnarchivedChangeAt: null }),
  ).toBeNull();
});

test('what fails, but is known, is a figure', () => {
  expect(lineOf({ failing: 'disk full', oldestUnarchivedChangeAt: ago(900) })).toContain(':900}');
});

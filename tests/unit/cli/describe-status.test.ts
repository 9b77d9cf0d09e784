import { describeSurvey } from '../../../cli/describe-status';
import type { CopyEvidence } from '../../../core/evidence';
import { judge } from '../../../core/freshness';
import type { SurveyedCluster } from '../../../jobs/survey';
import { ago, evidence, limits } from '../core/fixtures';

const day = 86_400;

function surveyed(copies: readonly CopyEvidence[]): SurveyedCluster {
  const of = evidence({ engine: 'rds', copies });
  const report = {
    cluster: 'shop',
    environment: 'production' as const,
    evidence: of,
    judgement: judge(of, limits),
    limits,
    schedules: [],
    fullOn: {},
    drift: [],
    restorePoints: [],
    clones: [],
    breakGlass: null,
  };
  return {
    cluster: 'shop',
    environment: 'production',
    place: 'eu-central-1',
    state: 'reported',
    report,
    problem: null,
    breakGlass: null,
    well: true,
  };
}

const linesOf = (copies: readonly CopyEvidence[]) =>
  describeSurvey([surveyed(copies)], { color: false })
    .split('\n')
    .filter(line => line.includes('copies '))
    .map(line => line.trim().replace(/ {2,}/, ' | '));

test('what is kept elsewhere has a line each; what is late or unknown has a warning besides', () => {
  const points = { state: 'known', count: 35, oldestAt: ago(34 * day), encrypted: true } as const;
  const lines = linesOf([
    { ...points, place: 'recovery points in eu-central-1', newestAt: ago(3 * 3600) },
    { ...points, place: 'recovery points in eu-west-1', newestAt: ago(3 * day), encrypted: false },
    { ...points, place: 'recovery points in us-east-1', count: 0, oldestAt: null, newestAt: null },
    {
      ...points,
      place: 'automated backups in eu-west-1',
      count: null,
      oldestAt: '2026-02-25T12:00:00.000Z',
      newestAt: '2026-03-04T11:55:00.000Z',
    },
    {
      state: 'unknown',
      place: 'recovery points in eu-north-1',
      reason: 'AWS denies it',
      remedy: 'Allow it.',
    },
    { state: 'foreign', place: 'recovery points elsewhere', reason: 'ask there', remedy: 'Ask there.' },
  ]);
  expect(lines).toEqual([
    'copies | recovery points in eu-central-1: 35, newest 3 h ago, oldest 34 d ago, encrypted',
    'copies | recovery points in eu-west-1: 35, newest 3 d ago, oldest 34 d ago',
    'copies | recovery points in us-east-1: none yet',
    'copies | automated backups in eu-west-1: from 2026-02-25 12:00:00Z until 2026-03-04 11:55:00Z, encrypted',
    'copies | recovery points in eu-north-1: not known: AWS denies it',
    'copies | recovery points elsewhere: not known: ask there',
    expect.stringMatching(/^warning: copies \| the newest of recovery points in eu-west-1 is 3 d old; .* → /),
    'warning: copies | nothing is known of recovery points in eu-north-1: AWS denies it → Allow it.',
  ]);
});

import { handler } from '../../../cli/lambda';
import { HoldfastError } from '../../../core/errors';
import type { Cluster } from '../../../jobs/cluster';
import { openRdsCluster } from '../../../jobs/rds/open';
import { runDue, type DueReport } from '../../../jobs/run-due';
import { ago, archive, evidence } from '../core/fixtures';

jest.mock('../../../jobs/rds/open', () => ({ openRdsCluster: jest.fn() }));
jest.mock('../../../jobs/run-due', () => ({ runDue: jest.fn() }));

const event = { command: 'run-due', cluster: 'shop' };
const invocation = { getRemainingTimeInMillis: () => 900_000 };
const report: DueReport = { cluster: 'shop', job: null, outcome: 'nothing', reason: 'not due', alerts: [] };

let printed: string[];
let found = evidence();
beforeEach(() => {
  printed = [];
  found = evidence({ archive: archive({ oldestUnarchivedChangeAt: ago(312) }) });
  jest.spyOn(process.stdout, 'write').mockImplementation(text => {
    printed.push(String(text));
    return true;
  });
  jest
    .mocked(openRdsCluster)
    .mockResolvedValue({ engine: { evidence: () => Promise.resolve(found) } } as unknown as Cluster);
  jest.mocked(runDue).mockReset().mockResolvedValue(report);
});
afterEach(() => {
  jest.restoreAllMocks();
});

const metrics = () =>
  printed.filter(line => line.includes('"_aws"')).map(line => JSON.parse(line) as Record<string, unknown>);

test('a call runs what is due of the cluster that it names', async () => {
  expect(await handler(event, invocation)).toBe(report);
  expect(jest.mocked(openRdsCluster).mock.calls.at(-1)?.[1]).toBe('shop');
});

test('what could be lost is told to CloudWatch after every run, alone in its line', async () => {
  jest.mocked(runDue).mockImplementation((_, { report: say }) => {
    say({ fraction: null, step: 'taking a snapshot' });
    return Promise.resolve(report);
  });
  await handler(event, invocation);
  expect(printed[0]).toBe('taking a snapshot\n');
  expect(metrics()).toEqual([expect.objectContaining({ Cluster: 'shop', SecondsNotRestorable: 312 })]);
  expect(printed[1]).toMatch(/^\{.*\}\n$/);
});

test('it is told after a job that failed, which still counts as failed', async () => {
  jest.mocked(runDue).mockRejectedValue(new HoldfastError('engine-failed', 'the snapshot failed'));
  await expect(handler(event, invocation)).rejects.toThrow('the snapshot failed');
  expect(metrics()).toHaveLength(1);
});

test('nothing is told of what isn’t known', async () => {
  found = evidence({ archive: null });
  await handler(event, invocation);
  expect(printed).toEqual([]);
});

test.each([undefined, {}, { command: 'restore', cluster: 'shop' }, { command: 'run-due', cluster: '../x' }])(
  'any other call is refused: %j',
  async other => {
    await expect(handler(other, invocation)).rejects.toThrow('this function is called with');
    expect(runDue).not.toHaveBeenCalled();
  },
);

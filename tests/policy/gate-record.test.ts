import type { HostClusterSettings } from '../../core/settings/stack';
import fs from 'node:fs';
import path from 'node:path';
import { HoldfastError } from '../../core/errors';
import type { Evidence } from '../../core/evidence';
import type { GateDecision, GateRecord } from '../../core/host-documents';
import { parseStack } from '../../core/settings/parse';
import * as hostCalls from '../../jobs/host-calls';
import { recordDecision } from '../../policy/evidence/record';
import type { Source } from '../../policy/evidence/source';
import { rules } from '../../policy/pack';
import { removeTempDirs, tempDir } from '../support/temp';
import { ago, noTrace, production, soundEvidence, stackOf } from './support/fixtures';

afterAll(removeTempDirs);

const hour = 3600;
const breakGlass = {
  reason: 'repository host lost',
  approver: 'ada@example.com',
  issued: ago(hour),
  expires: ago(-hour),
};

/** What the whole pack has written down, by cluster. */
async function recorded(evidence: Evidence, raw: Readonly<Record<string, unknown>> = production) {
  const decisions: Record<string, GateDecision> = {};
  const stack = stackOf({
    raw,
    evidence: { shop: () => evidence },
    record: (cluster, _settings, _source, decision) => {
      decisions[cluster] = decision;
      return Promise.resolve(null);
    },
  });
  for (const rule of rules) await rule.judgeStack(stack, {});
  return decisions;
}

describe('what the pack decided of each cluster of production is written down', () => {
  test('when it lets a change through', async () => {
    expect(await recorded(soundEvidence())).toEqual({ shop: { decision: 'allowed', reasons: [] } });
  });

  test.each([
    ['first provision', noTrace()],
    ['adoption', soundEvidence({ phase: 'adopting', backups: [] })],
  ])('with the reason, when it is %s', async (reason, evidence) => {
    expect(await recorded(evidence)).toEqual({ shop: { decision: 'allowed', reasons: [reason] } });
  });

  test('with all that is missing, when it blocks', async () => {
    const { shop } = await recorded(soundEvidence({ backups: [] }));
    expect(shop?.decision).toBe('blocked');
    expect(shop?.reasons.map(reason => reason.split(':')[0])).toEqual([
      'recent is missing',
      'restorable is missing',
      'verified is missing',
    ]);
  });

  test('with who approved what, under break-glass', async () => {
    const { shop } = await recorded(soundEvidence({ backups: [] }), { ...production, breakGlass });
    expect(shop?.decision).toBe('allowed-under-break-glass');
    expect(shop?.reasons[0]).toBe('break-glass, approved by ada@example.com: repository host lost');
    expect(shop?.reasons).toHaveLength(4);
  });

  test('as plainly allowed, when break-glass was not needed', async () => {
    const { shop } = await recorded(soundEvidence(), { ...production, breakGlass });
    expect(shop?.decision).toBe('allowed');
  });

  test('and not of staging', async () => {
    const evidence = soundEvidence({ environment: 'staging' });
    expect(await recorded(evidence, { ...production, environment: 'staging' })).toEqual({});
  });
});

test('a decision that can’t be written down is said, and blocks nothing by itself', async () => {
  const stack = stackOf({ record: () => Promise.resolve('the disk is full') });
  const said: string[] = [];
  for (const rule of rules)
    for (const violation of await rule.judgeStack(stack, {})) said.push(`${rule.enforcement} ${violation}`);
  expect(said).toEqual(['advisory cluster shop: what was decided is not in its audit log: the disk is full']);
});

describe('the audit log', () => {
  const home = tempDir();
  const directory = path.join(home, 'clusters', 'shop');
  const log = path.join(directory, 'audit.jsonl');
  const local = parseStack({ ...production });
  const ssh = {
    type: 'ssh',
    host: 'db1.example.com',
    user: 'ci',
    privateKeyPath: '/k',
    hostKey: 'ssh-rsa A',
  };
  const overSsh = parseStack({ ...production, clusters: { shop: { connection: ssh } } });
  const record: GateRecord = {
    cluster: 'shop',
    operation: 'update',
    stack: 'holdfast/prod',
    decision: 'allowed-under-break-glass',
    reasons: ['break-glass, approved by ada'],
  };
  const before = process.env.HOLDFAST_HOME;
  beforeAll(() => {
    process.env.HOLDFAST_HOME = home;
  });
  afterAll(() => {
    if (before === undefined) delete process.env.HOLDFAST_HOME;
    else process.env.HOLDFAST_HOME = before;
  });
  afterEach(() => jest.restoreAllMocks());

  test('of a cluster that was never provisioned is not begun', async () => {
    expect(await recordDecision(record, local, undefined)).toBeNull();
    expect(fs.existsSync(directory)).toBe(false);
  });

  test('on this machine gets a line with who, what, cluster and outcome', async () => {
    fs.mkdirSync(directory, { recursive: true });
    expect(await recordDecision(record, local, undefined)).toBeNull();
    expect(
      await recordDecision({ ...record, decision: 'blocked', operation: 'preview' }, local, undefined),
    ).toBeNull();
    const lines = fs.readFileSync(log, 'utf8').trim().split('\n');
    expect(lines.map(line => JSON.parse(line) as unknown)).toMatchObject([
      {
        who: expect.stringContaining('@') as string,
        what: 'gate of update of holdfast/prod',
        cluster: 'shop',
        outcome: 'succeeded',
        detail: 'allowed under break glass; break-glass, approved by ada',
      },
      { what: 'gate of preview of holdfast/prod', outcome: 'refused' },
    ]);
    fs.rmSync(log);
  });

  test('that can’t be written to is told with the reason', async () => {
    fs.mkdirSync(log);
    expect(await recordDecision(record, local, undefined)).toMatch(
      /the audit log can’t be written to: .*EISDIR/,
    );
    fs.rmdirSync(log);
  });

  test('on another machine is written by the program there', async () => {
    const ask = jest.spyOn(hostCalls, 'recordGateAt').mockResolvedValue();
    expect(await recordDecision(record, overSsh, undefined)).toBeNull();
    expect(ask.mock.calls[0]?.slice(0, 2)).toEqual([
      (overSsh.clusters.shop as HostClusterSettings).connection,
      record,
    ]);
  });

  test('on a machine that fails, or doesn’t answer in time, is told with the reason', async () => {
    const ask = jest.spyOn(hostCalls, 'recordGateAt');
    ask.mockRejectedValueOnce(new HoldfastError('engine-failed', 'no route'));
    expect(await recordDecision(record, overSsh, undefined)).toBe('no route');
    const aborted = new AbortController();
    aborted.abort();
    jest.spyOn(AbortSignal, 'timeout').mockReturnValue(aborted.signal);
    ask.mockRejectedValueOnce(new Error('ended by a signal'));
    expect(await recordDecision(record, overSsh, undefined)).toBe('its machine didn’t answer within 30 s');
  });

  test('is left alone where the pack may only read, and of what the stack doesn’t declare', async () => {
    const ask = jest.spyOn(hostCalls, 'recordGateAt');
    fs.mkdirSync(directory, { recursive: true });
    const source: Source = { type: 'command', command: ['cat', 'evidence.json'] };
    expect(await recordDecision(record, local, source)).toBeNull();
    expect(await recordDecision({ ...record, cluster: 'crm' }, local, undefined)).toBeNull();
    expect(ask).not.toHaveBeenCalled();
    expect(fs.existsSync(log)).toBe(false);
  });
});

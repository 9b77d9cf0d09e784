import { ago, noTrace, production, soundEvidence, staging } from './support/fixtures';
import { gate, gateOf } from './support/gate';

/* What is let through without a recent, restorable, verified backup, and what is not for all that. */

const hour = 3600;
const breakGlass = {
  reason: 'repository host lost, ticket OPS-99',
  approver: 'ada@example.com',
  issued: ago(hour),
  expires: ago(-hour),
};
const underBreakGlass = { ...production, breakGlass };

describe('the begin of a cluster', () => {
  test('a first provision passes without a backup, and is said', async () => {
    for (const phase of ['none', 'provisioning'] as const)
      expect(await gateOf(noTrace({ phase }))).toEqual({
        'gate-notice': [expect.stringContaining('cluster shop: first provision: ')],
      });
  });

  test('an adoption passes without a backup, and is said', async () => {
    const said = await gateOf(soundEvidence({ phase: 'adopting', backups: [], archive: null }));
    expect(said).toEqual({ 'gate-notice': [expect.stringContaining('cluster shop: adoption: ')] });
  });

  test('an established cluster whose disk is not mounted is not provisioned anew', async () => {
    const identity = { recorded: '73', found: null, backedUp: '73' };
    expect(
      Object.keys(await gateOf(soundEvidence({ identity, server: { state: 'stopped', version: null } }))),
    ).toContain('evidence-known');
  });

  test('a first provision of which not all can be read blocks', async () => {
    const problems = [{ what: 'the directory can’t be read', remedy: 'chmod' }];
    expect(Object.keys(await gateOf(noTrace({ problems })))).toContain('evidence-known');
  });
});

describe('break-glass', () => {
  const unbackedUp = soundEvidence({ backups: [] });

  test('turns the backup rules into loud warnings that name reason, approver, expiry and what is waived', async () => {
    const said = await gateOf(unbackedUp, underBreakGlass);
    expect(Object.keys(said)).toEqual(['gate-notice']);
    expect(said['gate-notice']![0]).toBe(
      `BREAK-GLASS IS IN FORCE until ${breakGlass.expires}, approved by ada@example.com: repository host lost, ticket OPS-99`,
    );
    expect(said['gate-notice']!.slice(1).map(line => /: (\w+) is missing/.exec(line)?.[1])).toEqual([
      'recent',
      'restorable',
      'verified',
    ]);
  });

  test('waives that the cluster can’t be reached', async () => {
    const evidence = {
      shop: () => {
        throw new Error('connection refused');
      },
    };
    expect(Object.keys(await gate({ raw: underBreakGlass, evidence }))).toEqual(['gate-notice']);
  });

  test('never waives that it is another cluster', async () => {
    const identity = { recorded: '73', found: '74', backedUp: '73' };
    const said = await gateOf(soundEvidence({ identity }), underBreakGlass);
    expect(said['evidence-known']![0]).toMatch(/^cluster shop: .*74/);
    const other = await gateOf(soundEvidence({ cluster: 'crm' }), underBreakGlass);
    expect(Object.keys(other)).toContain('evidence-known');
  });

  test('is printed while it waives nothing', async () => {
    const said = await gateOf(soundEvidence(), underBreakGlass);
    expect(said['gate-notice']).toHaveLength(2);
  });

  test.each([
    ['expired', { ...breakGlass, issued: ago(3 * hour), expires: ago(1) }, 'expired'],
    ['incomplete', { ...breakGlass, approver: undefined }, 'incomplete'],
    ['too long', { ...breakGlass, expires: ago(-24 * hour) }, '24 h'],
    ['not yet issued', { ...breakGlass, issued: ago(-60) }, 'future'],
  ])('counts as none when it is %s, and says why', async (_, setting, reason) => {
    const said = await gateOf(unbackedUp, { ...production, breakGlass: setting });
    expect(Object.keys(said)).toEqual([
      'backup-recent',
      'backup-restorable',
      'backup-verified',
      'gate-notice',
    ]);
    expect(said['gate-notice']![0]).toMatch(/^BREAK-GLASS counts as none: /);
    expect(said['gate-notice']![0]).toContain(reason);
  });
});

describe('staging', () => {
  test('is not held to the rules of production', async () => {
    expect(await gateOf(soundEvidence({ environment: 'staging', backups: [] }), staging)).toEqual({});
  });

  test('may be unreachable', async () => {
    const evidence = {
      shop: () => {
        throw new Error('connection refused');
      },
    };
    expect(await gate({ raw: staging, evidence })).toEqual({});
  });

  test('is no disguise for what was provisioned as production', async () => {
    const said = await gateOf(soundEvidence(), staging);
    expect(said).toEqual({
      'evidence-known': [expect.stringMatching(/^cluster shop: it was provisioned as production/)],
    });
  });
});

import fc from 'fast-check';
import type { Evidence } from '../../core/evidence';
import { backupRecent } from '../../policy/rules/backup-recent';
import { backupRestorable } from '../../policy/rules/backup-restorable';
import { backupVerified } from '../../policy/rules/backup-verified';
import { evidenceKnown } from '../../policy/rules/evidence-known';
import {
  ago,
  judged,
  now,
  production,
  soundBackup,
  soundEvidence,
  stackOf,
  type StackOptions,
} from './support/fixtures';
import { blocking, gate, gateOf } from './support/gate';

const hour = 3600;

const archiveOf = (overrides: Partial<NonNullable<Evidence['archive']>>) =>
  soundEvidence({ archive: { ...soundEvidence().archive!, ...overrides } });

test('a recent, restorable, verified backup lets a change through, and nothing is said', async () => {
  expect(await gateOf(soundEvidence())).toEqual({});
});

describe('each of these alone blocks, naming the cluster, the evidence, the limit and the fix', () => {
  test('the newest backup is too old', async () => {
    const old = soundBackup(now, { startedAt: ago(30 * hour), stoppedAt: ago(29 * hour) });
    const said = await gateOf(soundEvidence({ backups: [old] }));
    expect(said).toEqual({
      'backup-recent': [
        'cluster shop: the newest usable backup (20260310-013000F, full) is 29 h old; at most 26 h is allowed\n  fix: holdfast backup shop',
      ],
    });
  });

  test('no backup is usable', async () => {
    const said = await gateOf(soundEvidence({ backups: [soundBackup(now, { unusable: 'page checksums' })] }));
    expect(Object.keys(said)).toEqual(['backup-recent', 'backup-restorable', 'backup-verified']);
    expect(said['backup-recent']![0]).toContain('page checksums');
  });

  test('WAL archiving fails', async () => {
    const said = await gateOf(archiveOf({ failing: 'archive_command exits 82' }));
    expect(Object.keys(said)).toEqual(['backup-restorable']);
    expect(said['backup-restorable']![0]).toMatch(/^cluster shop: .*archive_command exits 82[^]*fix: /);
  });

  test('WAL is missing since the newest backup', async () => {
    const gaps = [{ timeline: 1, from: '000000010000000000000005', to: '000000010000000000000007' }];
    const said = await gateOf(archiveOf({ gaps }));
    expect(said['backup-restorable']![0]).toMatch(
      /000000010000000000000005[^]*holdfast backup shop --kind full/,
    );
  });

  test('a change waits for longer than the RPO to be archived; an idle cluster passes', async () => {
    const said = await gateOf(archiveOf({ oldestUnarchivedChangeAt: ago(301) }));
    expect(said['backup-restorable']![0]).toContain('the RPO is 5 min');
    expect(
      await gateOf(archiveOf({ oldestUnarchivedChangeAt: null, lastArchivedAt: ago(9 * hour) })),
    ).toEqual({});
  });

  test('no backup was verified recently enough', async () => {
    const verification = { ...soundBackup().verification!, at: ago(8 * 24 * hour) };
    const said = await gateOf(soundEvidence({ backups: [soundBackup(now, { verification })] }));
    expect(Object.keys(said)).toEqual(['backup-verified']);
    expect(said['backup-verified']![0]).toMatch(/8 d old; .* 7 d .*\n {2}fix: holdfast verify shop$/);
  });

  test('the last verification failed', async () => {
    const verification = {
      ...soundBackup().verification!,
      result: 'failed',
      reason: 'amcheck: idx',
    } as const;
    const said = await gateOf(soundEvidence({ backups: [soundBackup(now, { verification })] }));
    expect(said['backup-verified']![0]).toContain('amcheck: idx');
  });

  test('a restore takes longer than the RTO', async () => {
    const verification = { ...soundBackup().verification!, restoreSeconds: 2 * hour };
    const said = await gateOf(soundEvidence({ backups: [soundBackup(now, { verification })] }));
    expect(said['backup-verified']![0]).toContain('the RTO is 1 h');
  });

  test('something could not be read', async () => {
    const problems = [{ what: 'the repository is read-only', remedy: 'remount it' }];
    const said = await gateOf(soundEvidence({ problems }));
    expect(said).toEqual({
      'evidence-known': ['cluster shop: the repository is read-only\n  fix: remount it'],
    });
  });

  test('the repository holds another cluster’s backups', async () => {
    const identity = { recorded: '73', found: '73', backedUp: '74' };
    const said = await gateOf(soundEvidence({ identity }));
    expect(said['evidence-known']![0]).toContain('74');
  });

  test('the evidence was kept from earlier, even if it was sound then', async () => {
    const said = await gateOf(soundEvidence({}, ago(hour)));
    expect(said['evidence-known']![0]).toMatch(/1 h before this machine’s time; at most 10 min is allowed/);
    const ahead = await gateOf(soundEvidence({}, ago(-hour)));
    expect(ahead['evidence-known']![0]).toContain('1 h after this machine’s time');
  });

  test('the evidence is another cluster’s', async () => {
    const said = await gateOf(soundEvidence({ cluster: 'crm' }));
    expect(Object.keys(said)).toEqual(blocking.map(({ name }) => name));
    expect(said['evidence-known']![0]).toContain('the evidence is that of the cluster crm');
  });

  test('the cluster can’t be reached', async () => {
    const evidence = {
      shop: () => {
        throw new Error('connection refused');
      },
    };
    const said = await gate({ evidence });
    expect(Object.keys(said)).toEqual(blocking.map(({ name }) => name));
    for (const rule of blocking)
      expect(said[rule.name]![0]).toMatch(/connection refused\n {2}fix: holdfast status/);
  });

  test.each([['garbage'], [{}], [{ ...soundEvidence(), backups: undefined }], [null]])(
    'what the cluster says is not evidence: %p',
    async document => {
      const said = await gate({ evidence: { shop: () => document } });
      expect(Object.keys(said)).toEqual(blocking.map(({ name }) => name));
      expect(said['evidence-known']![0]).toContain('is not evidence');
    },
  );
});

test('every cluster of the stack is judged, and each violation names its own', async () => {
  const raw = { ...production, clusters: { shop: {}, crm: {} } };
  const evidence = {
    shop: () => soundEvidence(),
    crm: () => soundEvidence({ cluster: 'crm', backups: [] }),
  };
  const said = await gate({ raw, evidence });
  expect(Object.values(said).flat().length).toBe(3);
  for (const violation of Object.values(said).flat()) expect(violation).toMatch(/^cluster crm: /);
});

describe('the stricter of the stack’s limit and the pack’s counts', () => {
  const old = (hours: number) =>
    soundEvidence({
      backups: [soundBackup(now, { startedAt: ago((hours + 1) * hour), stoppedAt: ago(hours * hour) })],
    });
  const stackLimit = { ...production, clusters: { shop: { backups: { maximumAge: '12 h' } } } };

  test.each([
    ['the pack’s', production, { maximumAge: '9 h' }, 'at most 9 h'],
    ['the stack’s', stackLimit, { maximumAge: '20 h' }, 'at most 12 h'],
  ])('%s', async (_, raw, configuration, limit) => {
    const violations = await judged(backupRecent, { raw, evidence: { shop: () => old(13) } }, configuration);
    expect(violations[0]).toContain(limit);
  });

  test('for RPO, RTO and the age of a verification too', async () => {
    expect(await judged(backupRestorable, {}, { rpo: '10 s' })).toHaveLength(1);
    expect(await judged(backupVerified, {}, { rto: '30 s' })).toHaveLength(1);
    expect(await judged(backupVerified, {}, { maximumAge: '1 h' })).toHaveLength(1);
  });

  test('no limit of the pack makes a stale backup pass', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 10_000 }),
        fc.integer({ min: 27, max: 500 }),
        async (pack, age) => {
          const options = { evidence: { shop: () => old(age) } };
          expect(await judged(backupRecent, options, { maximumAge: `${pack} h` })).toHaveLength(1);
        },
      ),
      { numRuns: 50 },
    );
  });
});

test('the evidence of a cluster is read once for all rules', async () => {
  const reads: string[] = [];
  const stack = stackOf({
    raw: { ...production, clusters: { shop: {}, crm: {} } },
    evidence: {
      shop: () => (reads.push('shop'), soundEvidence()),
      crm: () => (reads.push('crm'), soundEvidence({ cluster: 'crm' })),
    },
  });
  for (const rule of blocking) await rule.judgeStack(stack, {});
  expect(reads.sort()).toEqual(['crm', 'shop']);
});

test('what was read ahead is what the rules get, unless the pack says where to ask', async () => {
  const reads: unknown[] = [];
  const read: StackOptions['read'] = (_, __, source) => {
    reads.push(source);
    return Promise.resolve({ state: 'read', evidence: soundEvidence() });
  };
  const stack = stackOf({ read });
  stack.readAhead();
  expect(reads).toEqual([undefined]);
  await evidenceKnown.judgeStack(stack, {});
  expect(reads).toEqual([undefined]);
  const cat = { type: 'command', command: ['cat'] };
  await evidenceKnown.judgeStack(stack, { sources: { shop: cat } });
  expect(reads).toEqual([undefined, cat]);

  stackOf({ raw: {}, read }).readAhead();
  expect(reads).toHaveLength(2);
});

describe('another repository’s stack, without any setting of Holdfast', () => {
  const cat = { type: 'command', command: ['cat'] };

  test('is gated by the clusters that the pack names', async () => {
    const stack = stackOf({
      raw: {},
      evidence: { shop: () => soundEvidence(), crm: () => soundEvidence({ cluster: 'crm', backups: [] }) },
    });
    expect(await evidenceKnown.judgeStack(stack, { sources: { shop: cat, crm: cat } })).toEqual([]);
    expect(await backupRecent.judgeStack(stack, {})).toEqual([expect.stringMatching(/^cluster crm: /)]);
  });

  test('is asked where the pack says, as is a cluster of the stack itself', async () => {
    const asked: unknown[] = [];
    const read: StackOptions['read'] = (cluster, _, source) => {
      asked.push([cluster, source]);
      return Promise.resolve({ state: 'read', evidence: soundEvidence() });
    };
    for (const raw of [{}, production])
      await evidenceKnown.judgeStack(stackOf({ raw, read }), {
        sources: { shop: cat, ...(raw === production ? { crm: cat } : {}) },
      });
    expect(asked).toEqual([
      ['shop', cat],
      ['shop', cat],
    ]);
  });
});

describe('settings', () => {
  test.each([
    ['none at all', {}],
    ['no environment', { clusters: { shop: {} } }],
    ['a misspelt key', { ...production, cluster: {} }],
    ['a limit of nothing', { ...production, clusters: { shop: { backups: { maximumAge: '0 d' } } } }],
  ])('block when there is %s: each rule that judges the stack says so', async (_, raw) => {
    const said = await gate({ raw });
    for (const rule of blocking) expect(said[rule.name]).toHaveLength(1);
    expect(said['evidence-known']![0]).toContain('holdfast:');
  });

  test('a failure that nobody foresaw is no violation: it is thrown, and denies', async () => {
    const raw = new Proxy<Record<string, unknown>>(
      { a: 1 },
      {
        ownKeys: () => {
          throw new TypeError('broken');
        },
      },
    );
    await expect(judged(backupRecent, { raw })).rejects.toThrow('broken');
  });
});

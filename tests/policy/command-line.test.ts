import type { Evidence } from '../../core/evidence';
import { removeTempDirs } from '../support/temp';
import { ago, noTrace, soundBackup, soundEvidence } from './support/fixtures';
import { TestProgram, violatedRules, type Run } from './support/program';

/* The whole pack through Pulumi's own program. What each rule finds is tested beside; here it is that it counts. */

const hour = 3600;
const production = { environment: 'production', clusters: { shop: {} } };
const clock = () => new Date().toISOString();
const evidenceNow = (overrides: (at: string) => Partial<Evidence> = () => ({})): Evidence => {
  const at = clock();
  return soundEvidence(overrides(at), at);
};
const tooOld = () =>
  evidenceNow(at => ({
    backups: [soundBackup(at, { startedAt: ago(31 * hour, at), stoppedAt: ago(30 * hour, at) })],
  }));
const another = () => evidenceNow(() => ({ identity: { recorded: '73', found: '74', backedUp: '73' } }));
const breakGlass = (hoursAgo: number) => ({
  reason: 'repository host lost, ticket OPS-99',
  approver: 'ada@example.com',
  issued: ago(hoursAgo * hour, clock()),
  expires: ago((hoursAgo - 2) * hour, clock()),
});

let program: TestProgram;

beforeAll(async () => {
  program = await new TestProgram().init();
});
afterAll(removeTempDirs);

async function previewOf(run: Run) {
  const { code, stdout, stderr } = await program.preview(run);
  return { passes: code === 0, violated: violatedRules(stdout), output: stdout + stderr };
}

describe('in the order of a cluster’s life', () => {
  test('first provision: a preview passes without a backup, and says so', async () => {
    const { passes, violated, output } = await previewOf({
      settings: production,
      evidence: noTrace({}, clock()),
    });
    expect(output).toContain('first provision');
    expect([passes, violated]).toEqual([true, ['advisory gate-notice']]);
  });

  test('first provision: the update passes, and creates the cluster', async () => {
    const { code, stdout } = await program.update({ settings: production, evidence: noTrace({}, clock()) });
    expect([code, violatedRules(stdout)]).toEqual([0, ['advisory gate-notice']]);
    expect(program.marks()).toEqual(['first']);
  });

  test('with a recent, restorable, verified backup a change passes', async () => {
    const { code, stdout } = await program.update({
      settings: production,
      evidence: evidenceNow(),
      specification: 'second',
    });
    expect([code, violatedRules(stdout)]).toEqual([0, []]);
    expect(program.marks()).toEqual(['first', 'second']);
  });

  test('without one an update is denied: not even the program runs, no resource is touched, the state is kept', async () => {
    const [state, runs] = [await program.state(), program.runs()];
    const { code, stdout } = await program.update({
      settings: production,
      evidence: tooOld(),
      specification: 'third',
    });
    expect(code).not.toBe(0);
    expect(violatedRules(stdout)).toEqual(['mandatory backup-recent']);
    expect(stdout).toMatch(
      /cluster shop: .* is 30 h old; at most 26 h is allowed\n\s+fix: holdfast backup shop/,
    );
    expect(program.runs()).toEqual(runs);
    expect(program.marks()).toEqual(['first', 'second']);
    expect(await program.state()).toEqual(state);
  });

  test('valid break-glass lets the same change through, loudly', async () => {
    const { code, stdout } = await program.update({
      settings: { ...production, breakGlass: breakGlass(1) },
      evidence: tooOld(),
      specification: 'third',
    });
    expect([code, violatedRules(stdout).at(-1)]).toEqual([0, 'advisory gate-notice']);
    expect(stdout).toMatch(
      /BREAK-GLASS IS IN FORCE until .* approved by ada@example.com: repository host lost/,
    );
    expect(program.marks()).toEqual(['first', 'second', 'third']);
  });

  test.each([
    ['the evidence can’t be read', 'evidence-known', () => ({ settings: production })],
    [
      'break-glass has expired',
      'backup-recent',
      () => ({ settings: { ...production, breakGlass: breakGlass(3) }, evidence: tooOld() }),
    ],
  ])('an update is denied when %s, and the state is kept', async (_, rule, run) => {
    const [state, runs] = [await program.state(), program.runs()];
    const { code, stdout } = await program.update({ ...run(), specification: 'fourth' });
    expect(code).not.toBe(0);
    expect(violatedRules(stdout)).toContain(`mandatory ${rule}`);
    expect([program.runs(), await program.state()]).toEqual([runs, state]);
  });

  test('while the cluster is adopted an update passes, and says so', async () => {
    const evidence = evidenceNow(() => ({ phase: 'adopting', backups: [], restorable: null }));
    const { code, stdout } = await program.update({
      settings: production,
      evidence,
      specification: 'fourth',
    });
    expect(stdout).toContain('adoption');
    expect([code, violatedRules(stdout)]).toEqual([0, ['advisory gate-notice']]);
    expect(program.marks()).toEqual(['first', 'second', 'third', 'fourth']);
  });
});

describe('a preview', () => {
  test('is blocked without a recent backup', async () => {
    const { passes, violated } = await previewOf({ settings: production, evidence: tooOld() });
    expect([passes, violated]).toEqual([false, ['mandatory backup-recent']]);
  });

  test('is blocked when the evidence can’t be read', async () => {
    const { passes, output } = await previewOf({ settings: production });
    expect(passes).toBe(false);
    expect(output).toMatch(
      /mandatory.*evidence-known[^]*its evidence can’t be read: cat failed \(1\): .*No such file/,
    );
  });

  test('is blocked when what is printed is not evidence', async () => {
    const { passes, output } = await previewOf({ settings: production, evidence: '{"schema": 1' });
    expect(passes).toBe(false);
    expect(output).toContain('printed something else than JSON');
  });

  test('passes while a cluster is adopted', async () => {
    const evidence = evidenceNow(() => ({ phase: 'adopting', backups: [], restorable: null }));
    const { passes, output } = await previewOf({ settings: production, evidence });
    expect(output).toContain('adoption');
    expect(passes).toBe(true);
  });

  test('is blocked under expired break-glass, which is said', async () => {
    const settings = { ...production, breakGlass: breakGlass(3) };
    const { passes, violated, output } = await previewOf({ settings, evidence: tooOld() });
    expect([passes, violated.sort()]).toEqual([false, ['advisory gate-notice', 'mandatory backup-recent']]);
    expect(output).toMatch(/BREAK-GLASS counts as none: it expired/);
  });

  test('is blocked by another cluster’s data even under valid break-glass', async () => {
    const settings = { ...production, breakGlass: breakGlass(1) };
    const { passes, violated } = await previewOf({ settings, evidence: another() });
    expect(passes).toBe(false);
    expect(violated).toContain('mandatory evidence-known');
  });

  test('is blocked by an unprotected cluster even under valid break-glass', async () => {
    const settings = { ...production, breakGlass: breakGlass(1) };
    const { passes, violated } = await previewOf({ settings, evidence: evidenceNow(), unprotected: true });
    expect(passes).toBe(false);
    expect(violated).toContain('mandatory production-protected');
  });

  test('of staging is not held to the rules of production', async () => {
    const { passes, violated } = await previewOf({
      settings: { ...production, environment: 'staging' },
      evidence: evidenceNow(() => ({ environment: 'staging', backups: [] })),
      unprotected: true,
    });
    expect([passes, violated]).toEqual([true, []]);
  });

  test('is blocked by a secret in clear in the stack file, which Pulumi itself doesn’t tell', async () => {
    const settings = { ...production, alerts: { webhook: 'https://hooks.example.com/T0/B0' } };
    const { passes, violated, output } = await previewOf({ settings, evidence: evidenceNow() });
    expect([passes, violated]).toEqual([false, ['mandatory secrets-are-secret']]);
    expect(output).toContain('holdfast:alerts.webhook is in clear in ');
    expect(output).not.toContain('hooks.example.com');
  });

  test('of a stack without settings is blocked; with the pack’s sources it is gated by their clusters', async () => {
    const bare = await previewOf({ evidence: evidenceNow(), configuration: { 'evidence-known': {} } });
    expect(bare.passes).toBe(false);
    expect(bare.violated).toContain('mandatory evidence-known');
    const gated = await previewOf({ evidence: tooOld() });
    expect([gated.passes, gated.violated]).toEqual([false, ['mandatory backup-recent']]);
  });
});

describe('the pack’s configuration', () => {
  test('can make a limit stricter', async () => {
    const configuration = { 'backup-recent': { maximumAge: '2 h' } };
    const { passes, output } = await previewOf({
      settings: production,
      evidence: evidenceNow(),
      configuration,
    });
    expect(passes).toBe(false);
    expect(output).toContain('at most 2 h is allowed');
  });

  test('with a limit of nothing is refused before anything is judged', async () => {
    const configuration = { 'backup-recent': { maximumAge: '0 d' } };
    const { passes, output } = await previewOf({
      settings: production,
      evidence: evidenceNow(),
      configuration,
    });
    expect(passes).toBe(false);
    expect(output).toMatch(/maximumAge/);
  });

  test('with a misspelt key is a violation', async () => {
    const configuration = { 'backup-recent': { maximumAgee: '2 h' } };
    const { passes, output } = await previewOf({
      settings: production,
      evidence: evidenceNow(),
      configuration,
    });
    expect(passes).toBe(false);
    expect(output).toMatch(/the policy pack’s configuration is invalid: .*maximumAgee/);
  });
});

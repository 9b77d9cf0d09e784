import fs from 'node:fs';
import path from 'node:path';
import { stack as stackSettings } from '../../core/settings/stack';
import type { Engine } from '../../engines/engine';
import { ownProgram } from '../../jobs/program';
import { sshArguments, knownHostsLine } from '../../jobs/ssh';
import { readEvidence } from '../../policy/evidence/read';
import type { Source } from '../../policy/evidence/source';
import { rules } from '../../policy/pack';
import { Stack } from '../../policy/stack';
import { engineOf, patient, rows } from '../support/engine';
import { createCluster, dropHome, type TestCluster } from '../support/host-cluster';
import { run } from '../support/processes';
import { startSshd, type Sshd } from '../support/sshd';
import { removeTempDirs, tempDir } from '../support/temp';

/*
 * What the pack says of a real cluster, read on this machine and through the forced command of docs/policy.md. The rules
 * on the root resource are called as Pulumi calls them; Pulumi itself is in tests/policy and tests/integration.
 */

let cluster: TestCluster;
let engine: Engine;
let sshd: Sshd;
const before = process.env.HOLDFAST_HOME;

const now = () => new Date().toISOString();
const raw = { environment: 'production', clusters: { shop: {} } };
const settings = stackSettings.parse(raw);

/** The key of a CI may do this and nothing else. */
const forcedCommand = (home: string) =>
  `command="${process.execPath} ${ownProgram().file} --forwarded=program,ci host evidence --json --home ${home}",restrict`;

const overSsh = (): Extract<Source, { type: 'ssh' }> => ({
  ...sshd.connection,
  home: '/nowhere',
  node: 'node',
});

/** What all rules say on the root resource, by rule. */
async function violations(source?: Source): Promise<Record<string, readonly string[]>> {
  const stack = new Stack({
    now: now(),
    raw,
    read: (name, declared, given) =>
      readEvidence({ cluster: name, stack: 'test/production', settings: declared, source: given, now }),
    record: () => Promise.resolve(null),
    stackFile: () => ({ state: 'missing', reason: 'no test needs one' }),
  });
  const said: Record<string, readonly string[]> = {};
  for (const rule of rules) {
    const configuration =
      rule.name === 'evidence-known' && source !== undefined ? { sources: { shop: source } } : {};
    const found = await rule.judgeStack(stack, configuration);
    if (found.length > 0) said[rule.name] = found;
  }
  return said;
}

beforeAll(async () => {
  cluster = await createCluster();
  engine = engineOf(cluster);
  process.env.HOLDFAST_HOME = cluster.home;
  sshd = await startSshd({ keyOptions: forcedCommand(cluster.home) });
});

afterAll(async () => {
  if (before === undefined) delete process.env.HOLDFAST_HOME;
  else process.env.HOLDFAST_HOME = before;
  await sshd.stop();
  await dropHome(cluster.home);
  removeTempDirs();
});

test('a cluster that was just provisioned is let through without a backup, which is said', async () => {
  expect(Object.keys(await violations())).toEqual(['gate-notice']);
});

describe('with a verified backup', () => {
  beforeAll(async () => {
    await rows(engine, 'create table items as select generate_series(1, 1000) as id');
    const backup = await engine.backup('full', {}).wait(patient());
    const passed = {
      result: 'passed',
      at: now(),
      restoreSeconds: 3,
      replayBytesPerSecond: null,
      reason: null,
    } as const;
    await engine.recordVerification(backup.id, passed, {});
    await engine.establish();
    await engine.markRestorePoint('settled');
  });

  test('all rules pass, read on this machine', async () => {
    expect(await violations()).toEqual({});
  });

  test('all rules pass, read through the forced command', async () => {
    expect(await violations(overSsh())).toEqual({});
  });

  test('the forced command can read evidence and nothing else', async () => {
    const directory = tempDir(0o700);
    const [knownHosts, mark] = [path.join(directory, 'known_hosts'), path.join(directory, 'mark')];
    fs.writeFileSync(knownHosts, knownHostsLine(overSsh()));
    const { code, stdout } = await run('ssh', sshArguments(overSsh(), knownHosts, `touch ${mark}`), {
      input: '{"cluster":"shop"}\n',
    });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ schema: 1, cluster: 'shop', phase: 'established' });
    expect(fs.existsSync(mark)).toBe(false);
  });

  test('another host key is unknown, and blocks', async () => {
    const hostKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl';
    const said = await violations({ ...overSsh(), hostKey });
    expect(said['evidence-known']?.[0]).toMatch(
      /^cluster shop: its evidence can’t be read: .*can't be reached/,
    );
    expect(said['backup-recent']).toHaveLength(1);
  });

  test('a line of pg_hba.conf that lets anybody in is a violation', async () => {
    const file = path.join(cluster.paths.dataDirectory, 'pg_hba.conf');
    const saved = fs.readFileSync(file);
    try {
      fs.appendFileSync(file, 'host all all 127.0.0.1/32 trust\n');
      await rows(engine, 'select pg_reload_conf()');
      const said = await violations();
      expect(Object.keys(said)).toEqual(['connections-safe']);
      expect(said['connections-safe']![0]).toContain('(host all all 127.0.0.1/32 trust) lets anybody in');
    } finally {
      fs.writeFileSync(file, saved);
      await rows(engine, 'select pg_reload_conf()');
    }
  });
});

test('a cluster that the stack doesn’t declare is not asked', async () => {
  const reading = await readEvidence({
    cluster: 'crm',
    stack: 'test/production',
    settings,
    source: undefined,
    now,
  });
  expect(reading).toMatchObject({
    state: 'unreadable',
    problem: { remedy: 'declare it: holdfast:clusters.crm' },
  });
});

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { parse, stringify } from 'yaml';
import { parseStack } from '../../core/settings/parse';
import type { Engine } from '../../engines/engine';
import { recordDecision } from '../../policy/evidence/record';
import { engineOf } from '../support/engine';
import { createCluster, type TestCluster } from '../support/host-cluster';
import { run, until, type Ran } from '../support/processes';
import { startSshd, type Sshd } from '../support/sshd';
import { removeTempDirs, tempDir } from '../support/temp';

/*
 * A person in a project's directory works on a cluster that the stack file declares on another machine: here one behind a
 * real sshd on loopback. It doesn't prove what sudo does there.
 */

const { bundle } = createRequire(__filename)('../../scripts/bundle.cjs') as {
  bundle: (kind: 'machine', folder: string) => { file: string };
};

let cluster: TestCluster;
let engine: Engine;
let sshd: Sshd;
let program: string;
let project: string;

beforeAll(async () => {
  program = bundle('machine', tempDir()).file;
  cluster = await createCluster({ home: path.join(tempDir(0o700), 'a home') });
  engine = engineOf(cluster);
  const installed = path.join(cluster.home, 'program');
  fs.mkdirSync(installed, { recursive: true });
  fs.copyFileSync(program, path.join(installed, 'holdfast.cjs'));
  sshd = await startSshd();
  project = declare({});
});

afterAll(async () => {
  await sshd.stop();
  await cluster.drop();
  removeTempDirs();
});

/** A project whose stack `prod` has the cluster over SSH. */
function declare(connection: object): string {
  const directory = tempDir();
  const ssh = {
    ...sshd.connection,
    home: cluster.home,
    node: process.execPath,
    ...connection,
  };
  fs.writeFileSync(path.join(directory, 'Pulumi.yaml'), 'name: test\nruntime: nodejs\n');
  fs.writeFileSync(
    path.join(directory, 'Pulumi.prod.yaml'),
    stringify({
      config: { 'holdfast:environment': 'production', 'holdfast:clusters': { shop: { connection: ssh } } },
    }),
  );
  return directory;
}

const options = (cwd: string) => ({
  cwd,
  // Nothing of the cluster is here; what a killed command leaves is removed with the project.
  env: { ...process.env, HOLDFAST_HOME: path.join(cwd, 'home'), TMPDIR: cwd },
});

function holdfast(args: readonly string[], cwd = project): Promise<Ran> {
  return run(process.execPath, [program, ...args], options(cwd));
}

test('a command runs where the cluster is, and its result, progress and exit code come back', async () => {
  const ran = await holdfast(['backup', 'shop', '--json', '--change', "it's a change"]);
  expect(ran.code).toBe(0);
  expect(JSON.parse(ran.stdout)).toMatchObject({ kind: 'full', changeId: "it's a change" });
  expect(ran.stderr).not.toBe('');
  const busy = await engine.withLock('backup', 'the night shift', () => holdfast(['backup', 'shop']));
  expect(busy.code).toBe(6);
  expect(busy.stderr).toContain('the night shift');
});

test('the audit log there says who it was here', () => {
  const audit = fs.readFileSync(path.join(cluster.paths.root, 'audit.jsonl'), 'utf8');
  expect(JSON.parse(audit.split('\n')[0]!)).toMatchObject({
    what: 'backup incremental',
    who: `${os.userInfo().username}@${os.hostname()}`,
  });
});

test('what the gate decided here is in the audit log there', async () => {
  const { config } = parse(fs.readFileSync(path.join(project, 'Pulumi.prod.yaml'), 'utf8')) as {
    config: Record<string, unknown>;
  };
  const settings = parseStack({
    environment: config['holdfast:environment'],
    clusters: config['holdfast:clusters'],
  });
  const record = { cluster: 'shop', operation: 'update', stack: 'test/prod' } as const;
  const decision = { decision: 'blocked', reasons: ['recent is stale'] } as const;
  expect(await recordDecision({ ...record, ...decision }, settings, undefined)).toBeNull();
  const audit = fs.readFileSync(path.join(cluster.paths.root, 'audit.jsonl'), 'utf8').trim().split('\n');
  expect(JSON.parse(audit.at(-1)!)).toMatchObject({
    what: 'gate of update of test/prod',
    outcome: 'refused',
    detail: 'blocked; recent is stale',
    who: `${os.userInfo().username}@${os.hostname()}`,
  });
});

test('status asks the other machine', async () => {
  const ran = await holdfast(['status', '--json']);
  expect(ran.code).toBe(4);
  expect(JSON.parse(ran.stdout)).toMatchObject({
    clusters: [{ cluster: 'shop', state: 'reported', report: { evidence: { phase: 'provisioning' } } }],
  });
});

test('Ctrl-C here ends the job there, cleanly', async () => {
  const child = spawn(process.execPath, [program, 'verify', 'shop'], options(project));
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    if (!stderr.includes('restoring') && (stderr + chunk.toString()).includes('restoring'))
      child.kill('SIGINT');
    stderr += chunk.toString();
  });
  const code = await new Promise<number | null>(resolve => child.once('close', resolve));
  expect(stderr).toContain('interrupted by SIGINT');
  expect(code).toBe(130);
  expect(await engine.clones()).toEqual([]);
});

test('when this side is killed, the job there ends too', async () => {
  const child = spawn(process.execPath, [program, 'verify', 'shop'], { ...options(project), detached: true });
  await new Promise<void>(resolve => {
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
      if (stderr.includes('restoring')) resolve();
    });
  });
  child.kill('SIGKILL');
  await until('its clone is gone', async () => (await engine.clones()).length === 0);
});

test('without a person a restore over SSH is not confirmed', async () => {
  const ran = await holdfast(['restore', 'shop', '--latest', '--replace']);
  expect(ran.code).toBe(2);
  expect(ran.stderr).toContain('--yes');
});

test('another host key than the pinned one is refused', async () => {
  const other = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGRvZXNub3RleGlzdGRvZXNub3RleGlzdGRvZXNub3Q1';
  const ran = await holdfast(['backup', 'shop'], declare({ hostKey: other }));
  expect(ran.code).toBe(5);
  expect(ran.stderr).toMatch(/can't be reached: .*[Hh]ost key/);
});

test('a machine that doesn’t answer is a line of status, and an error of a command', async () => {
  const nobody = declare({ port: 1 });
  const status = await holdfast(['status', '--json'], nobody);
  expect(status.code).toBe(4);
  expect(JSON.parse(status.stdout)).toMatchObject({
    clusters: [{ cluster: 'shop', state: 'unreachable', environment: 'production', well: false }],
  });
  expect((await holdfast(['backup', 'shop'], nobody)).code).toBe(5);
});

test('a machine without Holdfast has the cluster not provisioned yet', async () => {
  const status = await holdfast(['status', '--json'], declare({ home: '/nowhere' }));
  expect(JSON.parse(status.stdout)).toMatchObject({ clusters: [{ state: 'not-provisioned', well: false }] });
});

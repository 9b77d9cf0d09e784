import { build } from 'esbuild';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { repositoryRoot } from '../support/pulumi';
import { run, until } from '../support/processes';
import { removeTempDirs, tempDir } from '../support/temp';
import { FakeProject, programs, type Behaviour } from './fake-project';

afterAll(removeTempDirs);

const main = ['--import', 'tsx', path.join(repositoryRoot, 'toolchain/main.ts')];

function environment(project: FakeProject, behaviour: Behaviour = {}): NodeJS.ProcessEnv {
  return { ...process.env, ...project.environment(behaviour), PULUMI_HOME: project.pulumiHome };
}

function install(project: FakeProject, behaviour: Behaviour = {}) {
  return run(process.execPath, [...main, project.directory], {
    cwd: repositoryRoot,
    env: environment(project, behaviour),
  });
}

test('of two at once one builds, and the other waits and finds everything installed', async () => {
  const project = new FakeProject();
  const [first, second] = await Promise.all([
    install(project, { build: 'slow' }),
    install(project, { build: 'slow' }),
  ]);
  expect([first.code, second.code]).toEqual([0, 0]);
  expect(project.calls().filter(call => call.startsWith('go'))).toEqual([
    'go build pulumi',
    'go build pulumi-language-nodejs',
    'go build pulumi-resource-command',
    'go build pulumi-resource-postgresql',
  ]);
  const waited = [first, second].filter(({ stderr }) => stderr.includes('waiting for it'));
  expect(waited).toHaveLength(1);
  expect(waited[0]?.stderr.match(/already-installed/g)).toHaveLength(3);
  expect(first.stdout).toBe(`${path.join(project.pulumiHome, programs.cli)}\n`);
  expect(second.stdout).toBe(first.stdout);
});

test('a build that is killed leaves nothing half-installed, and the next run completes', async () => {
  const project = new FakeProject();
  const killed = spawn(process.execPath, [...main, project.directory], {
    cwd: repositoryRoot,
    env: environment(project, { build: 'hangs' }),
    stdio: 'ignore',
  });
  const ended = new Promise(resolve => killed.once('close', resolve));
  await until('the build has begun', () => project.read('log.building') !== undefined);
  killed.kill('SIGKILL');
  await ended;
  for (const program of Object.values(programs))
    expect(fs.existsSync(path.join(project.pulumiHome, program))).toBe(false);
  expect(staging(project)).toHaveLength(1);

  const next = await install(project);
  expect(next.stderr).not.toContain('waiting for it');
  expect(next.code).toBe(0);
  for (const program of Object.values(programs)) expect(project.origin(program)).toBe('built');
  expect(staging(project)).toEqual([]);
});

test('errors are told with a hint and end with the exit code of their kind', async () => {
  const project = new FakeProject();
  const { code, stderr, stdout } = await install(project, { goVersion: 'go1.20' });
  expect(code).toBe(2);
  expect(stderr).toContain('installed is go1.20');
  expect(stderr).toContain('→ install Go 1.25 or newer');
  expect(stdout).toBe('');
});

test('where there is no flock, perl keeps the lock', async () => {
  const project = new FakeProject();
  for (const program of ['sh', 'perl', 'cat', 'cp', 'mkdir', 'basename', 'sleep'])
    fs.symlinkSync(await whereIs(program), path.join(project.bin, program));
  const env = { ...environment(project, { build: 'slow' }), PATH: project.bin };
  const start = () => run(process.execPath, [...main, project.directory], { cwd: repositoryRoot, env });
  const [first, second] = await Promise.all([start(), start()]);
  expect([first, second].map(({ stderr }) => stderr.includes('waiting for it')).sort()).toEqual([
    false,
    true,
  ]);
  expect(project.calls().filter(call => call.startsWith('go'))).toHaveLength(4);
});

test('the installer works from a bundle, too', async () => {
  const project = new FakeProject();
  const outfile = path.join(tempDir(), 'install.cjs');
  await build({
    entryPoints: [path.join(repositoryRoot, 'toolchain/main.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    logLevel: 'silent',
  });
  const { code, stdout } = await run(process.execPath, [outfile, project.directory], {
    env: environment(project),
  });
  expect(code).toBe(0);
  expect(stdout).toBe(`${path.join(project.pulumiHome, programs.cli)}\n`);
});

function staging(project: FakeProject): string[] {
  const parents = ['versions', 'plugins']
    .map(name => path.join(project.pulumiHome, name))
    .filter(fs.existsSync);
  return parents
    .flatMap(parent => fs.readdirSync(parent))
    .filter(name => name.startsWith('.holdfast-staging-'));
}

async function whereIs(program: string): Promise<string> {
  const { stdout } = await run('sh', ['-c', 'command -v "$1"', 'sh', program]);
  return fs.realpathSync(stdout.trim());
}

import fs from 'node:fs';
import path from 'node:path';
import { HoldfastError } from '../../core/errors';
import { ensureToolchain, type Toolchain, type ToolchainOptions } from '../../toolchain/install';
import { isAlive, until } from '../support/processes';
import { removeTempDirs } from '../support/temp';
import { FakeProject, programs, type Behaviour } from './fake-project';

const { PATH: originalPath } = process.env;
let project: FakeProject;
let lines: string[];

beforeEach(() => {
  project = new FakeProject();
  lines = [];
});
afterEach(() => {
  process.env.PATH = originalPath;
});
afterAll(removeTempDirs);

function ensure(behaviour: Behaviour = {}, options: Partial<ToolchainOptions> = {}): Promise<Toolchain> {
  process.env.PATH = originalPath;
  Object.assign(process.env, project.environment(behaviour));
  return ensureToolchain({
    projectDirectory: project.directory,
    pulumiHome: project.pulumiHome,
    report: line => lines.push(line),
    ...options,
  });
}

const outcomes = ({ steps }: Toolchain) => steps.map(step => step.outcome);
const all = (outcome: string) => [outcome, outcome, outcome];
const everyProgram = Object.values(programs);
const withMarkers = [
  ...everyProgram,
  ...new Set(
    everyProgram.map(program => path.join(program.split('/').slice(0, 2).join('/'), '.holdfast-build.json')),
  ),
].sort();

test('what is installed is left alone, and nothing is run', async () => {
  for (const program of everyProgram) project.installOfficial(program);
  const toolchain = await ensure();
  expect(outcomes(toolchain)).toEqual(all('already-installed'));
  expect(toolchain.pulumi).toBe(path.join(project.pulumiHome, programs.cli));
  expect(project.calls()).toEqual([]);
  expect(lines).toEqual([]);
});

test("what isn't is downloaded the way Pulumi does, plugins with the CLI that came first", async () => {
  expect(outcomes(await ensure({ download: 'works' }))).toEqual(all('downloaded'));
  expect(project.calls()).toEqual([
    'pulumi version',
    'pulumi plugin install resource command 1.2.1',
    'pulumi plugin install resource postgresql 3.18.1',
  ]);
  expect(project.installed()).toEqual([...everyProgram].sort());
  expect(everyProgram.map(program => project.origin(program))).toEqual(everyProgram.map(() => 'downloaded'));
});

test('what can’t be downloaded is built, says why, and is found by the next run', async () => {
  const toolchain = await ensure();
  expect(outcomes(toolchain)).toEqual(all('built'));
  for (const { reason } of toolchain.steps)
    expect(reason).toBe('not installed; download failed: connection refused');
  expect(lines).toContain(
    'Pulumi CLI 3.259.0: download failed (connection refused); building it with go1.26.0, 3 to 4 minutes the first time',
  );
  expect(project.installed()).toEqual(withMarkers);
  for (const program of everyProgram)
    expect(fs.statSync(path.join(project.pulumiHome, program)).mode & 0o777).toBe(0o755);
  project.calls();
  expect(outcomes(await ensure({ download: 'works' }))).toEqual(all('already-installed'));
  expect(project.calls()).toEqual([]);
});

test('a download that hangs is given up, and leaves no process', async () => {
  const toolchain = await ensure({ download: 'hangs' }, { stallMilliseconds: 700 });
  expect(outcomes(toolchain)).toEqual(all('built'));
  expect(toolchain.steps[0]?.reason).toBe('not installed; download failed: no progress for 1 s');
  const hanging = Number(project.read('log.hanging'));
  expect(hanging).toBeGreaterThan(1);
  await until('the hanging download is gone', () => !isAlive(hanging));
  expect(project.installed()).toEqual(withMarkers);
});

test('a download that moves, however slowly, is waited for', async () => {
  expect(outcomes(await ensure({ download: 'slow' }, { stallMilliseconds: 3000 }))).toEqual(
    all('downloaded'),
  );
});

test('a download that comes without its programs is no installation', async () => {
  const toolchain = await ensure({ download: 'incomplete' });
  expect(outcomes(toolchain)).toEqual(all('built'));
  expect(toolchain.steps[0]?.reason).toContain('what came lacks a program');
  expect(project.installed()).toEqual(withMarkers);
});

test('changed sources rebuild what was built from them, and nothing else', async () => {
  await ensure();
  project.calls();
  project.write('toolchain/internal/command/provider.go', 'changed');
  const toolchain = await ensure();
  expect(outcomes(toolchain)).toEqual(['already-installed', 'built', 'already-installed']);
  expect(toolchain.steps[1]?.reason).toContain('built here from older sources');
  expect(project.calls().filter(call => call.startsWith('go'))).toEqual(['go build pulumi-resource-command']);
  expect(project.installed()).toEqual(withMarkers);
});

test('changed tests rebuild nothing', async () => {
  await ensure();
  project.write('toolchain/internal/command/provider_test.go', 'new');
  expect(outcomes(await ensure())).toEqual(all('already-installed'));
});

test('what was built here gives way to the official one once that can be downloaded', async () => {
  await ensure();
  project.write('toolchain/go.mod', 'changed');
  expect(outcomes(await ensure({ download: 'works' }))).toEqual(all('downloaded'));
  expect(project.installed()).toEqual([...everyProgram].sort());
});

test('an official installation is never touched, whatever the sources', async () => {
  project.installOfficial(programs.command);
  await ensure();
  project.write('toolchain/go.mod', 'changed');
  expect(outcomes(await ensure())).toEqual(['built', 'already-installed', 'built']);
  expect(project.origin(programs.command)).toBe('official');
});

test('a plugin whose download Pulumi itself did not finish is installed', async () => {
  project.installOfficial(programs.command);
  project.write('pulumi home/plugins/resource-command-v1.2.1.partial', '');
  expect(outcomes(await ensure())).toEqual(all('built'));
  expect(project.installed()).toEqual(withMarkers);
});

test('a CLI without its language host, which is not ours to remove, is refused', async () => {
  project.installOfficial(programs.cli);
  await expect(ensure()).rejects.toMatchObject({
    code: 'configuration',
    message: expect.stringContaining('bin/pulumi-language-nodejs') as string,
    hint: expect.stringContaining('remove') as string,
  });
  expect(project.origin(programs.cli)).toBe('official');
});

test.each([
  ['too old', 'go1.24.9', 'installed is go1.24.9'],
  ['something else', 'devel', 'installed is what answers "go version devel linux/amd64"'],
])('Go that is %s is refused with what to install', async (_what, goVersion, message) => {
  await expect(ensure({ goVersion })).rejects.toMatchObject({
    code: 'configuration',
    message: expect.stringContaining(message) as string,
    hint: expect.stringContaining('install Go 1.25 or newer') as string,
  });
  expect(project.installed()).toEqual([]);
});

test('without Go the error says what to install', async () => {
  fs.rmSync(path.join(project.bin, 'go'));
  for (const program of ['sh', 'flock', 'cat', 'mkdir', 'env'])
    fs.symlinkSync(fs.realpathSync(which(program)), path.join(project.bin, program));
  Object.assign(process.env, project.environment({}), { PATH: project.bin });
  const ensured = ensureToolchain({
    projectDirectory: project.directory,
    pulumiHome: project.pulumiHome,
    report: line => lines.push(line),
  });
  await expect(ensured).rejects.toBeInstanceOf(HoldfastError);
  await expect(ensured).rejects.toMatchObject({
    code: 'configuration',
    message: expect.stringContaining("Go 1.25 or newer, which isn't installed") as string,
  });
});

test('a failing build says what Go said and leaves nothing', async () => {
  await expect(ensure({ build: 'fails' })).rejects.toMatchObject({
    code: 'engine-failed',
    message: 'go build of pulumi failed:\nundefined: something',
  });
  expect(project.installed()).toEqual([]);
  expect(fs.readdirSync(path.join(project.pulumiHome, 'versions'))).toEqual([]);
});

test('an abort ends the build with its processes and leaves nothing', async () => {
  const abort = new AbortController();
  const ensured = ensure({ build: 'hangs' }, { signal: abort.signal });
  const settled = expect(ensured).rejects.toThrow('enough');
  await until('the build has begun', () => project.read('log.building') !== undefined);
  abort.abort(new Error('enough'));
  await settled;
  expect(project.installed()).toEqual([]);
});

function which(program: string): string {
  for (const directory of (originalPath ?? '').split(path.delimiter)) {
    const file = path.join(directory, program);
    if (fs.existsSync(file)) return file;
  }
  throw new Error(`${program} is not installed`);
}

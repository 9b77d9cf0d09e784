import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { Pulumi } from '../../jobs/pulumi/pulumi';
import { hasChanges, preview } from '../../jobs/pulumi/preview';
import { readDeployment, readLocks, stackExists } from '../../jobs/pulumi/backend';
import { isAlive, orphansOf } from '../../jobs/pulumi/orphans';
import { settleStack } from '../../jobs/pulumi/settle';
import { until } from '../support/processes';
import { pulumiProgram, repositoryRoot } from '../support/pulumi';
import { removeTempDirs, tempDir } from '../support/temp';

afterAll(removeTempDirs);

/** A project with one command; `command` may change between two updates. */
function makeProject(env: Readonly<Record<string, string>> = {}) {
  const directory = tempDir();
  const state = path.join(directory, 'state with a space');
  fs.mkdirSync(state);
  fs.writeFileSync(path.join(directory, 'Pulumi.yaml'), 'name: tried\nruntime: nodejs\nmain: index.js\n');
  fs.writeFileSync(path.join(directory, 'package.json'), '{}');
  fs.symlinkSync(path.join(repositoryRoot, 'node_modules'), path.join(directory, 'node_modules'));
  const setCommand = (create: string) =>
    fs.writeFileSync(
      path.join(directory, 'index.js'),
      `const { local } = require('@pulumi/command');\nnew local.Command('slow', { create: ${JSON.stringify(create)} });\n`,
    );
  const pulumi = new Pulumi({
    program: pulumiProgram(),
    project: directory,
    env: {
      PULUMI_BACKEND_URL: pathToFileURL(state).href,
      PULUMI_CONFIG_PASSPHRASE: 'tried',
      PULUMI_SKIP_UPDATE_CHECK: 'true',
      ...env,
    },
    signal: new AbortController().signal,
  });
  const place = { stateDirectory: state, project: 'tried', stack: 'one' };
  const log = path.join(directory, 'up.log');
  const lines: string[] = [];
  const update = () =>
    pulumi.follow(['up', '--yes', '--stack', 'one'], { log, onLine: line => lines.push(line) });
  const settle = (said: string[] = []) =>
    settleStack({ pulumi, place, report: line => said.push(line), signal: new AbortController().signal });
  return { directory, pulumi, place, lines, setCommand, update, settle };
}

test('after an update that was killed, its lock, its commands and its pending steps are settled', async () => {
  const { directory, pulumi, place, setCommand, update, settle } = makeProject();
  expect(stackExists(place)).toBe(false);
  await pulumi.succeed(['stack', 'init', 'one', '--no-select']);
  expect(stackExists(place)).toBe(true);

  const started = path.join(directory, 'started');
  setCommand(`touch '${started}' && exec sleep 600`);
  const killed = update();
  await until('the command runs', () => fs.existsSync(started));
  const [lock] = readLocks(place);
  process.kill(lock!.pid, 'SIGKILL');
  expect(await killed).toBeNull();
  const orphans = orphansOf(lock!.pid);
  expect(orphans.length).toBeGreaterThan(0);
  expect(readDeployment(place)?.pending_operations).toHaveLength(1);

  const said: string[] = [];
  await settle(said);
  expect(said).toEqual([
    'one: an earlier update was killed; taking its lock away',
    'one: finding out what became of 1 interrupted steps',
  ]);
  expect(readLocks(place)).toEqual([]);
  expect(orphans.filter(isAlive)).toEqual([]);
  expect(readDeployment(place)?.pending_operations ?? []).toEqual([]);

  setCommand('echo done');
  expect(hasChanges(await preview(pulumi, 'one'))).toBe(true);
  expect(await update()).toBe(0);
  expect(hasChanges(await preview(pulumi, 'one'))).toBe(false);
});

test('an update that still runs is waited for', async () => {
  const { directory, pulumi, place, lines, setCommand, update, settle } = makeProject();
  await pulumi.succeed(['stack', 'init', 'one', '--no-select']);
  const [started, goOn] = [path.join(directory, 'started'), path.join(directory, 'go-on')];
  setCommand(`touch '${started}'; until [ -e '${goOn}' ]; do sleep 0.1; done; echo went on`);
  const running = update();
  await until('the command runs', () => fs.existsSync(started));
  const said: string[] = [];
  const settled = settle(said);
  await until('it is waited for', () => said.length > 0);
  fs.writeFileSync(goOn, '');
  await settled;
  expect(await running).toBe(0);
  expect(said).toEqual([expect.stringContaining('one: waiting for the update that runs already')]);
  expect(lines.join('\n')).toContain('went on');
  expect(readDeployment(place)?.resources).toHaveLength(3);
});

test('a lock of another machine is left alone', async () => {
  const { place, pulumi, settle } = makeProject();
  await pulumi.succeed(['stack', 'init', 'one', '--no-select']);
  const locks = path.join(place.stateDirectory, '.pulumi/locks/organization/tried/one');
  fs.mkdirSync(locks, { recursive: true });
  const lock = {
    pid: 1,
    username: 'ada',
    hostname: `not-${os.hostname()}`,
    timestamp: '2026-01-02T03:04:05Z',
  };
  fs.writeFileSync(path.join(locks, 'x.json'), JSON.stringify(lock));
  await expect(settle()).rejects.toThrow(/updated by ada@not-/);
});

test('a preview that fails says why', async () => {
  const { pulumi, directory } = makeProject();
  await pulumi.succeed(['stack', 'init', 'one', '--no-select']);
  fs.writeFileSync(
    path.join(directory, 'index.js'), // Without its stack, which Pulumi would inspect for half a minute.
    "const { RunError } = require('@pulumi/pulumi');\nthrow Object.assign(new RunError('the moon is full'), { stack: '' });\n",
  );
  await expect(preview(pulumi, 'one')).rejects.toThrow(/preview of one failed:[^]*the moon is full/);
});

test('a preview that a policy blocks says which, and why', async () => {
  const pack = tempDir();
  fs.writeFileSync(
    path.join(pack, 'PulumiPolicy.yaml'),
    'runtime: {name: nodejs, options: {typescript: false}}\nmain: index.js\n',
  );
  fs.writeFileSync(path.join(pack, 'package.json'), '{"version": "1.0.0"}');
  fs.symlinkSync(path.join(repositoryRoot, 'node_modules'), path.join(pack, 'node_modules'));
  fs.writeFileSync(
    path.join(pack, 'index.js'),
    `const { PolicyPack } = require('@pulumi/policy');
new PolicyPack('tried', {
  policies: [{
    name: 'no-tides',
    description: 'Nothing is changed at high tide.',
    enforcementLevel: 'mandatory',
    validateResource: (args, report) => {
      if (args.type === 'pulumi:pulumi:Stack') report('the tide is high');
    },
  }],
});
`,
  );
  const { pulumi, setCommand } = makeProject({ PULUMI_OPTION_POLICY_PACK: pack });
  setCommand('true');
  await pulumi.succeed(['stack', 'init', 'one', '--no-select']);
  await expect(preview(pulumi, 'one')).rejects.toMatchObject({
    code: 'refused',
    message: expect.stringMatching(
      /^the preview of one failed:[^]*\[mandatory\][^]*no-tides[^]*the tide is high/,
    ) as string,
  });
});

import fs from 'node:fs';
import path from 'node:path';
import { ensureToolchain } from '../../toolchain/install';
import { until } from '../support/processes';
import { repositoryRoot, Workspace } from '../support/pulumi';
import { removeTempDirs, tempDir } from '../support/temp';

const directory = fs.realpathSync(tempDir());
const workspace = new Workspace({ project: directory, policyPack: path.join(directory, 'a pack') });

beforeAll(async () => {
  await ensureToolchain({ projectDirectory: repositoryRoot, report: () => undefined });
  const write = (name: string, contents: string) => {
    fs.mkdirSync(path.dirname(path.join(directory, name)), { recursive: true });
    fs.writeFileSync(path.join(directory, name), contents);
  };
  write(
    'Pulumi.yaml',
    'name: hosted\nruntime: { name: nodejs, options: { tsconfig: tsconfig.program.json } }\n',
  );
  write('package.json', '{ "name": "hosted", "main": "program.ts" }');
  write('tsconfig.program.json', '{ "compilerOptions": { "noCheck": true, "strict": true } }');
  write('program.ts', program);
  write('a pack/PulumiPolicy.yaml', 'runtime: { name: nodejs, options: { typescript: false } }\n');
  write('a pack/package.json', '{ "name": "pack", "version": "1.0.0" }');
  write('a pack/index.js', pack);
  fs.symlinkSync(path.join(repositoryRoot, 'node_modules'), path.join(directory, 'node_modules'));
  await workspace.succeed(['stack', 'init', 'test']);
  await workspace.succeed(['config', 'set', 'word', 'plain']);
  await workspace.succeed(['config', 'set', '--secret', 'password', 'hidden in the stack']);
});
afterAll(removeTempDirs);

// The wrong type is one that `noCheck`, found through the tsconfig option alone, lets through.
const program = `
import * as pulumi from '@pulumi/pulumi';
import * as fs from 'node:fs';
const config = new pulumi.Config();
const wrong: number = 'noCheck is honoured';
const mode: string | undefined = config.get('mode');
if (mode === 'throws') throw new Error('the program says so');
if (mode === 'exits') process.exit(5);
if (mode === 'hangs') {
  fs.writeFileSync('started', String(process.pid));
  process.on('SIGINT', () => { fs.writeFileSync('interrupted', ''); process.exit(1); });
  setInterval(() => undefined, 1000);
}
export const seen = [wrong, config.require('word'), pulumi.getProject(), pulumi.getStack(), pulumi.getOrganization()];
export const password = config.requireSecret('password');
`;

const pack = `
const { PolicyPack } = require('@pulumi/policy');
const pulumi = require('@pulumi/pulumi');
new PolicyPack('pack', { policies: [{
  name: 'sees', description: 'reports what a policy sees', enforcementLevel: 'mandatory',
  validateResource: (resource, report) => {
    const config = new pulumi.Config('hosted');
    if (resource.type === 'pulumi:pulumi:Stack' && config.get('mode') === 'denied')
      report(['saw', pulumi.getStack(), pulumi.runtime.isDryRun(), config.get('word'), process.cwd()].join('|'));
  },
}] });
`;

const setMode = (mode: string) => workspace.succeed(['config', 'set', 'mode', mode]);

test('a TypeScript program gets its configuration, and passes a policy pack', async () => {
  await workspace.succeed(['up', '--yes', '--skip-preview', '--stack', 'test']);
  expect(await workspace.outputs('test')).toEqual({
    seen: ['noCheck is honoured', 'plain', 'hosted', 'test', 'organization'],
    password: 'hidden in the stack',
  });
});

test('a policy sees the stack, its configuration and whether it is a preview, and stops both', async () => {
  await setMode('denied');
  const cwd = path.join(directory, 'a pack');
  const preview = await workspace.run(['preview', '--stack', 'test']);
  expect(preview.code).not.toBe(0);
  expect(preview.stdout).toContain(`saw|test|true|plain|${cwd}`);
  const update = await workspace.run(['up', '--yes', '--skip-preview', '--stack', 'test']);
  expect(update.code).not.toBe(0);
  expect(update.stdout).toContain(`saw|test|false|plain|${cwd}`);
});

test("a program's error is told once, an exit with its code", async () => {
  await setMode('throws');
  const thrown = await workspace.run(['preview', '--stack', 'test']);
  expect(thrown.code).not.toBe(0);
  expect(thrown.stdout).toContain('the program says so');
  expect(thrown.stdout).not.toContain('exited with code');
  await setMode('exits');
  const exited = await workspace.run(['preview', '--stack', 'test']);
  expect(exited.code).not.toBe(0);
  expect(exited.stdout).toContain('the program exited with code 5');
});

test('an interrupt reaches the program, and the command ends', async () => {
  await setMode('hangs');
  const child = workspace.start(['preview', '--stack', 'test']);
  const ended = new Promise(resolve => child.once('close', resolve));
  child.stdout?.resume();
  child.stderr?.resume();
  await until('the program runs', () => fs.existsSync(path.join(directory, 'started')));
  child.kill('SIGINT');
  await until('the program was interrupted', () => fs.existsSync(path.join(directory, 'interrupted')));
  expect(await ended).not.toBe(0);
});

import fs from 'node:fs';
import path from 'node:path';
import { until } from '../support/processes';
import { repositoryRoot } from '../support/pulumi';
import { removeTempDirs, tempDir } from '../support/temp';
import { ensureToolchain } from '../../toolchain/install';
import { CommandProject, type Resources, type Updated } from './command-project';

const type = 'command.local.Command';
const project = new CommandProject({ INHERITED: 'inherited' });
const directory = fs.realpathSync(tempDir());
/** Where commands write down that they ran. */
const log = path.join(directory, 'log');
const note = (what: string) => `echo '${what}' >>'${log}'`;

function logged(): string[] {
  const lines = fs.existsSync(log) ? fs.readFileSync(log, 'utf8').split('\n').filter(Boolean) : [];
  fs.rmSync(log, { force: true });
  return lines.sort();
}

const resources = (change: Partial<Record<keyof typeof original, Record<string, unknown>>> = {}): Resources =>
  Object.fromEntries(
    Object.entries(original).map(([name, args]) => [
      name,
      // Last, so that its failure stops none of the others.
      {
        type,
        args: { ...args, ...change[name as keyof typeof original] },
        after: name === 'failing' ? others : [],
      },
    ]),
  );

const original = {
  lifecycle: {
    create: `${note('create')}; echo made`,
    update: `echo "after $PULUMI_COMMAND_STDOUT"`,
    delete: `echo "delete after $PULUMI_COMMAND_STDOUT" >>'${log}'`,
    environment: { CHANGES: 'no' },
  },
  createOnly: { create: note('create or update'), stdin: 'one' },
  forgetful: {
    create: 'echo "<$PULUMI_COMMAND_STDOUT>"',
    addPreviousOutputInEnv: false,
    environment: { CHANGES: 'no' },
  },
  triggered: {
    create: note('triggered create'),
    delete: note('triggered delete'),
    triggers: ['one', { deep: 1 }],
  },
  surroundings: {
    create: 'cat; echo " $GIVEN $INHERITED"; pwd; echo problem >&2',
    stdin: 'input',
    environment: { GIVEN: `it's "given"` },
    dir: directory,
  },
  interpreted: { create: 'console.log(6 * 7)', interpreter: ['node', '-e'] },
  quiet: { create: 'echo out; echo err >&2', logging: 'none' },
  loud: { create: 'echo out; echo err >&2', logging: 'stderr' },
  secretive: {
    create: 'echo $(wc -c) ${#PASSWORD}',
    stdin: { $secret: 'top secret' },
    environment: { PASSWORD: { $secret: 'top secret password' } },
  },
  failing: {
    create: 'true',
    update: 'echo half done; echo the reason >&2; exit 7',
    environment: { CHANGES: 'no' },
  },
  untouched: { create: note('untouched') },
};

const others = Object.keys(original).filter(name => name !== 'failing');
let first: Updated;

beforeAll(async () => {
  await ensureToolchain({ projectDirectory: repositoryRoot, report: () => undefined });
  await project.create();
  first = await project.up(resources());
  expect(first.errors()).toBe('');
});
afterAll(removeTempDirs);

test('create runs once for each resource, and deletes nothing', () => {
  expect(logged()).toEqual(['create', 'create or update', 'triggered create', 'untouched']);
});

test('a command gets its input, environment and directory, and its streams become outputs', async () => {
  const { outputs } = await project.state('surroundings');
  expect(outputs.stdout).toBe(`input it's "given" inherited\n${directory}`);
  expect(outputs.stderr).toBe('problem');
});

test('another interpreter runs the command', async () => {
  expect((await project.state('interpreted')).outputs.stdout).toBe('42');
});

test('logging says what is shown and not what is captured', async () => {
  expect(first.shown('surroundings').sort()).toContain('problem');
  expect(first.shown('quiet')).toEqual([]);
  expect(first.shown('loud')).toEqual(['err']);
  const { outputs } = await project.state('quiet');
  expect([outputs.stdout, outputs.stderr]).toEqual(['out', 'err']);
});

test('secret inputs reach the command and are nowhere in clear', async () => {
  expect((await project.state('secretive')).outputs.stdout).toBe('10 19');
  const contents = project.backendContents();
  expect(contents.includes('command:local:Command::secretive')).toBe(true);
  expect(contents.includes('top secret')).toBe(false);
});

const changed = {
  lifecycle: { environment: { CHANGES: 'yes' } },
  createOnly: { stdin: 'two' },
  forgetful: { environment: { CHANGES: 'yes' } },
  triggered: { triggers: ['one', { deep: 2 }] },
  failing: { environment: { CHANGES: 'yes' } },
};

describe('after a change', () => {
  let second: Updated;

  beforeAll(async () => {
    second = await project.up(resources(changed));
  });

  test('update runs, or create where there is none; triggers create anew, then delete; the rest is left alone', () => {
    expect(second.steps.lifecycle).toEqual(['update']);
    expect(second.steps.createOnly).toEqual(['update']);
    expect(second.steps.triggered).toEqual(expect.arrayContaining(['create-replacement', 'replace']));
    expect(second.steps.untouched).toEqual(['same']);
    expect(logged()).toEqual(expect.arrayContaining(['create or update', 'triggered create']));
  });

  test('the next run finds what the last one printed, unless it declines', async () => {
    expect((await project.state('lifecycle')).outputs.stdout).toBe('after made');
    expect((await project.state('forgetful')).outputs.stdout).toBe('<>');
  });

  test('a failing command says exit code, command and what it printed, and the state keeps the old inputs', async () => {
    expect(second.code).not.toBe(0);
    const message = second.errors('failing');
    expect(message).toContain('exit status 7');
    expect(message).toContain('the reason');
    expect(message).toContain('half done');
    expect((await project.state('failing')).inputs.environment).toEqual({ CHANGES: 'no' });
  });

  test('the next update tries the failed one again, and destroy runs delete with the last output', async () => {
    const third = await project.up(
      resources({ ...changed, failing: { ...changed.failing, update: 'true' } }),
    );
    expect(third.errors()).toBe('');
    expect(third.steps.failing).toEqual(['update']);
    expect(third.steps.createOnly).toEqual(['same']);
    logged();
    const destroyed = await project.destroy();
    expect(destroyed.errors()).toBe('');
    expect(logged()).toEqual(['delete after after made', 'triggered delete']);
  });
});

test('an interrupt reaches the command and what it started, and they can clean up', async () => {
  const at = (name: string) => path.join(directory, name);
  const inner = `trap 'touch ${at('cleaned')}; exit 1' INT; touch ${at('started')}; while :; do sleep 0.1; done`;
  const child = project.startUp({ long: { type, args: { create: `sh -c "${inner}"; true` } } });
  const ended = new Promise(resolve => child.once('close', resolve));
  child.stdout?.resume();
  child.stderr?.resume();
  await until('the command runs', () => fs.existsSync(at('started')));
  child.kill('SIGINT');
  await until('it has cleaned up', () => fs.existsSync(at('cleaned')));
  expect(await ended).not.toBe(0);
});

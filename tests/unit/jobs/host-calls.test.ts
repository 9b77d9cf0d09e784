import fs from 'node:fs';
import path from 'node:path';
import { inspect } from 'node:util';
import {
  inspectCluster,
  readEvidence,
  recordGateAt,
  snapshotCluster,
  verdictOn,
} from '../../../jobs/host-calls';
import { placeOf } from '../../../jobs/where';
import { specify } from '../../support/host-cluster';
import { removeTempDirs, tempDir } from '../../support/temp';
import { soundEvidence } from './fake-engine';

const own = { file: path.join(tempDir(), 'holdfast.cjs'), hash: '' };
jest.mock('../../../jobs/program', () => ({ ownProgram: () => own }));

const searched = process.env.PATH;
let machine: string;

/** Answers with who it is, what it was asked and what it read; it is larger than what a pipe holds. */
const answering = (who: string) => `
  let text = '';
  process.stdin.on('data', chunk => {
    text += chunk;
    if (!text.endsWith('\\n')) return;
    console.error('at work');
    const args = process.argv.slice(2), read = JSON.parse(text);
    console.log(JSON.stringify({ who: '${who}', args, read: Object.keys(read) }));
    process.exit();
  });
  //${'x'.repeat(300_000)}`;

/** Puts an `ssh` first on the PATH that runs what it is told here, in place of the machine. */
beforeEach(() => {
  machine = tempDir();
  fs.mkdirSync(path.join(machine, 'tmp'));
  sshIs(`for word; do command="$word"; done\nTMPDIR='${machine}/tmp' exec sh -c "$command"`);
  process.env.PATH = `${machine}:${searched}`;
  fs.writeFileSync(own.file, answering('carried'));
});
afterEach(() => {
  process.env.PATH = searched;
});
afterAll(removeTempDirs);

const sshIs = (script: string) =>
  fs.writeFileSync(path.join(machine, 'ssh'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
const prints = (text: string) => sshIs(`cat <<'END'\n${text}\nEND`);

function install(text: string): void {
  fs.mkdirSync(path.join(machine, 'hold fast/program'), { recursive: true });
  fs.writeFileSync(path.join(machine, 'hold fast/program/holdfast.cjs'), text);
}

const specified = () =>
  specify({
    cluster: {
      connection: {
        type: 'ssh',
        host: 'db.example.com',
        user: 'deploy',
        privateKeyPath: '/k',
        hostKey: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGRvZXNub3RleGlzdGRvZXNub3RleGlzdGRvZXNub3Q1',
        home: path.join(machine, 'hold fast'),
        node: process.execPath,
      },
    },
  });
const call = { home: '/nowhere' };
const asked = (verb: string): unknown[] => [
  expect.stringMatching(/^--forwarded=program,/),
  ...['host', verb, '--json', '--home', path.join(machine, 'hold fast')],
];

describe('a machine over SSH', () => {
  test('is asked by the installed program', async () => {
    install(answering('installed'));
    expect(await readEvidence(specified(), call)).toEqual({
      who: 'installed',
      args: asked('evidence'),
      read: ['cluster', 'specification'],
    });
  });

  test('without a program is asked by this machine’s, of which nothing stays there', async () => {
    const specification = specified();
    const change = { cluster: 'shop', change: 'c', dryRun: false, breakGlass: { state: 'none' } } as const;
    const carried = (verb: string, ...read: string[]) => ({ who: 'carried', args: asked(verb), read });
    expect(await readEvidence(specification, call)).toEqual(carried('evidence', 'cluster', 'specification'));
    expect(await inspectCluster(specification, call)).toEqual(carried('inspect', 'cluster', 'specification'));
    const snapshot = snapshotCluster({ ...change, specification }, call);
    expect(await snapshot).toEqual(carried('snapshot', ...Object.keys(change), 'specification'));
    const decided = { operation: 'update', stack: 's', decision: 'allowed', reasons: [] } as const;
    await recordGateAt(placeOf(specification.settings), { cluster: 'shop', ...decided }, call);
    expect(fs.readdirSync(path.join(machine, 'tmp'))).toEqual([]);
    expect(fs.readdirSync(machine).sort()).toEqual(['ssh', 'tmp']);
  });

  test('tells what it does, and nothing of a program that isn’t there', async () => {
    const said: string[] = [];
    const watch = { ...call, onLine: (line: string) => said.push(line) };
    await readEvidence(specified(), watch);
    install(answering('installed'));
    await readEvidence(specified(), watch);
    expect(said).toEqual(['at work', 'at work']);
  });

  test('on which neither can run says why, and keeps nothing of this one', async () => {
    fs.writeFileSync(own.file, 'throw new Error("it is broken");');
    await expect(readEvidence(specified(), call)).rejects.toMatchObject({
      code: 'engine-failed',
      message: 'holdfast host evidence ended with 1: Error: it is broken',
    });
    expect(fs.readdirSync(path.join(machine, 'tmp'))).toEqual([]);
    // A forced command, for example, of a program that is gone: never taken for a machine that is new.
    sshIs(`exec ${process.execPath} /nowhere/holdfast.cjs`);
    await expect(readEvidence(specified(), call)).rejects.toMatchObject({
      code: 'engine-failed',
      message: expect.stringContaining("Cannot find module '/nowhere/holdfast.cjs'") as string,
    });
  });

  test('that prints something else than JSON is not quoted: it may be a password', async () => {
    prints('x hunter2');
    const error: unknown = await inspectCluster(specified(), call).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ message: 'holdfast host inspect printed something else than JSON' });
    expect(inspect(error, { depth: 9 })).not.toContain('hunter2');
  });

  test('has the verdict of its evidence, and is unknown where it can’t be told', async () => {
    prints(JSON.stringify(soundEvidence()));
    expect(await verdictOn(specified(), call)).toBe('fresh');
    prints('not evidence');
    expect(await verdictOn(specified(), call)).toBe('unknown');
  });

  test('that hangs and is given up is not waited for', async () => {
    sshIs('exec sleep 600');
    const abort = new AbortController();
    const waiting = readEvidence(specified(), { ...call, signal: abort.signal, killAfterSeconds: 0.1 });
    abort.abort(new Error('it took too long'));
    await expect(waiting).rejects.toMatchObject({ code: 'engine-failed' });
  });
});

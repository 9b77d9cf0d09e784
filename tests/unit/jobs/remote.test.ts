import fs from 'node:fs';
import path from 'node:path';
import type { ConnectionSettings } from '../../../core/settings/stack';
import { askProgram, callProgram } from '../../../jobs/remote';
import { removeTempDirs, tempDir } from '../../support/temp';
import { connection as remote } from './connection';

const program = { file: '', hash: '' };
jest.mock('../../../jobs/program', () => ({ ownProgram: () => program }));

const searched = process.env.PATH;
const local: ConnectionSettings = { type: 'local' };
const home = '/srv/here';

/** The program, or the ssh that would start it, is this script of Node.js. */
function programIs(script: string): void {
  const directory = tempDir();
  program.file = path.join(directory, 'holdfast.cjs');
  fs.writeFileSync(program.file, script);
  fs.writeFileSync(path.join(directory, 'ssh'), `#!${process.execPath}\n${script}`, { mode: 0o755 });
  process.env.PATH = `${directory}:${searched}`;
}

afterEach(() => {
  process.env.PATH = searched;
});
afterAll(removeTempDirs);

const echo = `
  let text = '';
  process.stdin.on('data', chunk => (text += chunk)).on('end', () =>
    console.log(JSON.stringify({ args: process.argv.slice(2), read: JSON.parse(text) })));`;
/** Says that it runs, and waits to be told to end. */
const patient = (onEnd: string) => `
  process.on('SIGINT', () => { ${onEnd} });
  process.stdin.on('data', chunk => { if (/^signal SIGINT$/m.test(chunk)) { ${onEnd} } });
  setInterval(() => undefined, 1000);
  console.error('running');`;

describe('the program', () => {
  test('is asked with a document, and answers with one', async () => {
    programIs(echo);
    expect(await askProgram(local, ['host', 'report'], { cluster: 'shop' }, { home })).toEqual({
      args: ['--home', home, 'host', 'report', '--json'],
      read: { cluster: 'shop' },
    });
  });

  test('that fails is the failure that it reported, told line by line as it went', async () => {
    programIs(
      `console.error('working'); console.error('{"error":{"code":"busy","message":"locked"}}'); process.exitCode = 6;`,
    );
    const said: string[] = [];
    await expect(
      askProgram(local, ['backup'], {}, { home, onLine: line => said.push(line) }),
    ).rejects.toMatchObject({ code: 'busy', message: 'locked' });
    expect(said).toHaveLength(2);
  });

  test('that prints something else than JSON is told with the place where it did', async () => {
    programIs('console.log("Welcome!")');
    const asked = (connection: ConnectionSettings) =>
      expect(askProgram(connection, ['host', 'report'], {}, { home })).rejects;
    await asked(local).toThrow('holdfast host report printed something else than JSON on this machine');
    await asked(remote).toThrow('something else than JSON on deploy@db1.example.com');
  });

  test.each([
    ['here', local],
    ['over SSH', remote],
  ])('%s is told to end when it is given up, and waited for', async (_, connection) => {
    programIs(patient('process.exit(130)'));
    const cancel = new AbortController();
    const called = callProgram(
      connection,
      ['backup'],
      {},
      {
        home,
        signal: cancel.signal,
        onLine: () => cancel.abort(new Error('given up')),
      },
    );
    expect(await called).toMatchObject({ code: 130, stderr: 'running' });
  });

  test('that doesn’t end when it is told to is killed where that does no harm', async () => {
    programIs(patient(''));
    const cancel = new AbortController();
    const called = callProgram(
      local,
      ['host', 'evidence'],
      {},
      {
        home,
        signal: cancel.signal,
        killAfterSeconds: 0.05,
        onLine: () => cancel.abort(new Error('given up')),
      },
    );
    expect(await called).toMatchObject({ code: null });
  });

  test('for AWS runs here, with its region', async () => {
    programIs('console.log(JSON.stringify(process.argv.slice(2)))');
    const aws = { type: 'aws', region: 'eu-central-1' } as const;
    expect(await askProgram(aws, ['host', 'report'], {}, { home })).toEqual([
      'host',
      'report',
      '--json',
      '--region',
      'eu-central-1',
    ]);
  });

  test('isn’t started when it was given up before', async () => {
    const signal = AbortSignal.abort(new Error('given up'));
    await expect(callProgram(local, ['backup'], {}, { home, signal })).rejects.toThrow('given up');
  });
});

describe('a machine', () => {
  test('that can’t be reached is no failure of the program', async () => {
    programIs('console.error("Connection refused"); process.exitCode = 255;');
    await expect(callProgram(remote, ['backup'], {}, { home })).rejects.toMatchObject({
      code: 'engine-failed',
      message: "deploy@db1.example.com can't be reached: Connection refused",
    });
  });

  test('is not reached where there is no ssh', async () => {
    process.env.PATH = tempDir();
    await expect(callProgram(remote, ['backup'], {}, { home })).rejects.toMatchObject({
      code: 'engine-failed',
      message: expect.stringContaining("the program can't be started: spawn ssh ENOENT") as string,
    });
  });
});

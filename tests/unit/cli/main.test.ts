import { main } from '../../../cli/main';
import { descendants, createProgram } from '../../../cli/program';
import { removeTempDirs, tempDir } from '../../support/temp';
import { testIo } from './support';

afterAll(removeTempDirs);

test('without arguments the help is printed, as a usage error', async () => {
  const io = testIo();
  expect(await main([], io)).toBe(2);
  expect(io.err()).toContain('Usage: holdfast');
});

test.each([[['--help']], [['help']], [['backup', '--help']], [['host', 'evidence', '--help']]])(
  '%j is help, and no error',
  async args => {
    const io = testIo();
    expect(await main(args, io)).toBe(0);
    expect(io.out()).toContain('Usage: holdfast');
    expect(io.out()).toContain('--json');
  },
);

test('the commands that Pulumi uses are not in the list for people', async () => {
  const io = testIo();
  await main(['--help'], io);
  expect(io.out()).not.toMatch(/^ {2}host/m);
  expect(io.out()).toMatch(/^ {2}status/m);
});

test('--version prints the version of the package', async () => {
  const io = testIo();
  expect(await main(['--version'], io)).toBe(0);
  const manifest = await import('../../../package.json');
  expect(io.out().trim()).toBe(manifest.version);
});

test('a misspelt command is a usage error that suggests the right one', async () => {
  const io = testIo();
  expect(await main(['bakcup', 'shop'], io)).toBe(2);
  expect(io.err()).toContain('Did you mean backup?');
});

test.each([
  [['backup'], /missing required argument 'cluster'/],
  [['backup', 'shop', '--kind', 'partial'], /Allowed choices are full, differential, incremental/],
  [['clone', 'shop', '--latest', '--at', '2026-01-01 00:00:00+00'], /cannot be used with/],
  [['backup', 'shop', '--nonsense'], /unknown option '--nonsense'/],
])('%j is a usage error', async (args, message) => {
  const io = testIo();
  expect(await main(args, io)).toBe(2);
  expect(io.err()).toMatch(message);
});

describe('a failure', () => {
  const args = () => ['backup', 'shop', '--home', tempDir()];

  test('is text with what to do next', async () => {
    const io = testIo();
    expect(await main(args(), io)).toBe(2);
    expect(io.err()).toMatch(/^holdfast: there is no cluster shop in .*\n {2}→ None was provisioned/);
    expect(io.out()).toBe('');
  });

  test('is one JSON object on the last line with --json', async () => {
    const io = testIo();
    expect(await main([...args(), '--json'], io)).toBe(2);
    const last = io.err().trim().split('\n').at(-1) ?? '';
    expect(JSON.parse(last)).toEqual({
      error: {
        code: 'configuration',
        message: expect.stringContaining('there is no cluster shop') as string,
        hint: expect.any(String) as string,
      },
    });
  });
});

test('a document that is no JSON, or that a command doesn’t understand, is a usage error', async () => {
  for (const document of ['{"cluster":', '{"cluster":"Not A Name"}', '[]']) {
    const io = testIo();
    io.input.end(document);
    expect(await main(['host', 'evidence', '--home', tempDir()], io)).toBe(2);
    expect(io.err()).toMatch(/standard input/);
  }
});

test('every command says what it does', () => {
  const program = createProgram({ io: testIo(), outcome: { exitCode: 0 }, args: [] });
  for (const command of descendants(program)) {
    expect(command.description()).toMatch(/\.$/);
    expect(command.summary() === '' && command.commands.length === 0).toBe(false);
  }
});

test('status of a machine without clusters says how to begin', async () => {
  const io = testIo();
  expect(await main(['status', '--home', tempDir()], io)).toBe(0);
  expect(io.out()).toContain('npm start');
  const json = testIo();
  expect(await main(['status', '--json', '--home', tempDir()], json)).toBe(0);
  expect(JSON.parse(json.out())).toEqual({ clusters: [] });
});

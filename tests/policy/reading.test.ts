import fs from 'node:fs';
import path from 'node:path';
import { HoldfastError } from '../../core/errors';
import { stack as stackSettings } from '../../core/settings/stack';
import * as hostCalls from '../../jobs/host-calls';
import { placeOf } from '../../jobs/where';
import { parseEvidence } from '../../policy/evidence/document';
import { readEvidence } from '../../policy/evidence/read';
import { askCommand, source } from '../../policy/evidence/source';
import { evidenceKnown } from '../../policy/rules/evidence-known';
import { readStackFile } from '../../policy/stack-file';
import { removeTempDirs, tempDir } from '../support/temp';
import { judged, now, soundBackup, soundEvidence } from './support/fixtures';

afterAll(removeTempDirs);

const node = (script: string) => ({
  type: 'command' as const,
  command: [process.execPath, '-e', script] as [string, ...string[]],
});

describe('a command as the source of evidence', () => {
  test('prints a JSON document', async () => {
    expect(await askCommand(node('console.log(JSON.stringify({ a: 1 }))'), 30)).toEqual({ a: 1 });
  });

  test.each<[string, string, RegExp]>([
    [
      'fails, and says why',
      'console.error("first"); console.error("no route"); process.exit(3)',
      /failed \(3\): no route$/,
    ],
    ['fails silently', 'process.exit(4)', /failed \(4\)$/],
    ['prints something else', 'console.log("hello")', /printed something else than JSON$/],
  ])('is an error that says how to see it by hand when it %s', async (_, script, message) => {
    const failure = await askCommand(node(script), 30).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(HoldfastError);
    expect((failure as HoldfastError).message).toMatch(message);
    expect((failure as HoldfastError).hint).toContain('run it by hand: ');
  });

  test('is ended when it takes too long', async () => {
    const forever = node('setInterval(() => undefined, 1000)');
    await expect(askCommand(forever, 0.5)).rejects.toThrow(/took longer than 0.5 s/);
  });

  test('that doesn’t exist is an error', async () => {
    const missing = { type: 'command' as const, command: ['/does/not/exist'] };
    await expect(askCommand(missing, 30)).rejects.toThrow('/does/not/exist failed (ENOENT)');
  });

  test('is run without a shell: what looks like one is an argument', async () => {
    const echo = node('console.log(JSON.stringify(process.argv[1]))');
    expect(await askCommand({ ...echo, command: [...echo.command, '$(id); "x"'] }, 30)).toBe('$(id); "x"');
  });

  test.each([
    [{ type: 'command', command: [] }],
    [{ type: 'command', command: 'cat x' }],
    [{ type: 'local' }],
  ])('%j is not one', given => {
    expect(source.safeParse(given).success).toBe(false);
  });

  test('that is misspelt is a violation', async () => {
    const violations = await judged(
      evidenceKnown,
      {},
      { sources: { shop: { type: 'command', cmd: ['cat'] } } },
    );
    expect(violations[0]).toMatch(
      /^the policy pack’s configuration is invalid: evidence-known\.sources\.shop/,
    );
  });
});

describe('evidence', () => {
  test('survives the way through JSON', () => {
    const access = {
      rules: [{ line: 1, type: 'local', databases: ['all'], users: ['all'], address: null, method: 'peer' }],
      privateSocket: true,
      tls: false,
      listenAddresses: [],
    } as const;
    const full = soundEvidence({ access });
    expect(parseEvidence(JSON.parse(JSON.stringify(full)))).toEqual(full);
  });

  test('keeps working when a newer program adds a field', () => {
    expect(parseEvidence({ ...soundEvidence(), added: true })).toEqual(soundEvidence());
  });

  const without = (key: string) =>
    Object.fromEntries(Object.entries(soundEvidence()).filter(([k]) => k !== key));

  test.each(Object.keys(soundEvidence()).filter(key => key !== 'access'))('without %s is refused', key => {
    expect(() => parseEvidence(without(key))).toThrow(`what was printed is not evidence (${key}: `);
  });

  test('with a wrong time, a numeric system identifier, or much else wrong is refused, without its content', () => {
    const wrong = [
      soundEvidence({ backups: [soundBackup(now, { stoppedAt: '2026-03-10 12:00' })] }),
      { ...soundEvidence(), identity: { recorded: 7300000000000000123, found: null, backedUp: null } },
    ];
    for (const document of wrong) expect(() => parseEvidence(document)).toThrow('is not evidence');
    expect(() => parseEvidence({ cluster: 'secret' })).toThrow(/; …\)$/);
    expect(() => parseEvidence({ cluster: 'secret' })).not.toThrow('secret');
  });
});

describe('a machine as the source of evidence', () => {
  const settings = stackSettings.parse({ environment: 'production', clusters: { shop: {} } });
  const ask = jest.spyOn(hostCalls, 'readEvidence');
  const request = { cluster: 'shop', stack: 'shop/prod', settings, source: undefined, now: () => now };
  const ssh = source.parse({
    type: 'ssh',
    host: 'db1.example.com',
    user: 'evidence',
    privateKeyPath: '/ci/key',
    hostKey: 'ssh-ed25519 AAAA',
  });
  afterEach(() => ask.mockReset());
  afterAll(() => ask.mockRestore());

  test('is the stack’s own connection, or that of the pack', async () => {
    ask.mockResolvedValue(soundEvidence());
    expect(await readEvidence(request)).toEqual({ state: 'read', evidence: soundEvidence() });
    await readEvidence({ ...request, source: ssh });
    expect(ask.mock.calls.map(([{ settings }]) => placeOf(settings).type)).toEqual(['local', 'ssh']);
    expect(ask.mock.calls[0]![0]).toMatchObject({
      schema: 1,
      stack: 'shop/prod',
      environment: 'production',
      cluster: 'shop',
    });
  });

  test('that fails is unknown, with its own hint', async () => {
    ask.mockRejectedValue(new HoldfastError('engine-failed', 'no route', { hint: 'check the network' }));
    expect(await readEvidence(request)).toEqual({
      state: 'unreadable',
      problem: { what: 'its evidence can’t be read: no route', remedy: 'check the network' },
    });
    ask.mockRejectedValue('thrown text');
    expect(await readEvidence(request)).toMatchObject({
      problem: { what: 'its evidence can’t be read: thrown text' },
    });
  });

  test('is not asked for a cluster that the stack doesn’t declare', async () => {
    expect(await readEvidence({ ...request, cluster: 'crm' })).toMatchObject({
      state: 'unreadable',
      problem: { remedy: 'declare it: holdfast:clusters.crm' },
    });
    expect(ask).not.toHaveBeenCalled();
  });

  test('that takes too long is unknown', async () => {
    const aborted = new AbortController();
    aborted.abort();
    const timeout = jest.spyOn(AbortSignal, 'timeout').mockReturnValue(aborted.signal);
    ask.mockRejectedValue(new Error('ended by a signal'));
    const reading = await readEvidence(request);
    timeout.mockRestore();
    expect(reading).toMatchObject({
      problem: { what: 'its evidence can’t be read: it took longer than 60 s' },
    });
  });
});

describe('the stack file', () => {
  const directory = tempDir();
  const write = (file: string, content: string) => {
    const full = path.join(directory, file);
    fs.mkdirSync(path.dirname(full), { recursive: true });
    fs.writeFileSync(full, content);
    return full;
  };
  const find = (from: string, options: { project?: string; stack?: string; file?: string } = {}) =>
    readStackFile({ project: 'shop', stack: 'prod', directories: ['/does/not/exist', from], ...options });

  beforeAll(() => {
    write('shop/Pulumi.yaml', 'name: shop\nruntime: nodejs\n');
    write('shop/Pulumi.prod.yaml', 'config:\n  holdfast:environment: production\n');
    write('shop/Pulumi.empty.yaml', 'encryptionsalt: v1:x\n');
    write('shop/Pulumi.list.yaml', '- a\n');
    write('crm/Pulumi.yml', 'name: crm\nstackConfigDir: stacks\nruntime: nodejs\n');
    write('crm/stacks/Pulumi.prod.yaml', 'config:\n  holdfast:environment: staging\n');
    fs.mkdirSync(path.join(directory, 'shop/deeper/still'), { recursive: true });
    fs.mkdirSync(path.join(directory, 'shop/crm'));
    write('shop/crm/Pulumi.yaml', 'name: another\nruntime: nodejs\n');
  });

  test.each(['shop', 'shop/deeper/still', 'shop/crm'])(
    'is found from %s, beside the project’s own Pulumi.yaml',
    from => {
      expect(find(path.join(directory, from))).toEqual({
        state: 'found',
        path: path.join(directory, 'shop/Pulumi.prod.yaml'),
        config: { 'holdfast:environment': 'production' },
      });
    },
  );

  test('is found where stackConfigDir says', () => {
    const found = find(path.join(directory, 'crm'), { project: 'crm' });
    expect(found).toMatchObject({ config: { 'holdfast:environment': 'staging' } });
  });

  test('can be named, and may have no settings', () => {
    const file = path.join(directory, 'shop/Pulumi.empty.yaml');
    expect(find('/', { file })).toEqual({ state: 'found', path: file, config: {} });
  });

  test('that is missing or no map is said', () => {
    expect(find(directory)).toMatchObject({
      state: 'missing',
      reason: expect.stringContaining('was not found in') as string,
    });
    expect(find(path.join(directory, 'shop'), { stack: 'gone' })).toMatchObject({
      reason: expect.stringContaining('ENOENT') as string,
    });
    expect(find(path.join(directory, 'shop'), { stack: 'list' })).toMatchObject({
      reason: expect.stringContaining('is not a map') as string,
    });
  });
});

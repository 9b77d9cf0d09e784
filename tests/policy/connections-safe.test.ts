import type { AccessEvidence, AccessRule } from '../../core/evidence';
import { connectionsSafe } from '../../policy/rules/connections-safe';
import {
  judged,
  judgedResource,
  production,
  properties,
  resourceOf,
  soundEvidence,
  unknown,
  type StackOptions,
} from './support/fixtures';

describe('connections-safe', () => {
  const rule = (overrides: Partial<AccessRule> = {}): AccessRule => ({
    line: 12,
    type: 'hostssl',
    databases: ['all'],
    users: ['all'],
    address: '10.0.0.0/8',
    method: 'scram-sha-256',
    ...overrides,
  });
  const accessed = (rules: readonly AccessRule[], overrides: Partial<AccessEvidence> = {}): StackOptions => ({
    evidence: {
      shop: () =>
        soundEvidence({
          access: { rules, privateSocket: true, tls: true, listenAddresses: ['*'], ...overrides },
        }),
    },
  });

  test.each<[string, Partial<AccessRule>, Partial<AccessEvidence>]>([
    ['SCRAM over TLS', {}, {}],
    ['GSSAPI encryption', { type: 'hostgssenc', method: 'gss' }, {}],
    ['SCRAM without TLS on loopback', { type: 'host', address: '127.0.0.1/32' }, {}],
    ['SCRAM without TLS on loopback (IPv6)', { type: 'host', address: '::1/128' }, {}],
    ['trust on a private socket', { type: 'local', address: null, method: 'trust' }, {}],
    ['peer on a shared socket', { type: 'local', address: null, method: 'peer' }, { privateSocket: false }],
    ['SCRAM without TLS for the machine itself', { type: 'host', address: 'samehost' }, {}],
    ['SCRAM without TLS where nobody from beyond gets', { type: 'host' }, { listenAddresses: ['localhost'] }],
    ['a password over TLS', { method: 'password' }, {}],
    ['a line that rejects', { type: 'hostnossl', address: '0.0.0.0/0', method: 'reject' }, {}],
  ])('%s passes', async (_, changes, access) => {
    expect(await judged(connectionsSafe, accessed([rule(changes)], access))).toEqual([]);
  });

  test.each<[string, Partial<AccessRule>, Partial<AccessEvidence>, string]>([
    ['trust over TCP', { method: 'trust', address: '127.0.0.1/32' }, {}, 'lets anybody in'],
    [
      'trust on a shared socket',
      { type: 'local', address: null, method: 'trust' },
      { privateSocket: false },
      'trusts every local user',
    ],
    ['plain text beyond loopback', { type: 'host' }, {}, 'plain text beyond this machine'],
    [
      'plain text with no TLS at all',
      { type: 'host', address: null },
      { tls: false },
      'the server has no TLS',
    ],
    [
      'passwords in plain text',
      { type: 'host', method: 'password', address: '127.0.0.1/32' },
      {},
      'takes passwords in plain text',
    ],
  ])('%s is a violation that names the line', async (_, changes, access, words) => {
    const violations = await judged(connectionsSafe, accessed([rule(changes)], access));
    expect(violations).toEqual([expect.stringMatching(/^cluster shop: pg_hba.conf line 12 \(.*\n {2}fix: /)]);
    expect(violations[0]).toContain(words);
  });

  test('the whole world is no network that may log in', async () => {
    const source = {
      mode: 'managed',
      allow: ['10.0.0.0/8', 'fd00::/8', '0.0.0.0/0', '128.0.0.0/1', '::/0'],
      tls: { certificate: '/c', key: '/k' },
    };
    const raw = { ...production, clusters: { shop: { source } } };
    const violations = await judged(connectionsSafe, { raw });
    expect(violations.map(line => line.split('\n')[0])).toEqual([
      'cluster shop: anybody may log in from 0.0.0.0/0',
      'cluster shop: anybody may log in from 128.0.0.0/1',
      'cluster shop: anybody may log in from ::/0',
    ]);
  });

  test('an adopted cluster is judged by what its server reads; one that can’t be reached says nothing', async () => {
    const source = { mode: 'existing', dataDirectory: '/srv/pg', port: 5432 };
    const raw = { ...production, clusters: { shop: { source } } };
    expect(await judged(connectionsSafe, { raw, ...accessed([rule({ method: 'trust' })]) })).toHaveLength(1);
    expect(await judged(connectionsSafe, { raw, evidence: { shop: () => 'nothing' } })).toEqual([]);
  });

  const provider = (inputs: object) =>
    resourceOf({ type: 'pulumi:providers:postgresql', name: 'shop', properties: properties(inputs) });

  test.each([
    [{ host: 'db.example.com', sslmode: 'verify-full' }],
    [{ host: 'db.example.com' }],
    [{ host: '127.0.0.1', sslmode: 'disable' }],
    [{ host: 'localhost', sslMode: 'disable' }],
    [{ sslmode: 'disable' }],
    [{ host: unknown, sslmode: 'disable' }],
    [{ host: 'db.example.com', sslmode: unknown }],
  ])('a provider with %j passes', inputs => {
    expect(judgedResource(connectionsSafe, provider(inputs))).toEqual([]);
  });

  test.each([[{ sslmode: 'disable' }], [{ sslMode: 'prefer' }]])(
    'a provider beyond loopback with %j is a violation',
    mode => {
      const violations = judgedResource(connectionsSafe, provider({ host: 'db.example.com', ...mode }));
      expect(violations).toEqual([
        expect.stringMatching(/may connect to db.example.com in plain text[^]*fix: /),
      ]);
    },
  );

  test('a remote command needs a pinned host key', () => {
    const remote = (connection: object) =>
      resourceOf({ type: 'command:remote:CopyToRemote', properties: properties({ connection }) });
    expect(judgedResource(connectionsSafe, remote({ host: 'db', hostKey: 'ssh-ed25519 AAAA' }))).toEqual([]);
    expect(judgedResource(connectionsSafe, remote({ host: 'db', hostKey: unknown }))).toEqual([]);
    expect(judgedResource(connectionsSafe, remote({ host: 'db' }))[0]).toContain('no host key is pinned');
  });

  test('other resources are not its business', () => {
    expect(judgedResource(connectionsSafe, resourceOf())).toEqual([]);
  });
});

import * as sdk from '@pulumi/policy';
import type { AccessEvidence, AccessRule, RepositoryEvidence } from '../../core/evidence';
import { secretKeys } from '../../core/settings/parse';
import { backupsDeclared } from '../../policy/rules/backups-declared';
import { connectionsSafe } from '../../policy/rules/connections-safe';
import { productionProtected } from '../../policy/rules/production-protected';
import { secretsAreSecret } from '../../policy/rules/secrets-are-secret';
import { input } from '../../policy/resource';
import { violation, type Rule } from '../../policy/rule';
import type { Resource } from '../../policy/resource';
import type { StackFile } from '../../policy/stack-file';
import {
  clusterCommand,
  judged,
  production,
  resourceOf,
  soundEvidence,
  stackOf,
  type StackOptions,
} from './support/fixtures';

/** What Pulumi passes for a value that isn't known in a preview. */
const unknownString = '04da6b54-80e4-46f7-96ec-b56ff0331ba9';

const staging = { ...production, environment: 'staging' };
const withBackups = (backups: object) => ({ ...production, clusters: { shop: { backups } } });
const judgedResource = (
  rule: Rule,
  resource: Resource,
  configuration: unknown = {},
  options: StackOptions = {},
) => rule.judgeResource(resource, configuration, stackOf(options));
// Exported, but stripped from the declarations.
const { unknownCheckingProxy } = sdk as unknown as {
  unknownCheckingProxy: (inputs: object) => Record<string, unknown>;
};
const properties = (inputs: object) => unknownCheckingProxy(inputs);

describe('production-protected', () => {
  const stateful = [
    resourceOf(),
    resourceOf({ type: 'postgresql:index/role:Role' }),
    resourceOf({ type: 'postgresql:index/schema:Schema' }),
    clusterCommand(),
    clusterCommand({ type: 'command:remote:Command' }),
  ];

  test.each(stateful.map(resource => [resource.type, resource] as const))(
    '%s passes when it is protected',
    (_, it) => {
      expect(judgedResource(productionProtected, it)).toEqual([]);
    },
  );

  test.each(stateful.map(resource => [resource.type, resource] as const))(
    '%s has to be protected',
    (_, it) => {
      const violations = judgedResource(productionProtected, { ...it, protect: false });
      expect(violations).toEqual([
        expect.stringMatching(/is not protected[^]*fix: set the resource option protect/),
      ]);
      expect(violations[0]).toContain(it.name);
    },
  );

  test('no change of a stateful resource is ignored, but for those that the pack allows', () => {
    const resource = resourceOf({ ignoreChanges: ['owner', 'encoding'] });
    expect(judgedResource(productionProtected, resource)[0]).toContain('owner, encoding (none is allowed)');
    const allowing = { allowedIgnoreChanges: ['encoding'] };
    expect(judgedResource(productionProtected, resource, allowing)[0]).toContain(
      'of owner (allowed: encoding)',
    );
    const both = { allowedIgnoreChanges: ['encoding', 'owner'] };
    expect(judgedResource(productionProtected, resource, both)).toEqual([]);
  });

  test('a wildcard can’t be allowed', async () => {
    const violations = await judged(productionProtected, {}, { allowedIgnoreChanges: ['*'] });
    expect(violations[0]).toContain('production-protected.allowedIgnoreChanges.0: ');
  });

  test('what carries no data needs no protection: grants, the upload of the program, other commands', () => {
    const bare = { protect: false, ignoreChanges: ['*'] };
    for (const resource of [
      resourceOf({ ...bare, type: 'postgresql:index/grant:Grant' }),
      clusterCommand({ ...bare, properties: { create: 'mkdir -p program' } }),
      resourceOf({
        ...bare,
        type: 'command:local:Command',
        urn: 'urn:pulumi:prod::shop::command:local:Command::x',
      }),
      resourceOf({ ...bare, type: 'command:local:Command', urn: 'odd' }),
    ])
      expect(judgedResource(productionProtected, resource)).toEqual([]);
  });

  test('staging is not held to it, and the stack as such has nothing to protect', async () => {
    const unprotected = resourceOf({ protect: false });
    expect(judgedResource(productionProtected, unprotected, {}, { raw: staging })).toEqual([]);
    expect(await judged(productionProtected)).toEqual([]);
  });

  test('an invalid configuration or stack is said once, on the root resource', async () => {
    const unprotected = resourceOf({ protect: false });
    const wrong = { allowedIgnoreChange: ['x'] };
    expect(judgedResource(productionProtected, unprotected, wrong)).toEqual([]);
    expect((await judged(productionProtected, {}, wrong))[0]).toContain('allowedIgnoreChange');
    expect(judgedResource(productionProtected, unprotected, {}, { raw: {} })).toEqual([]);
    expect(await judged(productionProtected, { raw: {} })).toHaveLength(1);
  });
});

describe('backups-declared', () => {
  const elsewhere: RepositoryEvidence = {
    ...soundEvidence().repositories[0]!,
    id: '2',
    location: 's3://shop-backups',
    offMachine: true,
    encrypted: true,
  };
  const s3 = {
    type: 's3',
    bucket: 'shop-backups',
    endpoint: 's3.example.com',
    region: 'eu-1',
    key: 'key',
    keySecret: 'secret',
    passphrase: 'correct horse battery',
  };

  test('the defaults pass', async () => {
    expect(await judged(backupsDeclared)).toEqual([]);
  });

  test('schedules have to keep the maximum age of a backup', async () => {
    const raw = withBackups({ schedules: { differential: 'never' } });
    expect(await judged(backupsDeclared, { raw })).toEqual([
      'cluster shop: 7 d can pass between two scheduled backups; at most 26 h is allowed\n  fix: schedule them more often: backups.schedules.full, differential or incremental in the stack file',
    ]);
  });

  test('schedules have to keep the maximum age of a verification', async () => {
    const raw = withBackups({ schedules: { verification: '0 3 1 * *' } });
    expect((await judged(backupsDeclared, { raw }))[0]).toMatch(
      /30 d can pass between two scheduled verifications/,
    );
  });

  test('retention has to keep as many full backups as the pack demands', async () => {
    const violations = await judged(backupsDeclared, {}, { minimumFullBackups: 6 });
    expect(violations[0]).toMatch(
      /keeps 4 full backups; at least 6 are needed\n {2}fix: set backups.retention.full to 6/,
    );
  });

  test('a repository off the machine can be demanded', async () => {
    expect((await judged(backupsDeclared, {}, { requireOffMachine: true }))[0]).toContain('lost with it');
    const raw = withBackups({ repositories: [{ type: 'local' }, s3] });
    expect(await judged(backupsDeclared, { raw }, { requireOffMachine: true })).toEqual([]);
  });

  test('a repository off the machine has to be encrypted, as it is found to be', async () => {
    const found = (repository: RepositoryEvidence) => ({
      evidence: { shop: () => soundEvidence({ repositories: [repository] }) },
    });
    expect(await judged(backupsDeclared, found(elsewhere))).toEqual([]);
    const violations = await judged(backupsDeclared, found({ ...elsewhere, encrypted: false }));
    expect(violations[0]).toContain('repository 2 (s3://shop-backups) is off the machine and not encrypted');
  });

  test('what is declared is judged although the cluster can’t be reached', async () => {
    const evidence = {
      shop: () => {
        throw new Error('connection refused');
      },
    };
    const raw = withBackups({ schedules: { verification: '0 3 1 * *' } });
    expect(await judged(backupsDeclared, { raw, evidence })).toHaveLength(1);
  });
});

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
      allow: ['10.0.0.0/8', '0.0.0.0/0', '::/0'],
      tls: { certificate: '/c', key: '/k' },
    };
    const raw = { ...production, clusters: { shop: { source } } };
    const violations = await judged(connectionsSafe, { raw });
    expect(violations.map(line => line.split('\n')[0])).toEqual([
      'cluster shop: anybody may log in from 0.0.0.0/0',
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
    [{ host: unknownString, sslmode: 'disable' }],
    [{ host: 'db.example.com', sslmode: unknownString }],
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
    expect(judgedResource(connectionsSafe, remote({ host: 'db', hostKey: unknownString }))).toEqual([]);
    expect(judgedResource(connectionsSafe, remote({ host: 'db' }))[0]).toContain('no host key is pinned');
  });

  test('other resources are not its business', () => {
    expect(judgedResource(connectionsSafe, resourceOf())).toEqual([]);
  });
});

describe('secrets-are-secret', () => {
  const passphrase = 'correct horse battery';
  const raw = {
    ...production,
    clusters: JSON.stringify({
      shop: { backups: { repositories: [{ type: 'local', encryption: true, passphrase }] } },
    }),
    alerts: { webhook: 'https://hooks.example.com/T0/B0' },
  };
  const file = (config: Record<string, unknown>): StackFile => ({
    state: 'found',
    path: '/shop/Pulumi.prod.yaml',
    config,
  });
  const secure = { secure: 'v1:abc' };
  const clustersWith = (value: unknown) => ({
    shop: { backups: { repositories: [{ type: 'local', encryption: true, passphrase: value }] } },
  });
  const alerts = { webhook: secure };

  test('there are secret settings to look for', () => {
    expect(secretKeys).toContain('clusters.*.backups.repositories.*.passphrase');
    expect(secretKeys).toContain('alerts.webhook');
  });

  test('a stack without any passes, whether or not its file is found', async () => {
    expect(await judged(secretsAreSecret)).toEqual([]);
  });

  test.each<[string, Record<string, unknown>]>([
    ['themselves', { 'holdfast:clusters': clustersWith(secure), 'holdfast:alerts': alerts }],
    ['with what is around them', { 'holdfast:clusters': secure, 'holdfast:alerts': secure }],
  ])('secret settings pass when they are `secure:` %s', async (_, config) => {
    expect(await judged(secretsAreSecret, { raw, stackFile: file(config) })).toEqual([]);
  });

  test.each<[string, unknown]>([
    ['as YAML', clustersWith(passphrase)],
    ['as JSON text', JSON.stringify(clustersWith(passphrase))],
    ['as something that only looks like `secure:`', clustersWith({ secure: 'x', salt: 'y' })],
  ])('one in clear, %s, is a violation that names its key and never its value', async (_, clusters) => {
    const config = { 'holdfast:clusters': clusters, 'holdfast:alerts': alerts };
    const violations = await judged(secretsAreSecret, { raw, stackFile: file(config) });
    expect(violations).toEqual([
      'holdfast:clusters.shop.backups.repositories.0.passphrase is in clear in /shop/Pulumi.prod.yaml\n  fix: change the secret, then pulumi config set --secret --path holdfast:clusters.shop.backups.repositories.0.passphrase',
    ]);
  });

  test('one that comes from elsewhere has to be named', async () => {
    const config = { 'holdfast:clusters': clustersWith(secure) };
    const violations = await judged(secretsAreSecret, { raw, stackFile: file(config) });
    expect(violations[0]).toMatch(/^holdfast:alerts.webhook is not in .*keptElsewhere/s);
    const named = { keptElsewhere: ['alerts.webhook'] };
    expect(await judged(secretsAreSecret, { raw, stackFile: file(config) }, named)).toEqual([]);
    expect(
      await judged(secretsAreSecret, { raw, stackFile: file({ 'holdfast:alerts': alerts }) }),
    ).toHaveLength(1);
    const unset = { shop: { backups: { repositories: [{ passphrase: null }] } } };
    for (const clusters of [null, 'no JSON', { shop: {} }, unset]) {
      const stackFile = file({ 'holdfast:clusters': clusters, 'holdfast:alerts': alerts });
      expect(await judged(secretsAreSecret, { raw, stackFile })).toEqual([
        expect.stringContaining('is not in '),
      ]);
    }
  });

  test('a stack file that can’t be found is a violation when there are secret settings', async () => {
    expect((await judged(secretsAreSecret, { raw }))[0]).toMatch(/can’t be seen: there is none\n {2}fix: /);
  });

  test('what provisions a cluster must hide what it prints', () => {
    expect(judgedResource(secretsAreSecret, clusterCommand())).toEqual([]);
    const visible = clusterCommand({ additionalSecretOutputs: [] });
    expect(judgedResource(secretsAreSecret, visible)[0]).toMatch(
      /stdout of shop-apply .* in clear in the state/,
    );
    const loud = clusterCommand({ properties: properties({ stdin: '{}' }) });
    expect(judgedResource(secretsAreSecret, loud)[0]).toContain('set logging: "none" or "stderr"');
    for (const logging of ['stderr', unknownString]) {
      const quiet = clusterCommand({ properties: properties({ stdin: unknownString, logging }) });
      expect(judgedResource(secretsAreSecret, quiet)).toEqual([]);
    }
  });

  test('the password of a role must be secret in the state', () => {
    const role = (inputs: object, outputs: string[]) =>
      resourceOf({
        type: 'postgresql:index/role:Role',
        properties: properties(inputs),
        additionalSecretOutputs: outputs,
      });
    expect(judgedResource(secretsAreSecret, role({ password: 'x' }, ['password']))).toEqual([]);
    expect(judgedResource(secretsAreSecret, role({}, []))).toEqual([]);
    expect(judgedResource(secretsAreSecret, role({ password: unknownString }, []))).toHaveLength(1);
    expect(judgedResource(secretsAreSecret, resourceOf())).toEqual([]);
  });
});

test('an input is undefined where it isn’t set, however deep', () => {
  const resource = resourceOf({ properties: { connection: null, host: 'db' } });
  expect(input(resource, 'connection', 'hostKey')).toBeUndefined();
  expect(input(resource, 'host', 'name')).toBeUndefined();
  expect(input(resource, 'none', 'name')).toBeUndefined();
});

test('a violation without a remedy ends with what was found', () => {
  expect(violation('shop', 'odd', null)).toBe('cluster shop: odd');
});

test('a failure while an input is read is not taken for an unknown value', () => {
  const broken = Object.defineProperty({}, 'host', {
    get: () => {
      throw new TypeError('broken');
    },
  });
  expect(() => input(resourceOf({ properties: broken }), 'host')).toThrow('broken');
});

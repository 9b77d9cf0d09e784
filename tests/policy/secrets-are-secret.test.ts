import { secretKeys } from '../../core/settings/parse';
import { secretsAreSecret } from '../../policy/rules/secrets-are-secret';
import type { StackFile } from '../../policy/stack-file';
import { cluster, instance } from './support/aws';
import {
  clusterCommand,
  judged,
  judgedResource,
  production,
  properties,
  resourceOf,
  unknown,
} from './support/fixtures';

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
    const onRds = clusterCommand({
      urn: 'urn:pulumi:prod::shop::holdfast:rds:ProtectedRds$command:local:Command::shop-apply',
      additionalSecretOutputs: [],
    });
    expect(judgedResource(secretsAreSecret, onRds)).toHaveLength(1);
    for (const logging of ['stderr', unknown]) {
      const quiet = clusterCommand({ properties: properties({ stdin: unknown, logging }) });
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
    expect(judgedResource(secretsAreSecret, role({ password: unknown }, []))).toHaveLength(1);
    expect(judgedResource(secretsAreSecret, resourceOf())).toEqual([]);
  });

  test.each([
    ['password', instance],
    ['passwordWo', instance],
    ['masterPassword', cluster],
    ['masterPasswordWo', cluster],
  ])('a %s of a database on RDS has no place in a program, and is never shown', (key, database) => {
    for (const value of ['hunter2', unknown]) {
      const violations = judgedResource(secretsAreSecret, database({ [key]: value }));
      expect(violations).toEqual([
        `shop (${database().type}) gets its master user’s password from the program (${key})\n  fix: remove ${key}, and set manageMasterUserPassword: true: RDS makes the password and keeps it in Secrets Manager`,
      ]);
    }
    expect(judgedResource(secretsAreSecret, database())).toEqual([]);
  });
});

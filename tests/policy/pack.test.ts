import fs from 'node:fs';
import path from 'node:path';
import type {
  ResourceValidation,
  ResourceValidationArgs,
  ResourceValidationPolicy,
  StackValidationArgs,
  StackValidationPolicy,
} from '@pulumi/policy';
import fc from 'fast-check';
import { configurationSchema, policiesOf, rules } from '../../policy/pack';
import { limit } from '../../policy/durations';
import type { Resource } from '../../policy/resource';
import { pauseBeyond } from '../../policy/schedule';
import { repositoryRoot } from '../support/pulumi';
import { awsResource } from './support/aws';
import { clusterCommand, now, soundEvidence, stackOf, type StackOptions } from './support/fixtures';

const noConfiguration = (() => ({})) as ResourceValidationArgs['getConfig'];

/** Runs the policies as Pulumi's server does: one after the other on each resource, then on all of them. */
async function analyze(resources: readonly Partial<ResourceValidationArgs>[], options: StackOptions = {}) {
  const reported: [string, string][] = [];
  const policies = policiesOf(stackOf(options)) as (ResourceValidationPolicy &
    Partial<StackValidationPolicy>)[];
  const report = (policy: string) => (message: string) => reported.push([policy, message]);
  for (const args of resources)
    for (const { name, validateResource } of policies) {
      const validate = validateResource as ResourceValidation;
      await validate({ getConfig: noConfiguration, ...args } as ResourceValidationArgs, report(name));
    }
  for (const { name, validateStack } of policies)
    await validateStack?.({ getConfig: noConfiguration } as StackValidationArgs, report(name));
  return reported;
}

const root = { type: 'pulumi:pulumi:Stack', urn: 'urn:pulumi:prod::shop::pulumi:pulumi:Stack::shop-prod' };

const unprotected = {
  protect: false,
  ignoreChanges: [],
  additionalSecretOutputs: [],
  aliases: [],
  customTimeouts: { createSeconds: 0, updateSeconds: 0, deleteSeconds: 0 },
};

/** A resource as Pulumi describes it. */
const registered = ({ type, urn, name, properties }: Resource, opts = unprotected) => ({
  type,
  urn,
  name,
  props: properties,
  opts,
});

test('the rules of the issue are there, mandatory, and only the notice is advisory', () => {
  expect(rules.map(({ name, enforcement }) => `${enforcement} ${name}`)).toEqual([
    'mandatory evidence-known',
    'mandatory backup-recent',
    'mandatory backup-restorable',
    'mandatory backup-verified',
    'mandatory backups-declared',
    'mandatory connections-safe',
    'mandatory secrets-are-secret',
    'mandatory production-protected',
    'mandatory rds-retention',
    'mandatory rds-backups-outlive',
    'mandatory rds-final-snapshot',
    'mandatory rds-deletion-protected',
    'mandatory rds-not-restored',
    'mandatory rds-not-downgraded',
    'mandatory rds-encrypted',
    'mandatory rds-tls-forced',
    'mandatory rds-private',
    'mandatory rds-changes-wait',
    'mandatory vault-locked',
    'mandatory ingress-narrow',
    'advisory gate-notice',
  ]);
});

test('the stack’s root resource is judged by the evidence', async () => {
  expect(await analyze([root])).toEqual([]);
  const evidence = { shop: () => soundEvidence({ backups: [] }) };
  expect((await analyze([root], { evidence })).map(([rule]) => rule)).toEqual([
    'backup-recent',
    'backup-restorable',
    'backup-verified',
  ]);
});

test('any other resource is judged by its own inputs and options', async () => {
  const reported = await analyze([registered(clusterCommand())]);
  expect(reported.map(([rule]) => rule)).toEqual(['secrets-are-secret', 'production-protected']);
});

test('the program is judged as a whole at its end', async () => {
  const vault = registered(awsResource('backup/vault:Vault', { name: 'shop' }), {
    ...unprotected,
    protect: true,
  });
  expect((await analyze([root, vault])).map(([rule]) => rule)).toEqual(['vault-locked']);
  const lock = awsResource('backup/vaultLockConfiguration:VaultLockConfiguration', {
    backupVaultName: 'shop',
  });
  expect(await analyze([root, vault, registered(lock)])).toEqual([]);
});

test('what is about AWS says where AWS explains it', () => {
  const policies = policiesOf(stackOf()).filter(({ name }) => /^(rds|vault|ingress)-/.test(name));
  expect(policies).toHaveLength(12);
  for (const { url } of policies) expect(url).toMatch(/^https:\/\/docs\.aws\.amazon\.com\/.+\.html$/);
});

test('what a rule throws is thrown: Pulumi fails the deployment then', async () => {
  const read = () => Promise.reject(new TypeError('broken'));
  await expect(analyze([root], { read })).rejects.toThrow('broken');
});

describe('the configuration schema', () => {
  test('of each rule has a description for every key, and no pattern that Go can’t read', () => {
    for (const rule of rules) {
      const { properties } = configurationSchema(rule);
      for (const [key, schema] of Object.entries(properties))
        expect([rule.name, key, (schema as { description?: string }).description]).not.toContain(undefined);
      expect(JSON.stringify(properties)).not.toContain('(?');
    }
  });

  test('is documented: each rule has a section and each key its line', () => {
    const documentation = fs.readFileSync(path.join(repositoryRoot, 'docs/policy.md'), 'utf8');
    for (const rule of rules) {
      expect(documentation).toContain(`\n### ${rule.name}\n`);
      for (const key of Object.keys(rule.configuration.shape))
        expect(documentation).toContain(`\`${rule.name}.${key}\``);
    }
  });

  test('refuses a limit of nothing or without a unit', () => {
    for (const text of ['0 d', '0', '00 h', '0.0 s', '-1 h', '5', '5 m', '', ' 5 h', 'five h', '5 h\n'])
      expect([text, limit.safeParse(text).success]).toEqual([text, false]);
    expect(limit.parse('1.5 h')).toBe(5400);
    expect(limit.parse('0.5 h')).toBe(1800);
    expect(limit.parse('10d')).toBe(864_000);
  });

  test('reads every positive number of every unit', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100_000 }),
        fc.constantFrom('s', 'min', 'h', 'd'),
        (count, unit) => {
          expect(limit.parse(`${count} ${unit}`)).toBeGreaterThanOrEqual(count);
        },
      ),
    );
  });
});

describe('a pause between scheduled times', () => {
  const hour = 3600;

  test.each<[readonly string[], number, number | null]>([
    [['30 1 * * 0', '30 1 * * 1-6', 'never'], 26 * hour, null],
    [['30 1 * * *'], 24 * hour, null],
    [['30 1 * * *'], 24 * hour - 1, 24 * hour],
    [['0 9-17 * * 1-5'], 26 * hour, 64 * hour],
    [['0 0 1 * *'], 30 * 24 * hour, 31 * 24 * hour],
    [['* * * * *'], 60, null],
  ])('of %j is told when it is longer than %d s', (crons, longest, pause) => {
    expect(pauseBeyond(crons, longest, now)).toBe(pause);
  });

  test('is the interval, for every schedule of so many hours', () => {
    fc.assert(
      fc.property(fc.constantFrom(1, 2, 3, 4, 6, 8, 12), fc.integer({ min: 0, max: 59 }), (hours, minute) => {
        const crons = [`${minute} */${hours} * * *`];
        expect(pauseBeyond(crons, hours * hour, now)).toBeNull();
        expect(pauseBeyond(crons, hours * hour - 1, now)).toBe(hours * hour);
      }),
      { numRuns: 20 },
    );
  });
});

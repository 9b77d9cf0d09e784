import path from 'node:path';
import * as pulumi from '@pulumi/pulumi';
import { inspectAll, unmanaged } from '../../../../components/inspections';
import { ProtectedRds } from '../../../../components/rds/protected-rds';
import type { Environment } from '../../../../core/settings/stack';
import { authoritiesFile } from '../../../../jobs/rds/authorities';
import { inspection, natureOf, planOf, Recorder, valueOf } from '../support';
import { access, argumentsOf, mockAws, specificationOf } from './support';

jest.mock('../../../../jobs/host-calls', () => ({ verdictOn: () => Promise.resolve('fresh') }));

const certificateAuthorities = '/etc/ssl/rds-global-bundle.pem';
const databases = { shop: { applicationRoles: ['shop_app'], readOnlyRoles: ['shop_report'] } };
const byEndpoint = { databases, certificateAuthorities, reach: { through: 'endpoint' } };
const byTunnel = { databases, certificateAuthorities, reach: { through: 'tunnel', port: 15_432 } };

function make(
  environment: Environment,
  settings: object,
  options: { preview?: boolean; found?: Parameters<typeof argumentsOf>[2] } = {},
) {
  const { given } = mockAws({ preview: options.preview ?? false });
  const recorder = new Recorder();
  const database = new ProtectedRds(
    'shop',
    argumentsOf(environment, settings, options.found),
    recorder.options,
  );
  return { recorder, database, given };
}

const inCatalog = (recorder: Recorder) =>
  recorder.lines().filter(line => / shop-catalog( |-)/.test(line.replace(/ (in|after) .*/, ' ')));

/** An input of a resource, in clear. */
const inputOf = (given: Map<string, Record<string, unknown>>, name: string, key: string): unknown => {
  const value = given.get(name)?.[key];
  return pulumi.runtime.isRpcSecret(value) ? (pulumi.runtime.unwrapRpcSecret(value) as unknown) : value;
};

describe('databases on RDS', () => {
  test('in production are protected, and never dropped by Pulumi', async () => {
    const { recorder } = make('production', byEndpoint);
    await recorder.done();
    const lines = inCatalog(recorder);
    expect(lines.slice(0, 3)).toEqual([
      'holdfast:postgresql:DatabaseCatalog shop-catalog in shop',
      'pulumi:providers:postgresql shop-catalog-provider in shop-catalog after shop-apply',
      'postgresql:index/role:Role shop-catalog-shop_app in shop-catalog, protected, retained',
    ]);
    expect(lines.at(-1)).toBe(
      'command:local:Command shop-catalog-databases in shop-catalog after shop-catalog-shop-app-shop_report-future-sequences, protected',
    );
    const inside = lines.filter(line => line.startsWith('postgresql:'));
    expect(inside).toHaveLength(20);
    expect(inside.every(line => line.endsWith(', protected, retained'))).toBe(true);
  });

  test('in staging go with their instance: a tunnel may be closed when Pulumi would drop them', async () => {
    for (const settings of [byEndpoint, byTunnel]) {
      const { recorder } = make('staging', settings);
      await recorder.done();
      const inside = inCatalog(recorder).filter(line => line.startsWith('postgresql:'));
      expect(inside).toHaveLength(20);
      expect(inside.every(line => line.endsWith(', retained, deleted with shop-apply'))).toBe(true);
    }
  });

  test('are reached by the endpoint, whose certificate is checked with its name', async () => {
    const { recorder, given } = make('production', byEndpoint);
    await recorder.done();
    expect(given.get('shop-catalog-provider')).toMatchObject({
      host: 'shop-db.example.internal',
      port: '5432',
      username: 'holdfast_provider',
      superuser: 'false',
      sslmode: 'verify-full',
      sslrootcert: certificateAuthorities,
    });
    expect(pulumi.runtime.isRpcSecret(given.get('shop-catalog-provider')?.password)).toBe(true);
    expect(inputOf(given, 'shop-catalog-provider', 'password')).toBe('of the provider');
  });

  test('are reached by a tunnel, behind whose local name the authority is checked', async () => {
    const { recorder, given } = make('production', byTunnel);
    await recorder.done();
    expect(given.get('shop-catalog-provider')).toMatchObject({
      host: '127.0.0.1',
      port: '15432',
      sslmode: 'verify-ca',
      sslrootcert: certificateAuthorities,
    });
  });

  test('are seen to by the master user once they are made, where AWS is asked', async () => {
    const { recorder, given } = make('production', byEndpoint);
    await recorder.done();
    expect(given.get('shop-catalog-databases')).toMatchObject({
      create: 'exec node bin/holdfast.mjs host databases --region eu-central-1',
      environment: { HOLDFAST_DATABASES: 'shop: no extensions', HOLDFAST_REVISION: '1' },
    });
    expect(inputOf(given, 'shop-catalog-databases', 'stdin')).toBe('{"cluster":"shop"}');
  });

  test('give the server verifiers and the stack passwords, as secrets', async () => {
    const { recorder, database, given } = make('production', byEndpoint);
    await recorder.done();
    expect(inputOf(given, 'shop-catalog-shop_app', 'password')).toBe('SCRAM-SHA-256$of shop_app');
    expect(await natureOf(database.passwords)).toEqual({ secret: true, known: true });
    expect(await valueOf(database.passwords)).toEqual({
      shop_app: 'of shop_app',
      shop_report: 'of shop_report',
    });
    const apply = recorder.made.find(({ name }) => name === 'shop-apply')!;
    expect(apply.options.additionalSecretOutputs).toEqual(['stdout', 'stderr']);
  });

  test('are the same in a preview in which nothing is known yet', async () => {
    const update = make('production', byEndpoint);
    await update.recorder.done();
    const preview = make('production', byEndpoint, { preview: true, found: { dryRun: true } });
    await preview.recorder.done();
    expect(preview.recorder.lines()).toEqual(update.recorder.lines());
    expect((await natureOf(preview.database.passwords)).known).toBe(false);
  });

  test('are known in the preview of an update, so that roles aren’t shown as changed', async () => {
    const found = { dryRun: true, found: { revision: 1, applied: access } };
    const { recorder, database, given } = make('production', byEndpoint, { preview: true, found });
    await recorder.done();
    expect(inputOf(given, 'shop-catalog-shop_app', 'password')).toBe('SCRAM-SHA-256$of shop_app');
    expect(await valueOf(database.passwords)).toMatchObject({ shop_app: 'of shop_app' });
  });

  test('need a file of authorities before anything is made', () => {
    const without = { databases, reach: { through: 'endpoint' } };
    const before = process.env.NODE_EXTRA_CA_CERTS;
    delete process.env.NODE_EXTRA_CA_CERTS;
    const recorder = new Recorder();
    try {
      mockAws();
      const construct = () => new ProtectedRds('shop', argumentsOf('staging', without), recorder.options);
      expect(construct).toThrow('no file says which certificate authorities to trust');
      expect(recorder.made.map(({ name }) => name)).toEqual(['shop']);
    } finally {
      if (before !== undefined) process.env.NODE_EXTRA_CA_CERTS = before;
    }
  });

  test('trust what the settings name, else what Node.js is told to', () => {
    const instance = 'shop-db';
    const env = { NODE_EXTRA_CA_CERTS: 'bundle.pem' };
    expect(authoritiesFile({ instance, certificateAuthorities: '/a.pem' }, env)).toBe('/a.pem');
    expect(authoritiesFile({ instance, certificateAuthorities: undefined }, env)).toBe(
      path.resolve('bundle.pem'),
    );
    const none = () =>
      authoritiesFile({ instance, certificateAuthorities: undefined }, { NODE_EXTRA_CA_CERTS: '' });
    expect(none).toThrow('certificate authorities');
  });

  test('that can’t be reached from here are left out, and all the rest stands', async () => {
    const declared = make('production', { databases });
    await declared.recorder.done();
    const none = make('production', {});
    await none.recorder.done();
    expect(declared.recorder.lines()).toEqual(none.recorder.lines());
    expect(await valueOf(declared.database.passwords)).toEqual({});
  });
});

describe('a warning', () => {
  test('says which databases aren’t managed, and how they would be', async () => {
    const specification = specificationOf('staging', { databases });
    const [line, ...more] = unmanaged(specification);
    expect(more).toEqual([]);
    expect(line).toMatch(
      /^shop: databases that are not managed: shop\. .*clusters\.shop\.reach.*docs\/aws\.md/,
    );
    const warn = jest.spyOn(pulumi.log, 'warn').mockResolvedValue();
    await inspectAll([specification], { home: '/h', inspect: () => Promise.resolve(inspection('shop')) });
    expect(warn.mock.calls).toEqual([[line]]);
    warn.mockRestore();
  });

  test('isn’t given where they are managed, where none are declared, and on a machine', () => {
    expect(unmanaged(specificationOf('staging', byEndpoint))).toEqual([]);
    expect(unmanaged(specificationOf('staging', {}))).toEqual([]);
    expect(unmanaged(planOf('staging', 'main', { databases }).specification)).toEqual([]);
  });
});

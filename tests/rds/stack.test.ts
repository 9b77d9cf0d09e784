import fs from 'node:fs';
import path from 'node:path';
import {
  DescribeDBInstancesCommand,
  DescribeDBSnapshotsCommand,
  ModifyDBInstanceCommand,
  RDSClient,
} from '@aws-sdk/client-rds';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { isRds, ofEngine, parseSpecification } from '../../core/specification';
import { openRdsEngine } from '../../engines/rds/engine';
import { Place } from '../integration/stack-support';
import { homeWithAwsProvider } from '../support/aws-provider/install';
import { patient } from '../support/engine';
import { region, startAws, type TestAws } from '../support/moto/moto';
import { repositoryRoot } from '../support/pulumi';
import { removeTempDirs } from '../support/temp';
import { defaultNetwork, endFirstProvision, failure, succeed, takeVerifiedSnapshot } from './stack-support';

let aws: TestAws;
let place: Place;
let network: object;
let rds: RDSClient;
let ssm: SSMClient;
beforeAll(async () => {
  aws = await startAws();
  rds = new RDSClient({ region });
  ssm = new SSMClient({ region });
  place = new Place();
  Object.assign(place.workspace.env, {
    PULUMI_HOME: await homeWithAwsProvider(),
    PULUMI_OPTION_POLICY_PACK: path.join(repositoryRoot, 'policy'),
  });
  await place.initialise('prod');
  network = await defaultNetwork(aws);
});
afterAll(async () => {
  await aws.stop();
  removeTempDirs();
});

const stackFile = (source: object = {}): string[] =>
  place.stackFile('prod', {
    environment: 'production',
    clusters: {
      shop: {
        engine: 'rds',
        instance: 'shop-db',
        region,
        source: { mode: 'managed', version: '16.4', class: 'db.m7g.large', network, ...source },
      },
    },
  });

const upgraded = { version: '17.6', allowMajorUpgrade: true };

const instance = async () => {
  const of = { DBInstanceIdentifier: 'shop-db' };
  return (await rds.send(new DescribeDBInstancesCommand(of))).DBInstances?.[0];
};
const manualSnapshots = async () =>
  (await rds.send(new DescribeDBSnapshotsCommand({ SnapshotType: 'manual' }))).DBSnapshots ?? [];

/** Swaps the instance for one that is restored from a snapshot, as the job does; there is no server that could be asked. */
async function restoreTo(snapshot: string): Promise<void> {
  const Name = '/holdfast/shop/specification';
  const { Parameter: found } = await ssm.send(new GetParameterCommand({ Name, WithDecryption: true }));
  const specification = parseSpecification(JSON.parse(String(found?.Value)));
  const engine = openRdsEngine({ ...ofEngine(specification, isRds, 'rds'), pollSeconds: 0.1 });
  const restored = await engine
    .clone({
      target: { type: 'backup-set', id: snapshot },
      purpose: 'restore',
      expiresAt: new Date(Date.now() + 86_400_000).toISOString(),
    })
    .wait(patient());
  await engine.withLock('restore', 'the test', () => engine.replaceWith(restored).wait(patient()));
}

// One stack, from its first preview to its end: each test goes on where the one before it stopped.
describe('a production stack on RDS, through Pulumi’s own engine and the policy pack', () => {
  test('is previewed without making anything', async () => {
    expect(await succeed(place.preview(stackFile()))).toContain('shop-instance-db');
    expect(aws.calls.filter(({ action }) => /^(Create|Put)/.test(action))).toEqual([]);
  });

  test('is made with inputs that AWS knows and allows, as a first provision', async () => {
    await succeed(place.up(stackFile()));
    expect(await instance()).toMatchObject({
      DBInstanceIdentifier: 'shop-db',
      MultiAZ: true,
      StorageEncrypted: true,
      PubliclyAccessible: false,
      DeletionProtection: true,
      BackupRetentionPeriod: 14,
    });
  });

  test('is written down where jobs find it, and not in clear where Pulumi keeps its state', async () => {
    const { Parameter: found } = await ssm.send(
      new GetParameterCommand({ Name: '/holdfast/shop/specification', WithDecryption: true }),
    );
    const written = JSON.parse(String(found?.Value)) as { settings: Record<string, unknown> };
    expect(written).toMatchObject({ cluster: 'shop', environment: 'production' });
    expect(written.settings.quarantineSecurityGroup).toMatch(/^sg-/);
    expect(place.stateText()).not.toContain('quarantineSecurityGroup');
  });

  test('has nothing to change afterwards, even when its storage has grown by itself', async () => {
    expect(await place.plannedSteps(stackFile())).toEqual([]);
    const grown = { DBInstanceIdentifier: 'shop-db', AllocatedStorage: 300, ApplyImmediately: true };
    await rds.send(new ModifyDBInstanceCommand(grown));
    await succeed(place.workspace.run(['refresh', '--yes', '--skip-preview', ...stackFile()]));
    expect(await place.plannedSteps(stackFile())).toEqual([]);
  });

  test('is blocked without a verified backup, once its first provision has ended', async () => {
    await endFirstProvision();
    const since = aws.calls.length;
    expect(await failure(place.up(stackFile(upgraded)))).toContain('no usable backup set was ever verified');
    expect(aws.calls.slice(since).filter(({ action }) => /^(Create|Modify|Delete)DB/.test(action))).toEqual(
      [],
    );
  });

  test('is upgraded in place, after a snapshot, into the parameter group of the next version', async () => {
    await takeVerifiedSnapshot();
    const before = (await instance())?.DbiResourceId;
    const since = aws.calls.length;
    await succeed(place.up(stackFile(upgraded)));
    const order = aws.calls.slice(since).map(({ action }) => action);
    const steps = [
      'CreateDBSnapshot',
      'CreateDBParameterGroup',
      'ModifyDBInstance',
      'DeleteDBParameterGroup',
    ];
    expect(order.filter(action => steps.includes(action))).toEqual(steps);
    expect(await manualSnapshots()).toHaveLength(2);
    expect(await instance()).toMatchObject({ DbiResourceId: before, EngineVersion: '17.6' });
    expect(await place.plannedSteps(stackFile(upgraded))).toEqual([]);
  });

  test('goes on after a restore, once Pulumi is told which instance is the cluster’s now', async () => {
    const before = String((await instance())?.DbiResourceId);
    await restoreTo('hf-shop-verified');
    const now = String((await instance())?.DbiResourceId);
    expect(now).not.toBe(before);
    // As docs/aws.md says it.
    const file = path.join(place.home, 'stack.json');
    await succeed(place.workspace.run(['stack', 'export', '--stack', 'prod', '--file', file]));
    fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replaceAll(before, now));
    await succeed(place.workspace.run(['stack', 'import', '--stack', 'prod', '--file', file]));
    await succeed(place.workspace.run(['refresh', '--yes', '--skip-preview', ...stackFile(upgraded)]));
    // What RDS doesn't take over when it restores is put back; nothing is replaced.
    expect(await place.plannedSteps(stackFile(upgraded))).toEqual(['update shop-instance-db']);
    await succeed(place.up(stackFile(upgraded)));
    expect((await instance())?.DbiResourceId).toBe(now);
    expect(await place.plannedSteps(stackFile(upgraded))).toEqual([]);
  });

  test('is not deleted, and nothing beside it', async () => {
    const since = aws.calls.length;
    const destroy = place.workspace.run(['destroy', '--yes', ...stackFile(upgraded)]);
    expect(await failure(destroy)).toContain('cannot be deleted');
    const deleted = aws.calls.slice(since).filter(({ action }) => action.startsWith('Delete'));
    expect(deleted).toEqual([]);
  });
});

import {
  AddTagsToResourceCommand,
  CreateDBInstanceCommand,
  CreateDBSnapshotCommand,
  DescribeDBInstancesCommand,
  DescribeDBSnapshotsCommand,
  type CreateDBInstanceMessage,
  type DBInstance,
  type DBSnapshot,
} from '@aws-sdk/client-rds';
import type { Evidence } from '../../core/evidence';
import { judge } from '../../core/freshness';
import { rds } from '../../core/settings/rds';
import { AwsClock } from '../../engines/rds/clock';
import { openClients } from '../../engines/rds/clients';
import type { RdsContext } from '../../engines/rds/context';
import { beginRecord, updateRecord } from '../../engines/rds/record';
import { toTagList } from '../../engines/rds/tags';
import type { CloneRequest } from '../../engines/engine';
import { soon } from '../support/engine';
import { region, startAws, type TestAws } from '../support/moto/moto';
import { removeTempDirs } from '../support/temp';

/** An AWS of a test file's own; there is nothing in it when a test begins. */
export function useAws(): TestAws {
  let started: TestAws | undefined;
  beforeAll(async () => {
    started = await startAws();
  });
  beforeEach(() => started!.reset());
  afterAll(async () => {
    await started?.stop();
    removeTempDirs();
  });
  // Tests are written down before it is started.
  return new Proxy({} as TestAws, {
    get: (_, name) => Reflect.get(started!, name) as unknown,
    set: (_, name, value) => Reflect.set(started!, name, value),
  });
}

export const limits = { maximumAge: 93_600, verificationMaximumAge: 604_800, rpo: 600, rto: 3600 };

/** What each rule says of evidence. */
export const verdicts = (found: Evidence) =>
  Object.fromEntries(judge(found, limits).findings.map(({ rule, verdict }) => [rule, verdict]));

/** Tags of a snapshot that was verified just now. */
export const passedNow = (): Record<string, string> => ({
  'holdfast:cluster': 'shop',
  'holdfast:verification': 'passed',
  'holdfast:restore-seconds': '1200',
  'holdfast:verified-at': new Date().toISOString(),
});

export const cloneRequest = (purpose: CloneRequest['purpose'], target: CloneRequest['target']) => ({
  target,
  purpose,
  expiresAt: soon(),
});

/** The least that settings of a managed instance say. */
export const managedSource = {
  mode: 'managed',
  version: '16.4',
  class: 'db.m7g.large',
  network: {
    vpc: 'vpc-0a1b2c3d4e5f60718',
    subnets: ['subnet-0a1b2c3d4e5f60718', 'subnet-1a1b2c3d4e5f60718'],
  },
};

/** A cluster `shop` on an instance `shop-db`, which needn't exist; without a vault unless the settings say so. */
export function contextOf(
  settings: Readonly<Record<string, unknown>> = {},
  overrides: Partial<RdsContext> = {},
): RdsContext {
  const clock = new AwsClock();
  return {
    cluster: 'shop',
    environment: 'production',
    settings: rds.parse({
      instance: 'shop-db',
      region,
      source: managedSource,
      vault: { enabled: false },
      ...settings,
    }),
    clock,
    pollSeconds: 0.02,
    ...openClients(region, clock, { attempts: 2, answerSeconds: 30 }),
    ...overrides,
  };
}

/** Creates an instance as the component would. */
export async function createInstance(
  { rds: client, settings }: RdsContext,
  overrides: Partial<CreateDBInstanceMessage> = {},
): Promise<DBInstance> {
  const { DBInstance: created } = await client.send(
    new CreateDBInstanceCommand({
      DBInstanceIdentifier: settings.instance,
      DBInstanceClass: 'db.m7g.large',
      Engine: 'postgres',
      EngineVersion: '16.4',
      AllocatedStorage: 100,
      BackupRetentionPeriod: 14,
      MasterUsername: 'holdfast',
      ManageMasterUserPassword: true,
      StorageEncrypted: true,
      KmsKeyId: 'alias/aws/rds',
      CopyTagsToSnapshot: true,
      DeletionProtection: true,
      PubliclyAccessible: false,
      Tags: [{ Key: 'team', Value: 'shop' }],
      ...overrides,
    }),
  );
  return created!;
}

export async function instances({ rds: client }: RdsContext): Promise<DBInstance[]> {
  return (await client.send(new DescribeDBInstancesCommand({}))).DBInstances ?? [];
}

export async function instanceNamed(context: RdsContext, id: string): Promise<DBInstance> {
  return (await instances(context)).find(({ DBInstanceIdentifier }) => DBInstanceIdentifier === id)!;
}

/** An instance that was applied, and is recorded as the cluster's. */
export async function establish(
  context: RdsContext,
  overrides: Partial<CreateDBInstanceMessage> = {},
): Promise<DBInstance> {
  await beginRecord(context, 'provisioning');
  const instance = await createInstance(context, overrides);
  const at = context.clock.now();
  await updateRecord(context, {
    phase: 'established',
    identity: instance.DbiResourceId!,
    revision: 1,
    appliedAt: at,
    establishedAt: at,
  });
  return instance;
}

export async function createSnapshot(
  { rds: client, settings }: RdsContext,
  id: string,
  tags: Readonly<Record<string, string>> = {},
  instance = settings.instance,
): Promise<DBSnapshot> {
  const { DBSnapshot: created } = await client.send(
    new CreateDBSnapshotCommand({
      DBSnapshotIdentifier: id,
      DBInstanceIdentifier: instance,
      Tags: toTagList(tags),
    }),
  );
  return created!;
}

export async function snapshotsOf({ rds: client }: RdsContext): Promise<DBSnapshot[]> {
  const { DBSnapshots: found } = await client.send(new DescribeDBSnapshotsCommand({}));
  return found ?? [];
}

export async function manualSnapshots(context: RdsContext): Promise<DBSnapshot[]> {
  return (await snapshotsOf(context)).filter(({ SnapshotType }) => SnapshotType === 'manual');
}

export async function tag(
  { rds: client }: RdsContext,
  arn: string,
  tags: Readonly<Record<string, string>>,
): Promise<void> {
  await client.send(new AddTagsToResourceCommand({ ResourceName: arn, Tags: toTagList(tags) }));
}

/** Gives one element of the one instance or snapshot of that name another value in an answer of RDS; '' removes it. */
export function withElement(kind: 'DBInstance' | 'DBSnapshot', id: string, element: string, value: string) {
  const name = `<${kind}Identifier>${id}</${kind}Identifier>`;
  const present = value === '' ? '' : `<${element}>${value}</${element}>`;
  const before = new RegExp(`<${element}>[^<]*</${element}>|<${element}/>`);
  return (answer: string): string =>
    answer.replace(new RegExp(`<${kind}>.*?</${kind}>`, 'gs'), found =>
      found.includes(name) ? found.replace(before, '').replace(name, name + present) : found,
    );
}

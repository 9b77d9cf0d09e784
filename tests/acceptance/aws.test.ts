import {
  DeleteDBInstanceCommand,
  DescribeDBInstancesCommand,
  DescribeDBSnapshotsCommand,
  DeleteDBSnapshotCommand,
  ModifyDBInstanceCommand,
  RDSClient,
  waitUntilDBInstanceDeleted,
} from '@aws-sdk/client-rds';
import path from 'node:path';
import { Place } from '../integration/stack-support';
import { succeed } from '../support/processes';
import { repositoryRoot } from '../support/pulumi';
import { removeTempDirs } from '../support/temp';

/*
 * A cluster on a real account, from its first update to its end: `HOLDFAST_AWS_ACCEPTANCE=1 npm test -- acceptance`.
 * docs/testing.md says what it needs, what it costs, and what it leaves when it is killed. It is production on purpose: the gate, the
 * seal and `protect` are what is tried.
 */

const region = process.env.HOLDFAST_AWS_REGION ?? '';
const list = (value: string | undefined) => (value ?? '').split(',').filter(text => text !== '');
const wanted = process.env.HOLDFAST_AWS_ACCEPTANCE === '1';
const has = wanted && region !== '' && process.env.HOLDFAST_AWS_VPC !== undefined;
const suite = has ? describe : describe.skip;

const cluster = `accept${process.pid}`;
const instance = `holdfast-${cluster}`;
const hours = 3_600_000;

suite('a production cluster on Amazon RDS', () => {
  const rds = new RDSClient({ region });
  const place = new Place();
  const settings = {
    engine: 'rds',
    region,
    instance,
    source: {
      mode: 'managed',
      version: process.env.HOLDFAST_AWS_VERSION ?? '17.6',
      class: 'db.t4g.micro',
      storage: { size: '20 GiB', maximum: '30 GiB' },
      network: {
        vpc: process.env.HOLDFAST_AWS_VPC,
        subnets: list(process.env.HOLDFAST_AWS_SUBNETS),
        allowSecurityGroups: list(process.env.HOLDFAST_AWS_SECURITY_GROUPS),
      },
      automatedBackups: { retentionDays: 7 },
    },
    vault: { lock: { mode: 'governance', minimum: '7 d', maximum: '35 d' } },
    tags: { purpose: 'holdfast acceptance' },
  };
  const stackFile = (changes: object = {}) =>
    place.stackFile('prod', {
      environment: 'production',
      clusters: { [cluster]: { ...settings, source: { ...settings.source, ...changes } } },
    });
  const holdfast = async <T>(...args: string[]): Promise<T> =>
    JSON.parse(
      await succeed(process.execPath, [
        path.join(repositoryRoot, 'bin/holdfast.mjs'),
        ...args,
        '--region',
        region,
        '--json',
      ]),
    ) as T;
  const describeInstance = async () =>
    (await rds.send(new DescribeDBInstancesCommand({ DBInstanceIdentifier: instance }))).DBInstances?.[0];

  beforeAll(async () => {
    place.workspace.env.PULUMI_OPTION_POLICY_PACK = path.join(repositoryRoot, 'policy');
    await place.initialise('prod');
  });

  afterAll(async () => {
    await deleteInstance();
    // What `protect` and the seal keep is taken out of Pulumi’s hands now that the instance is gone.
    await place.workspace.run(['state', 'unprotect', '--all', '--yes', '--stack', 'prod']);
    await place.workspace.run(['destroy', '--yes', '--skip-preview', ...stackFile()]);
    removeTempDirs();
  }, 2 * hours);

  test(
    'is made, and nothing is left to change',
    async () => {
      const made = await place.up(stackFile());
      expect(made.code === 0 ? '' : made.stdout + made.stderr).toBe('');
      expect(await place.plannedSteps(stackFile())).toEqual([]);
      expect(await describeInstance()).toMatchObject({ StorageEncrypted: true, DeletionProtection: true });
    },
    2 * hours,
  );

  test(
    'is backed up and verified, and its production is fresh',
    async () => {
      const set = await holdfast<{ id: string }>('backup', cluster);
      expect(await holdfast<{ backupSet: string }>('verify', cluster)).toMatchObject({ backupSet: set.id });
      const { clusters } = await holdfast<{ clusters: { well: boolean }[] }>('status', cluster);
      expect(clusters).toMatchObject([{ well: true }]);
    },
    3 * hours,
  );

  test(
    'is changed after a snapshot that carries the change',
    async () => {
      const changed = await place.up(stackFile({ automatedBackups: { retentionDays: 8 } }));
      expect(changed.code === 0 ? '' : changed.stdout + changed.stderr).toBe('');
      const { DBSnapshots: found = [] } = await rds.send(
        new DescribeDBSnapshotsCommand({ DBInstanceIdentifier: instance, SnapshotType: 'manual' }),
      );
      const changes = found.flatMap(({ TagList = [] }) =>
        TagList.flatMap(({ Key, Value }) => (Key === 'holdfast:change' ? [Value] : [])),
      );
      expect(changes).toContainEqual(expect.stringContaining('holdfast/prod'));
    },
    2 * hours,
  );

  test('is not destroyed', async () => {
    const destroyed = await place.workspace.run(['destroy', '--yes', ...stackFile()]);
    expect(destroyed.code).not.toBe(0);
    expect((await describeInstance())?.DBInstanceStatus).toBe('available');
  }, 3_600_000);

  async function deleteInstance(): Promise<void> {
    const of = { DBInstanceIdentifier: instance };
    await rds.send(new ModifyDBInstanceCommand({ ...of, DeletionProtection: false }));
    await rds.send(
      new DeleteDBInstanceCommand({ ...of, SkipFinalSnapshot: true, DeleteAutomatedBackups: true }),
    );
    await waitUntilDBInstanceDeleted({ client: rds, maxWaitTime: 3600 }, of);
    const { DBSnapshots: left = [] } = await rds.send(
      new DescribeDBSnapshotsCommand({ ...of, SnapshotType: 'manual' }),
    );
    for (const { DBSnapshotIdentifier } of left)
      await rds.send(new DeleteDBSnapshotCommand({ DBSnapshotIdentifier }));
  }
});

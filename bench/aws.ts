import { ListRecoveryPointsByResourceCommand } from '@aws-sdk/client-backup';
import {
  DescribeDBInstanceAutomatedBackupsCommand,
  DescribeDBInstancesCommand,
  DescribeDBSnapshotsCommand,
} from '@aws-sdk/client-rds';
import { GetParametersCommand, PutParameterCommand } from '@aws-sdk/client-ssm';
import path from 'node:path';
import { parseStack } from '../core/settings/parse';
import { isRds, ofEngine, type RdsSpecification } from '../core/specification';
import { openContext, openRdsEngine } from '../engines/rds/engine';
import { ownProgram } from '../jobs/program';
import { createSnapshot, establish, managedSource } from '../tests/rds/support';
import { region, startAws, type TestAws } from '../tests/support/moto/moto';
import { Place } from '../tests/integration/stack-support';
import { homeWithAwsProvider } from '../tests/support/aws-provider/install';
import { pulumiProgram, repositoryRoot } from '../tests/support/pulumi';
import { removeTempDirs } from '../tests/support/temp';
import type { Timed } from './measure';

const cluster = 'shop';
const snapshots = 100;
/** With two snapshots: what is measured of it is not how long moto takes to list a hundred. */
const fresh = 'fresh';

/**
 * Clusters of engine rds, the newest snapshot of each verified, in moto: one with 100 snapshots, and a fresh one. And how to ask
 * AWS by ours and by the SDK alone.
 */
export class AwsBench {
  private project: Awaited<ReturnType<typeof project>> | undefined;

  private constructor(
    private readonly aws: TestAws,
    private readonly specification: RdsSpecification,
  ) {}

  static async start(say: (line: string) => void): Promise<AwsBench> {
    say(`making a cluster with ${snapshots} snapshots in moto`);
    const bench = new AwsBench(await startAws(), specify(cluster));
    try {
      await fill(bench.specification, snapshots);
      await fill(specify(fresh), 2);
      return bench;
    } catch (error) {
      await bench.close();
      throw error;
    }
  }

  /** A preview of the stack that would make it, with the provider for tests; with the policy pack or, `bare`, without. */
  async preview({ bare }: { readonly bare: boolean }): Promise<Timed> {
    this.project ??= await project();
    const { place, stackFile } = this.project;
    return {
      program: pulumiProgram(),
      args: ['preview', ...stackFile, '--non-interactive', '--color=never'],
      cwd: repositoryRoot,
      env: {
        ...place.workspace.env,
        ...(bare ? {} : { PULUMI_OPTION_POLICY_PACK: path.join(repositoryRoot, 'policy') }),
      },
    };
  }

  /** Calls of AWS that the evidence costs, AWS Backup apart. */
  async evidenceCalls(): Promise<number> {
    const engine = openRdsEngine(this.specification);
    this.aws.calls.length = 0;
    await engine.evidence();
    return this.aws.calls.filter(({ action }) => action !== 'ListRecoveryPointsByResource').length;
  }

  evidence(): () => Promise<unknown> {
    const engine = openRdsEngine(this.specification);
    return () => engine.evidence();
  }

  /** The same calls by the SDK, with as much at once. */
  rawEvidence(): () => Promise<unknown> {
    const { rds, ssm, backup, settings } = openContext(this.specification);
    const names = ['record', 'journal'].map(name => `/holdfast/${cluster}/${name}`);
    return async () => {
      const [, { DBInstances: [found] = [] }] = await Promise.all([
        ssm.send(new GetParametersCommand({ Names: names })),
        rds.send(new DescribeDBInstancesCommand({ DBInstanceIdentifier: settings.instance })),
      ]);
      const filter = { Filters: [{ Name: 'dbi-resource-id', Values: [String(found?.DbiResourceId)] }] };
      await Promise.all([
        rds.send(new DescribeDBSnapshotsCommand(filter)),
        rds.send(new DescribeDBInstanceAutomatedBackupsCommand(filter)),
        backup.send(
          new ListRecoveryPointsByResourceCommand({
            ResourceArn: found?.DBInstanceArn,
            ManagedByAWSBackupOnly: true,
            MaxResults: 1000,
          }),
        ),
      ]);
    };
  }

  /** The function as AWS Lambda starts it: Node.js, the bundle, and one call in which nothing is due. */
  coldStart(): Timed {
    const event = JSON.stringify({ command: 'run-due', cluster: fresh });
    const call = `require(${JSON.stringify(ownProgram('lambda').file)}).handler(${event}, { getRemainingTimeInMillis: () => 900000 })`;
    return {
      program: process.execPath,
      args: ['-e', `${call}.then(({ outcome }) => { if (outcome !== 'nothing') throw new Error(outcome); })`],
      env: { ...process.env, AWS_REGION: region },
    };
  }

  async close(): Promise<void> {
    await this.aws.stop();
    removeTempDirs();
  }
}

/** Makes a cluster with so many snapshots, that of RDS's own and the verified one among them; nothing is due then. */
async function fill(specification: RdsSpecification, count: number): Promise<void> {
  const context = openContext(specification);
  await establish(context);
  for (let more = 2; more < count; more++) await createSnapshot(context, `bench-${more}`);
  const engine = openRdsEngine(specification);
  const signal = new AbortController().signal;
  const set = await engine.backup('full', {}).wait({ signal, report: () => undefined });
  const at = (await engine.evidence()).observedAt;
  const verification = {
    result: 'passed',
    at,
    restoreSeconds: 60,
    replayBytesPerSecond: null,
    reason: null,
  } as const;
  await engine.recordVerification(set.id, verification, {});
  await context.ssm.send(
    new PutParameterCommand({
      Name: `/holdfast/${specification.cluster}/specification`,
      Type: 'SecureString',
      Value: JSON.stringify(specification),
    }),
  );
}

const settingsOf = (name: string) => ({
  engine: 'rds',
  instance: `${name}-db`,
  region,
  source: managedSource,
});

/** A stack with a backend of its own, which declares the cluster. */
async function project() {
  const place = new Place();
  place.workspace.env.PULUMI_HOME = await homeWithAwsProvider();
  await place.initialise('prod');
  const declared = { environment: 'production', clusters: { [cluster]: settingsOf(cluster) } };
  return { place, stackFile: place.stackFile('prod', declared) };
}

function specify(name: string): RdsSpecification {
  const { clusters, alerts } = parseStack({
    environment: 'production',
    clusters: { [name]: settingsOf(name) },
  });
  const specification = {
    schema: 1,
    stack: 'holdfast/prod',
    environment: 'production',
    cluster: name,
    settings: clusters[name]!,
    alerts,
  } as const;
  return ofEngine(specification, isRds, 'rds');
}

import { DeleteDBInstanceCommand, ModifyDBInstanceCommand } from '@aws-sdk/client-rds';
import { PutParameterCommand } from '@aws-sdk/client-ssm';
import fs from 'node:fs';
import path from 'node:path';
import type { Specification } from '../../core/specification';
import { parseStack } from '../../core/settings/parse';
import type { RdsContext } from '../../engines/rds/context';
import { hostJobs, type HostJobName } from '../../jobs/host';
import { openRdsCluster } from '../../jobs/rds/open';
import { patient } from '../support/engine';
import { startAws, type TestAws } from '../support/moto/moto';
import { startInstanceServer, type InstanceServer } from '../support/moto/postgres';
import { run, type Ran } from '../support/processes';
import { removeTempDirs, tempDir } from '../support/temp';
import { contextOf, createInstance, managedSource } from './support';

/*
 * The `holdfast` command on a cluster of engine rds: as a person types it in a checkout, and what Pulumi and the policy pack ask
 * of it; against moto and a real PostgreSQL that stands for the instance.
 */

const root = path.resolve(__dirname, '../..');

let aws: TestAws;
let server: InstanceServer;
let context: RdsContext;
/** A project whose stack file declares the cluster. */
let project: string;

beforeAll(async () => {
  [aws, server] = await Promise.all([startAws(), startInstanceServer()]);
  context = contextOf({ certificateAuthorities: server.authorities });
  project = tempDir();
  fs.writeFileSync(path.join(project, 'Pulumi.yaml'), 'name: shop\nruntime: nodejs\n');
  fs.writeFileSync(
    path.join(project, 'Pulumi.prod.yaml'),
    `config:\n  holdfast:environment: production\n  holdfast:clusters:\n    shop: ${JSON.stringify(declared())}\n`,
  );
});
afterAll(async () => {
  await Promise.all([aws.stop(), server.stop()]);
  removeTempDirs();
});

const declared = () => ({
  engine: 'rds',
  instance: 'shop-db',
  region: context.settings.region,
  source: managedSource,
  certificateAuthorities: server.authorities,
});

function specification(changes: Partial<Specification> = {}): Specification {
  const { clusters, alerts } = parseStack({ environment: 'production', clusters: { shop: declared() } });
  return {
    schema: 1,
    stack: 'shop/prod',
    environment: 'production',
    cluster: 'shop',
    settings: clusters.shop!,
    alerts,
    ...changes,
  };
}

/** Runs `holdfast` in the project, away from any home. */
async function holdfast(args: readonly string[]): Promise<Ran> {
  const home = path.join(project, 'home');
  return run(process.execPath, [path.join(root, 'bin/holdfast.mjs'), ...args], {
    cwd: project,
    env: { ...process.env, HOLDFAST_HOME: home, HOLDFAST_REQUESTER: 'ada@shop' },
  });
}

async function succeed<T>(args: readonly string[]): Promise<T> {
  const ran = await holdfast([...args, '--json']);
  if (ran.code !== 0) throw new Error(`holdfast ${args.join(' ')} ended with ${ran.code}:\n${ran.stderr}`);
  return JSON.parse(ran.stdout) as T;
}

/** What `holdfast host <verb>` does, in this process. */
const host = <T>(verb: HostJobName, document: object): Promise<T> =>
  hostJobs[verb]({ home: '/nowhere', region: context.settings.region }, document, patient()) as Promise<T>;

async function refusal(args: readonly string[]) {
  const ran = await holdfast([...args, '--json']);
  const last = ran.stderr.trim().split('\n').at(-1) ?? '';
  const { error } = JSON.parse(last) as { error: { code: string; message: string } };
  return { exit: ran.code, ...error };
}

const writeSpecification = (text: string) =>
  context.ssm.send(
    new PutParameterCommand({
      Name: '/holdfast/shop/specification',
      Value: text,
      Type: 'SecureString',
      Overwrite: true,
    }),
  );

interface Survey {
  clusters: {
    place: string;
    state: string;
    problem: string | null;
    report: { evidence: { phase: string } };
  }[];
}

const survey = async () => {
  const ran = await holdfast(['status', '--json']);
  return { exit: ran.code, ...(JSON.parse(ran.stdout) as Survey).clusters[0]! };
};

describe('before `pulumi up`', () => {
  test('the cluster is declared, and not provisioned', async () => {
    expect(await survey()).toMatchObject({ exit: 4, place: 'AWS eu-central-1', state: 'not-provisioned' });
    expect(await refusal(['backup', 'shop'])).toMatchObject({
      exit: 2,
      message: 'shop is not provisioned in eu-central-1',
    });
  });

  test('nothing can be reported of it', async () => {
    await expect(host('report', { cluster: 'shop' })).rejects.toMatchObject({
      code: 'configuration',
      message: 'shop is not provisioned in eu-central-1',
    });
  });

  test('there is evidence, of nothing, and nothing that differs', async () => {
    const asked = { cluster: 'shop', specification: specification() };
    expect(await host('evidence', asked)).toMatchObject({ engine: 'rds', phase: 'none', problems: [] });
    expect(await host('inspect', asked)).toMatchObject({ provisioned: false, revision: 0, drift: [] });
  });

  test('there is nothing that would keep it from being deleted', async () => {
    const asked = { cluster: 'shop', specification: specification() };
    expect(await host('seal', asked)).toEqual({ cluster: 'shop', sealed: false });
  });

  test('a specification that may not be read is not "not provisioned"', async () => {
    aws.refuse(/^GetParameter$/, 'AccessDeniedException');
    await expect(host('report', { cluster: 'shop' })).rejects.toMatchObject({
      code: 'configuration',
      message: expect.stringContaining(
        'reading /holdfast/shop/specification failed: AWS denies it',
      ) as string,
    });
    aws.heal();
  });

  test.each([
    ['not JSON', 'no {', /specification in eu-central-1 is not JSON/],
    ['another cluster’s', JSON.stringify({ cluster: 'crm' }), /is of cluster crm/],
    [
      'of a cluster on a machine',
      JSON.stringify({ settings: { engine: 'host' } }),
      /specification is not valid/,
    ],
  ])('a specification that is %s is refused', async (_, changed, message) => {
    const text = changed.startsWith('{')
      ? JSON.stringify({ ...specification(), ...JSON.parse(changed) })
      : changed;
    await writeSpecification(text);
    await expect(host('report', { cluster: 'shop' })).rejects.toMatchObject({
      code: 'configuration',
      message: expect.stringMatching(message) as string,
    });
  });
});

test('a specification that may not be read is not taken for none', async () => {
  aws.refuse(/^GetParameter$/, 'AccessDeniedException');
  await expect(host('report', { cluster: 'shop' })).rejects.toMatchObject({
    code: 'configuration',
    message: expect.stringContaining('reading /holdfast/shop/specification failed: AWS denies it') as string,
  });
  aws.heal();
});

describe('a cluster that `pulumi up` makes', () => {
  test('begins with a record, before there is an instance', async () => {
    await writeSpecification(JSON.stringify(specification()));
    const asked = { cluster: 'shop', specification: specification() };
    expect(await host('begin', asked)).toEqual({ cluster: 'shop', phase: 'provisioning' });
    expect(await host('begin', asked)).toEqual({ cluster: 'shop', phase: 'provisioning' });
    // As long as nothing was made, there is nothing that would be lost.
    expect(await host('seal', asked)).toEqual({ cluster: 'shop', sealed: false });
    const staging = { ...asked, specification: specification({ environment: 'staging' }) };
    await expect(host('begin', staging)).rejects.toMatchObject({
      code: 'refused',
      message: 'cluster shop was provisioned as production, and is declared staging',
    });
  });

  test('is never that of another stack', async () => {
    const other = { specification: specification({ stack: 'other/prod' }), revision: 1 };
    await expect(host('apply', other)).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining('belongs to the stack shop/prod, not to other/prod') as string,
    });
  });

  test('is applied once its instance is there, and then known as that instance', async () => {
    const request = { specification: specification(), revision: 1 };
    await expect(host('apply', request)).rejects.toMatchObject({ code: 'engine-failed' });
    const { DbiResourceId } = await createInstance(context, { Port: server.port });
    expect(await host('apply', request)).toEqual({
      cluster: 'shop',
      endpoint: { host: expect.any(String) as string, port: server.port },
      resourceId: DbiResourceId,
      revision: 1,
    });
    expect(await host('inspect', { specification: specification(), cluster: 'shop' })).toMatchObject({
      provisioned: true,
      revision: 1,
    });
    expect(await survey()).toMatchObject({
      exit: 4,
      state: 'reported',
      report: { evidence: { phase: 'provisioning', identity: { found: DbiResourceId } } },
    });
    expect(await host('report', { cluster: 'shop' })).toMatchObject({
      evidence: { phase: 'provisioning', identity: { found: DbiResourceId } },
    });
    // As the function on Lambda opens it.
    const opened = await openRdsCluster(context.settings.region, 'shop');
    expect(opened).toMatchObject({ name: 'shop', specification: { stack: 'shop/prod' } });
    expect((await opened.engine.evidence()).identity.found).toBe(DbiResourceId);
  });
});

describe('the audit log', () => {
  const decided = {
    operation: 'preview',
    stack: 'shop/prod',
    decision: 'blocked',
    reasons: ['it is late'],
  };

  test('has what the policy pack decided of a cluster, and nothing of one that isn’t provisioned', async () => {
    expect(await host('gate', { ...decided, cluster: 'shop' })).toEqual({ recorded: true });
    expect(await host('gate', { ...decided, cluster: 'crm' })).toEqual({ recorded: false });
  });
});

describe('a person', () => {
  test('backs it up, verifies it, and from then on its production is fresh', async () => {
    await server.query('create table if not exists items as select generate_series(1, 100) as id');
    const set = await succeed<{ id: string }>(['backup', 'shop', '--change', 'OPS-7']);
    const verified = await succeed<{ backupSet: string; counts: Record<string, number> }>(['verify', 'shop']);
    expect(verified.backupSet).toBe(set.id);
    expect(verified.counts).toMatchObject({ 'postgres.public.items': 100 });
    expect(await survey()).toMatchObject({
      report: {
        evidence: {
          phase: 'established',
          backups: expect.arrayContaining([
            expect.objectContaining({ id: set.id, changeId: 'OPS-7' }),
          ]) as unknown[],
        },
      },
    });
  });

  test('makes a clone of it, sees it, and drops it', async () => {
    const made = await succeed<{ id: string }>(['clone', 'shop', '--latest']);
    const listed = await succeed<{ id: string }[]>(['clones', 'shop']);
    expect(listed.map(({ id }) => id)).toEqual([made.id]);
    await succeed(['clone-drop', 'shop', made.id]);
    expect(await succeed(['clones', 'shop'])).toEqual([]);
  });

  test('names the region instead of having stack files', async () => {
    const elsewhere = await run(
      process.execPath,
      [path.join(root, 'bin/holdfast.mjs'), 'status', 'shop', '--region', 'eu-central-1', '--json'],
      { cwd: tempDir(), env: { ...process.env, HOLDFAST_HOME: path.join(project, 'home') } },
    );
    expect(JSON.parse(elsewhere.stdout)).toMatchObject({
      clusters: [{ cluster: 'shop', environment: 'production', state: 'reported' }],
    });
  });

  test('is told when AWS can’t be asked, and the verdict is unknown', async () => {
    aws.refuse(/^DescribeDB/, 'AccessDenied');
    const found = await survey();
    aws.heal();
    expect(found.exit).toBe(4);
    expect(found.report).toMatchObject({ judgement: { verdict: 'unknown' } });
  });
});

describe('Pulumi', () => {
  const asked = () => ({ cluster: 'shop', specification: specification() });

  test('has a snapshot taken before a change, and only says so in a preview', async () => {
    const change = { ...asked(), change: 'shop/prod@now', breakGlass: { state: 'none' } };
    expect(await host('snapshot', { ...change, dryRun: true })).toMatchObject({ outcome: 'would-do' });
    const done = await host<{ outcome: string; backupSet: string }>('snapshot', { ...change, dryRun: false });
    expect(done.outcome).toBe('done');
    expect(await host('evidence', asked())).toMatchObject({
      backups: expect.arrayContaining([
        expect.objectContaining({ id: done.backupSet, changeId: 'shop/prod@now' }),
      ]) as unknown[],
    });
  });

  test('can’t delete production as long as there is the instance', async () => {
    await expect(host('seal', asked())).rejects.toMatchObject({
      code: 'refused',
      message: 'production cluster shop is not deleted: there is shop-db',
    });
    aws.refuse(/^DescribeDBInstances$/, 'AccessDenied');
    await expect(host('seal', asked())).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining('can’t be known') as string,
    });
    aws.heal();
  });

  test('can delete it once there is none', async () => {
    const of = { DBInstanceIdentifier: 'shop-db' };
    await context.rds.send(new ModifyDBInstanceCommand({ ...of, DeletionProtection: false }));
    await context.rds.send(new DeleteDBInstanceCommand({ ...of, SkipFinalSnapshot: true }));
    expect(await host('seal', asked())).toEqual({ cluster: 'shop', sealed: false });
  });
});

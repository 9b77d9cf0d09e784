import { CreateDBSnapshotCommand, RDSClient } from '@aws-sdk/client-rds';
import { GetParameterCommand, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { encodeVerification, toTagList } from '../../engines/rds/tags';
import { region, type TestAws } from '../support/moto/moto';
import type { Ran } from '../support/processes';

/* What tests of a stack with cluster `shop` on the instance `shop-db` have in common. */

/** The VPC that every account begins with. */
export async function defaultNetwork(aws: TestAws): Promise<object> {
  const answer = await aws.ask('ec2', { Action: 'DescribeSubnets', Version: '2016-11-15' });
  const all = (pattern: RegExp) => [...new Set([...answer.matchAll(pattern)].map(([id]) => id))];
  return {
    vpc: all(/vpc-[0-9a-f]+/g)[0],
    subnets: all(/subnet-[0-9a-f]+/g).slice(0, 2),
    allowNetworks: ['10.1.0.0/16'],
  };
}

export async function succeed(running: Promise<Ran>): Promise<string> {
  const { code, stdout, stderr } = await running;
  if (code !== 0) throw new Error(`ended with ${code}:\n${stdout}${stderr}`);
  return stdout;
}

export async function failure(running: Promise<Ran>): Promise<string> {
  const { code, stdout, stderr } = await running;
  expect({ code, stdout }).not.toMatchObject({ code: 0 });
  return stdout + stderr;
}

/** As the first verified backup leaves it. */
export async function endFirstProvision(): Promise<void> {
  const ssm = new SSMClient({ region });
  const Name = '/holdfast/shop/record';
  const { Parameter: found } = await ssm.send(new GetParameterCommand({ Name }));
  const record = JSON.parse(String(found?.Value)) as object;
  const established = { ...record, phase: 'established', establishedAt: new Date().toISOString() };
  await ssm.send(new PutParameterCommand({ Name, Value: JSON.stringify(established), Overwrite: true }));
}

export async function takeVerifiedSnapshot(): Promise<void> {
  const rds = new RDSClient({ region });
  const verification = {
    result: 'passed' as const,
    at: new Date().toISOString(),
    restoreSeconds: 600,
    replayBytesPerSecond: null,
    reason: null,
  };
  await rds.send(
    new CreateDBSnapshotCommand({
      DBInstanceIdentifier: 'shop-db',
      DBSnapshotIdentifier: 'hf-shop-verified',
      Tags: toTagList({ 'holdfast:cluster': 'shop', ...encodeVerification(verification, 'none') }),
    }),
  );
}

import fs from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { Place } from '../integration/stack-support';
import { homeWithAwsProvider } from '../support/aws-provider/install';
import { startAws, type TestAws } from '../support/moto/moto';
import { repositoryRoot } from '../support/pulumi';
import { removeTempDirs } from '../support/temp';

/*
 * The stack files of examples/aws, previewed with the provider for tests: every key is known, every input is one that AWS's model
 * allows, and the policy pack has nothing against it. It doesn't show that AWS would replace nothing later.
 */

let aws: TestAws;
let place: Place;
beforeAll(async () => {
  aws = await startAws();
  place = new Place();
  Object.assign(place.workspace.env, {
    PULUMI_HOME: await homeWithAwsProvider(),
    PULUMI_OPTION_POLICY_PACK: path.join(repositoryRoot, 'policy'),
  });
});
afterAll(async () => {
  await aws.stop();
  removeTempDirs();
});

test.each([
  ['prod', 'shop', ['vault', 'replication', 'instance-db', 'schedule-run-due']],
  ['staging', 'shop-staging', ['instance-db', 'schedule-run-due']],
] as const)('%s is previewed, and nothing is made', async (stack, cluster, resources) => {
  await place.initialise(stack);
  const file = path.join(repositoryRoot, `examples/aws/Pulumi.${stack}.yaml`);
  const { config } = parse(fs.readFileSync(file, 'utf8')) as { config: Record<string, unknown> };
  const settings = Object.entries(config).filter(([key]) => key.startsWith('holdfast:'));
  const declared = Object.fromEntries(settings.map(([key, value]) => [key.slice('holdfast:'.length), value]));
  const { code, stdout, stderr } = await place.preview(place.stackFile(stack, declared));
  expect(`${code} ${code === 0 ? '' : stdout + stderr}`).toBe('0 ');
  for (const resource of resources) expect(stdout).toMatch(new RegExp(`${cluster}-\\S*${resource}`));
  expect(stdout).toContain(`${cluster}: databases that are not managed: shop.`);
  expect(stdout).not.toMatch(/delete|replace/);
  expect(aws.calls.filter(({ action }) => /^(Create|Put)/.test(action))).toEqual([]);
});

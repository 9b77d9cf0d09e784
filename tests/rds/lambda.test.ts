import { PutParameterCommand } from '@aws-sdk/client-ssm';
import { parseStack } from '../../core/settings/parse';
import { openContext, openRdsEngine } from '../../engines/rds/engine';
import { isRds, ofEngine, type RdsSpecification } from '../../core/specification';
import { ownProgram } from '../../jobs/program';
import { region, startAws, type TestAws } from '../support/moto/moto';
import { startInstanceServer, type InstanceServer } from '../support/moto/postgres';
import { run, type Ran } from '../support/processes';
import { removeTempDirs } from '../support/temp';
import { establish, managedSource } from './support';

/*
 * The function as AWS Lambda runs it: the bundle, in a process of its own, called with an event. What is around it (the role, the
 * network, the scheduler) isn't here.
 */

let aws: TestAws;
let server: InstanceServer;
beforeAll(async () => {
  [aws, server] = await Promise.all([startAws(), startInstanceServer()]);
});
afterAll(async () => {
  await Promise.all([aws.stop(), server.stop()]);
  removeTempDirs();
});

function specify(): RdsSpecification {
  const { authorities: certificateAuthorities } = server;
  const shop = { engine: 'rds', instance: 'shop-db', region, source: managedSource, certificateAuthorities };
  const { clusters, alerts } = parseStack({ environment: 'production', clusters: { shop } });
  const specification = {
    schema: 1,
    stack: 'shop/prod',
    environment: 'production',
    cluster: 'shop',
    settings: clusters.shop!,
    alerts,
  } as const;
  return ofEngine(specification, isRds, 'rds');
}

/** One call, with so many milliseconds until AWS would end it. */
function call(event: object, remaining = 900_000): Promise<Ran> {
  const script = `
    require(${JSON.stringify(ownProgram('lambda').file)})
      .handler(${JSON.stringify(event)}, { getRemainingTimeInMillis: () => ${remaining} })
      .then(report => console.log(JSON.stringify(report)), error => { console.error(error.message); process.exitCode = 1; });`;
  return run(process.execPath, ['-e', script], { env: { ...process.env, AWS_REGION: region } });
}
const due = { command: 'run-due', cluster: 'shop' };
const reportOf = ({ stdout }: Ran): unknown =>
  JSON.parse(stdout.split('\n').find(line => line.startsWith('{"cluster"')) ?? 'null');

test('another event than that of the scheduler is refused, and so is a cluster that nobody provisioned', async () => {
  expect((await call({ command: 'drop', cluster: 'shop' })).stderr).toContain('this function is called with');
  expect((await call(due)).stderr).toContain('shop is not provisioned in eu-central-1');
});

test('one call after the other does what is due, until nothing is', async () => {
  const shop = specify();
  const context = openContext(shop);
  await establish(context, { Port: server.port });
  const name = '/holdfast/shop/specification';
  await context.ssm.send(
    new PutParameterCommand({ Name: name, Type: 'SecureString', Value: JSON.stringify(shop) }),
  );
  const jobs: (string | null)[] = [];
  while (jobs.at(-1) !== null && jobs.length < 8) {
    const ran = await call(due);
    expect(ran.stderr).toBe('');
    jobs.push((reportOf(ran) as { job: string | null }).job);
  }
  expect([...new Set(jobs)]).toEqual(['verification', null]);
  const { backups } = await openRdsEngine(shop).evidence();
  expect(backups.map(({ verification }) => verification?.result)).toEqual(['passed']);
});

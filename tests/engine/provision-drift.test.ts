import fs from 'node:fs/promises';
import type { HostSpecification } from '../../core/specification';
import { apply } from '../../engines/host/provision/apply';
import { configurationFiles } from '../../engines/host/provision/configure';
import { inspect } from '../../engines/host/provision/inspect';
import { stop } from '../../engines/host/provision/power';
import { engineOf, ownPort, rows } from '../support/engine';
import { createCluster, specify, type TestCluster } from '../support/host-cluster';
import { removeTempDirs } from '../support/temp';

let cluster: TestCluster;
let port: Awaited<ReturnType<typeof ownPort>>;
const declared = (): HostSpecification => specify({ cluster: port });
const reapply = (revision = 1) =>
  apply(
    { specification: declared(), revision },
    { home: cluster.home, program: null, report: () => undefined },
  );
const inspected = () => inspect(declared(), { home: cluster.home });
const query = <Row extends object>(sql: string): Promise<Row[]> => rows<Row>(engineOf(cluster), sql);
const setting = async (name: string) =>
  (await query<{ value: string }>(`select current_setting('${name}') as value`))[0]?.value;

beforeAll(async () => {
  port = await ownPort();
  cluster = await createCluster({ cluster: port });
});

afterAll(async () => {
  await cluster.drop();
  removeTempDirs();
});

describe('drift', () => {
  it('is found in settings, ALTER SYSTEM, pg_hba.conf and pgbackrest.conf, and repaired by the next apply', async () => {
    const files = configurationFiles(cluster.paths.dataDirectory);
    await query("alter system set work_mem = '9MB'");
    await fs.appendFile(files.settings, "archive_command = '/bin/true' # for now\n");
    await fs.appendFile(files.access, 'host all all 0.0.0.0/0 trust\n');
    await fs.appendFile(cluster.paths.configuration, 'pg1-user=mallory\n');
    const { drift, applied } = await inspected();
    expect(drift.map(({ what, found }) => [what, found])).toEqual([
      ['settings.archive_command', '/bin/true'],
      ['settings.work_mem', '9MB'],
      ['pg_hba.conf', 'host all all 0.0.0.0/0 trust'],
      ['pgbackrest.conf', 'changed: shop/pg1-user'],
    ]);
    expect(applied?.systemIdentifier).toBe(cluster.outcome.applied.systemIdentifier);
    const { changed } = await reapply(3);
    expect(changed).toEqual([
      'settings.work_mem',
      'settings.archive_command',
      'pg_hba.conf',
      'pgbackrest.conf',
    ]);
    expect(await inspected()).toMatchObject({ drift: [], revision: 3 });
    expect(await setting('work_mem')).toBe('4MB');
    expect(await setting('archive_command')).toContain('archive-push');
  });

  it('of the provider’s role is repaired too', async () => {
    await query('alter role holdfast_provider superuser');
    expect((await reapply()).changed).toEqual(['provider role']);
  });

  it('is found and repaired in a stopped cluster, which the apply starts', async () => {
    await query("alter system set port = '1'");
    expect(await stop(cluster.specification, cluster.home)).toBe(true);
    const stopped = await inspected();
    expect(stopped).toMatchObject({ running: false, provisioned: true, needsRestart: [] });
    expect(stopped.drift.map(({ what }) => what)).toEqual(['settings.port']);
    expect((await reapply()).changed).toEqual(['settings.port', 'started']);
    expect((await inspected()).drift).toEqual([]);
  });

  it('is not what a restore leaves in postgresql.auto.conf', async () => {
    const { overrides } = configurationFiles(cluster.paths.dataDirectory);
    await fs.appendFile(
      overrides,
      "restore_command = 'pgbackrest archive-get %f \"%p\"'\nrecovery_target_lsn = '0/1'\n",
    );
    expect((await inspected()).drift).toEqual([]);
    await query('alter system reset all');
  });
});

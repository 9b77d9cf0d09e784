import os from 'node:os';
import path from 'node:path';
import type { HostSpecification } from '../../core/specification';
import { pathsOf } from '../../engines/host/layout';
import { apply, type ApplyOutcome } from '../../engines/host/provision/apply';
import { readRecord } from '../../engines/host/record';
import { withServer } from '../../engines/host/session';
import { startForeignCluster } from './foreign-cluster';
import { specify } from './host-cluster';

/** A cluster of somebody else with a table of theirs, and what it takes to adopt it here, as its owner. */
export async function adoptable(settings: readonly string[] = []) {
  const foreign = await startForeignCluster(settings);
  const { directory, dataDirectory, port } = foreign;
  const home = path.join(directory, 'home');
  const server = { socketDirectory: directory, port, superuser: os.userInfo().username };
  const query = <Row extends object>(sql: string): Promise<Row[]> =>
    withServer(server, 'postgres', session => session.query<Row>(sql));
  await query('create table theirs as select generate_series(1, 1000) as id');
  const declared = (source: Record<string, unknown> = {}, cluster: Record<string, unknown> = {}) =>
    specify({
      environment: 'staging',
      cluster: {
        source: { mode: 'existing', dataDirectory, port, socketDirectory: directory, ...source },
        ...cluster,
      },
    });
  const adopt = (specification: HostSpecification): Promise<ApplyOutcome> =>
    apply({ specification, revision: 1 }, { home, program: null, report: () => undefined });
  const setting = async (name: string): Promise<string> =>
    (await query<{ value: string }>(`select setting as value from pg_settings where name = '${name}'`))[0]!
      .value;
  return {
    ...foreign,
    home,
    configuration: path.join(dataDirectory, 'postgresql.conf'),
    query,
    declared,
    adopt,
    setting,
    record: () => readRecord(pathsOf(home, declared())),
  };
}

export type Adoptable = Awaited<ReturnType<typeof adoptable>>;

import fs from 'node:fs/promises';
import path from 'node:path';
import type { CloneRequest, Engine } from '../../engines/engine';
import { engineOf, ownPort, patient, rows, soon } from '../support/engine';
import { createCluster, type TestCluster } from '../support/host-cluster';
import { removeTempDirs } from '../support/temp';

let cluster: TestCluster;
let engine: Engine;
/** After the third row, which is the last change. */
let afterThird: string;

const make = (target: CloneRequest['target']) =>
  engine.clone({ target, purpose: 'clone', expiresAt: soon() }).wait(patient());

beforeAll(async () => {
  cluster = await createCluster({ cluster: await ownPort() });
  engine = engineOf(cluster);
  await rows(engine, 'create table log (what text)');
  await engine.backup('full', {}).wait(patient());
  await rows(engine, `insert into log values ('1 first')`);
  await engine.markRestorePoint('first');
  await rows(engine, `insert into log values ('2 second')`);
  const [damaged] = await rows<{ name: string }>(
    engine,
    'select pg_walfile_name(pg_current_wal_lsn()) as name',
  );
  await engine.markRestorePoint('second');
  await rows(engine, `insert into log values ('3 third')`);
  await engine.markRestorePoint('third');
  const [row] = await rows<{ now: string }>(
    engine,
    `select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as now`,
  );
  afterThird = row!.now;
  await damage(damaged!.name);
});

afterAll(async () => {
  await cluster.drop();
  removeTempDirs();
});

/** Changes bytes of an archived segment, so that its checksum is wrong. */
async function damage(segment: string): Promise<void> {
  const directory = path.join(cluster.paths.repository, 'archive/shop/15-1', segment.slice(0, 16));
  const name = (await fs.readdir(directory)).find(file => file.startsWith(segment))!;
  const file = path.join(directory, name);
  const content = await fs.readFile(file);
  content.fill(0x5a, Math.floor(content.length / 2), Math.floor(content.length / 2) + 64);
  await fs.writeFile(file, content);
}

describe('a damaged WAL segment in the repository', () => {
  it('does not pass for the end of the WAL: a clone of a later time fails', async () => {
    await expect(make({ type: 'time', at: afterThird })).rejects.toThrow(
      /recovery ended with WAL segment 0000000100000000000000\d\d, though the repository has WAL until 0000000100000000000000\d\d/,
    );
    expect(await engine.clones()).toEqual([]);
  });

  it('does not pass for the latest moment of a cluster that is stopped either', async () => {
    await engine.halt();
    await expect(make({ type: 'latest' })).rejects.toThrow('though the repository has WAL until');
    await engine.resume();
  });

  it('stands in the way of no moment before it', async () => {
    const clone = await make({ type: 'restore-point', name: 'first' });
    expect(await rows(engine, 'select what from log', { database: 'postgres', clone })).toEqual([
      { what: '1 first' },
    ]);
    await engine.dropClone(clone.id);
  });
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { findInstallation } from '../../engines/host/postgres/installation';
import { backup } from '../../jobs/backup';
import { openSpecified } from '../../jobs/context';
import { verify } from '../../jobs/verify';
import { patient } from '../support/engine';
import { adoptable, type Adoptable } from '../support/adoption';
import { until } from '../support/processes';
import { removeTempDirs } from '../support/temp';

/*
 * A cluster that is adopted while applications write to it. pgbench counts the transactions that were acknowledged to it, each
 * of which leaves a row of history; what tellers, branches and accounts have is at all times the sum of their history.
 */

afterAll(removeTempDirs);

const clients = 2;
const sums = ['pgbench_accounts.abalance', 'pgbench_tellers.tbalance', 'pgbench_branches.bbalance'].map(
  column => `(select sum(${column.split('.')[1]}) from ${column.split('.')[0]})`,
);
const balanced = `select ${sums.map(sum => `${sum} = (select sum(delta) from pgbench_history)`).join(' and ')}`;

const historyRows = async ({ query }: Adoptable): Promise<number> =>
  (await query<{ n: number }>('select count(*)::int as n from pgbench_history'))[0]!.n;

/** Clients that write without a pause until `end`, which tells how many of their transactions were committed to them. */
async function load(foreign: Adoptable): Promise<{ end: () => Promise<number> }> {
  await foreign.program('pgbench', ['--initialize', '--quiet', 'postgres']);
  const program = path.join((await findInstallation(15)).bin, 'pgbench');
  const connection = ['-h', foreign.directory, '-p', String(foreign.port), 'postgres'];
  const args = ['--no-vacuum', `--client=${clients}`, '--time=600', '--rate=400', ...connection];
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let report = '';
  child.stdout.on('data', (chunk: Buffer) => (report += chunk.toString()));
  const closed = once(child, 'close');
  await until('its clients write', async () => (await historyRows(foreign)) > 0);
  return {
    end: async () => {
      // What --time does when it is over: clients end after their transaction, and the report is printed.
      child.kill('SIGALRM');
      await closed;
      return Number(/number of transactions actually processed: (\d+)/.exec(report)?.[1]);
    },
  };
}

const declaredIn = (foreign: Adoptable, source: Readonly<Record<string, unknown>>) =>
  foreign.declared(source, {
    backups: {
      verification: { checks: [{ database: 'postgres', name: 'history adds up', sql: balanced }] },
    },
  });

describe('a cluster that is adopted under load', () => {
  let foreign: Adoptable;
  afterEach(() => foreign.stop());

  it('without a restart loses no transaction, and backups under load are whole', async () => {
    foreign = await adoptable([`archive_mode = on`, `archive_command = '/bin/true'`]);
    const specification = declaredIn(foreign, { replaceArchiveCommand: 'nothing was archived' });
    const { end } = await load(foreign);
    const { changed } = await foreign.adopt(specification);
    expect(changed).toContain('settings.archive_command');
    expect(changed).not.toContain('restarted');

    const cluster = await openSpecified(foreign.home, specification);
    const before = await historyRows(foreign);
    await backup(cluster, { kind: 'full' }).wait(patient());
    const underLoad = (await verify(cluster).wait(patient())).counts['postgres.public.pgbench_history']!;
    const acknowledged = await end();
    expect(await historyRows(foreign)).toBe(acknowledged);
    expect(underLoad).toBeGreaterThanOrEqual(before);
    expect(underLoad).toBeLessThan(acknowledged);

    await backup(cluster, { kind: 'incremental' }).wait(patient());
    const { verification, counts } = await verify(cluster).wait(patient());
    expect(verification.result).toBe('passed');
    expect(counts).toMatchObject({
      'postgres.public.pgbench_history': acknowledged,
      'postgres.public.pgbench_accounts': 100_000,
      'postgres.public.theirs': 1000,
    });
    const evidence = await cluster.engine.evidence();
    expect(evidence).toMatchObject({
      phase: 'established',
      problems: [],
      archive: { failing: null, gaps: [] },
    });
  });

  it('by the restart that was allowed loses none that was acknowledged', async () => {
    foreign = await adoptable();
    const { end } = await load(foreign);
    const { changed } = await foreign.adopt(declaredIn(foreign, { allowRestart: true }));
    expect(changed).toContain('restarted');
    const acknowledged = await end();
    expect(acknowledged).toBeGreaterThan(0);
    // A client that was cut off at its commit doesn't know whether it happened.
    const rows = await historyRows(foreign);
    expect(rows).toBeGreaterThanOrEqual(acknowledged);
    expect(rows).toBeLessThanOrEqual(acknowledged + clients);
    expect(await foreign.query(`select (${balanced}) as balanced`)).toEqual([{ balanced: true }]);
  });
});

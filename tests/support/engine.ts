import type { Clone, Engine, Session, Watch } from '../../engines/engine';
import { openHostEngine } from '../../engines/host/engine';
import { Findings } from '../../jobs/checklist';
import type { TestCluster } from './host-cluster';
import { freePort } from './ports';

/** Somebody who waits for an operation: remembers the steps, and never gives up unless told to. */
export function patient(): Watch & { readonly steps: string[]; readonly cancel: AbortController } {
  const steps: string[] = [];
  const cancel = new AbortController();
  return { steps, cancel, signal: cancel.signal, report: ({ step }) => void steps.push(step) };
}

export function engineOf(cluster: TestCluster, archiveDeadlineSeconds = 20): Engine {
  return openHostEngine({ home: cluster.home, specification: cluster.specification, archiveDeadlineSeconds });
}

/** The rows of a query in the cluster, or in a clone of it. */
export function rows<Row extends object>(
  engine: Engine,
  sql: string,
  where: Parameters<Engine['withSession']>[0] = { database: 'postgres' },
): Promise<Row[]> {
  return engine.withSession(where, (session: Session) => session.query<Row>(sql));
}

/** What is wrong with a clone, all of it checked at once. */
export async function damageOf(
  engine: Pick<Engine, 'checkIntegrity'>,
  clone: Clone,
): Promise<readonly string[]> {
  const found = new Findings();
  await engine.checkIntegrity(clone, found, patient());
  return found.wrong;
}

/** A port of its own for a cluster, as under `holdfast:clusters.<name>`: other test files choose ports at the same time. */
export async function ownPort(): Promise<{ readonly source: Readonly<Record<string, unknown>> }> {
  return { source: { mode: 'managed', port: await freePort() } };
}

/** An hour from now: when a test's clone expires. */
export const soon = (): string => new Date(Date.now() + 3_600_000).toISOString();

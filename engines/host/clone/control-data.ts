import path from 'node:path';
import { HoldfastError } from '../../../core/errors';
import { serverEnvironment } from '../postgres/server';
import { run } from '../process';

/** What a data directory's control file says. */
export interface ControlData {
  readonly segmentBytes: number;
  /** `in production`, `shut down`, … */
  readonly state: string;
  readonly timeline: number;
  /** The segment in which the latest checkpoint begins; earlier ones of the timeline are complete. */
  readonly checkpointSegment: string;
  /** Settings below which the cluster's WAL can't be replayed. */
  readonly least: Readonly<Record<string, string>>;
}

/** Reads `pg_controldata`. @throws HoldfastError `engine-failed` when the control file is missing or damaged. */
export async function controlData(bin: string, dataDirectory: string): Promise<ControlData> {
  const { stdout } = await run(path.join(bin, 'pg_controldata'), [dataDirectory], {
    env: serverEnvironment(),
    timeoutSeconds: 30,
  });
  const field = (name: string): string => {
    const line = stdout.split('\n').find(candidate => candidate.startsWith(`${name}:`));
    if (line === undefined)
      throw new HoldfastError(
        'engine-failed',
        `pg_controldata says nothing of “${name}” for ${dataDirectory}`,
      );
    return line.slice(name.length + 1).trim();
  };
  return {
    segmentBytes: Number(field('Bytes per WAL segment')),
    state: field('Database cluster state'),
    timeline: Number(field("Latest checkpoint's TimeLineID")),
    checkpointSegment: field("Latest checkpoint's REDO WAL file"),
    least: {
      max_connections: field('max_connections setting'),
      max_worker_processes: field('max_worker_processes setting'),
      max_wal_senders: field('max_wal_senders setting'),
      max_prepared_transactions: field('max_prepared_xacts setting'),
      max_locks_per_transaction: field('max_locks_per_xact setting'),
    },
  };
}

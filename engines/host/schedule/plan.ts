import { createHash } from 'node:crypto';
import path from 'node:path';
import type { HostSpecification } from '../../../core/specification';
import { pathsOf } from '../layout';
import { ownerName } from '../owner';

/** What a timer runs, and as whom. */
export interface Job {
  /** `holdfast-shop-1a2b3c4d`: of no other cluster, and of no other home. */
  readonly name: string;
  readonly cluster: string;
  readonly owner: string;
  /** Node.js and the program. */
  readonly command: readonly [node: string, program: string];
  readonly environment: Readonly<Record<string, string>>;
  readonly log: string;
  readonly dataDirectory: string;
  /** Whether the cluster is started with its machine. */
  readonly startsAtBoot: boolean;
}

export interface ScheduleProgram {
  readonly home: string;
  /** Node.js on the cluster's machine. */
  readonly node: string;
  /** The installed program. */
  readonly program: string;
}

/** Directories where packages put pgbackrest and PostgreSQL: a timer's own PATH is shorter. */
const searchPath = [
  '/usr/local/sbin',
  '/usr/local/bin',
  '/usr/sbin',
  '/usr/bin',
  '/sbin',
  '/bin',
  '/opt/homebrew/bin',
];

export function jobOf(specification: HostSpecification, { home, node, program }: ScheduleProgram): Job {
  const paths = pathsOf(home, specification);
  const { cluster, settings } = specification;
  return {
    name: jobName(home, cluster),
    cluster,
    owner: ownerName(settings.owner),
    command: [node, program],
    environment: { HOLDFAST_HOME: home, PATH: searchPath.join(':') },
    log: paths.log,
    dataDirectory: paths.dataDirectory,
    startsAtBoot: settings.source.mode === 'managed',
  };
}

/** A name that is a valid one for cron.d (no dots) and for units. */
export function jobName(home: string, cluster: string): string {
  return `holdfast-${cluster}-${createHash('sha256').update(path.resolve(home)).digest('hex').slice(0, 8)}`;
}

/** The document that `host start` and `host stop` read. */
export const startDocument = (job: Job): string => JSON.stringify({ cluster: job.cluster });

export const everyMinutes = 5;

import path from 'node:path';
import type { HostSpecification } from '../../core/specification';
import type { ClusterPaths } from './layout';
import type { PgBackRest } from './pgbackrest/command';
import type { Installation } from './postgres/installation';
import type { Server } from './session';

/** A cluster on this machine: what it shall be, and where everything of it is. */
export interface HostContext {
  /** Holdfast's directory on this machine. */
  readonly home: string;
  readonly specification: HostSpecification;
  readonly paths: ClusterPaths;
  /** How its server is reached. */
  readonly server: Server;
  readonly pgbackrest: PgBackRest;
  /** PostgreSQL's programs, of the cluster's major version; looked for when they are needed. */
  readonly installation: () => Promise<Installation>;
  /** Seconds within which WAL has to reach the repository once it was asked for. */
  readonly archiveDeadlineSeconds: number;
}

export const clusterOf = (context: HostContext): string => context.specification.cluster;

export function restorePointsFile(context: HostContext): string {
  return path.join(context.paths.root, 'restore-points.jsonl');
}

export function repositoryCount(context: HostContext): number {
  return context.specification.settings.backups.repositories.length;
}

import os from 'node:os';
import type { HostSpecification } from '../../../core/specification';
import type { ClusterPaths } from '../layout';
import { ownerName } from '../owner';
import type { Installation } from '../postgres/installation';
import { runningPostmaster } from '../postgres/data-directory';
import type { Server } from '../session';
import { PgBackRest } from '../pgbackrest/command';
import { renderConfiguration } from '../pgbackrest/configuration';

/** What the steps of an apply need to know. */
export interface ProvisionContext {
  readonly home: string;
  readonly specification: HostSpecification;
  readonly paths: ClusterPaths;
  readonly installation: Installation;
  /** The bootstrap superuser, named like the cluster's owner. */
  readonly superuser: string;
  /** Told of each step that changes something. */
  readonly report: (step: string) => void;
  /** The break-glass that let this change through; undefined without one. */
  readonly breakGlass?: string | undefined;
}

/** The bootstrap superuser of a cluster: it comes in by the socket, as the operating-system user of the same name. */
export const superuserOf = (specification: HostSpecification): string =>
  ownerName(specification.settings.owner);

/** The server as it runs now, whatever its configuration files say; null when it doesn't. */
export async function runningServer(
  context: Pick<ProvisionContext, 'paths' | 'superuser'>,
): Promise<Server | null> {
  const postmaster = await runningPostmaster(context.paths.dataDirectory);
  if (postmaster === null) return null;
  return {
    socketDirectory: postmaster.socketDirectory || context.paths.socketDirectory,
    port: postmaster.port,
    superuser: context.superuser,
  };
}

export const pgBackRestOf = ({ paths }: Pick<ProvisionContext, 'paths'>): PgBackRest =>
  new PgBackRest(paths.configuration, paths.cluster);

/** pgbackrest.conf as it has to be. */
export function pgBackRestConfiguration(
  { specification, paths }: Pick<ProvisionContext, 'specification' | 'paths'>,
  port: number,
): string {
  return renderConfiguration(specification, paths, port, os.cpus().length);
}

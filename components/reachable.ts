import type * as pulumi from '@pulumi/pulumi';
import type { Applied } from '../core/host-documents';
import type { HostSpecification } from '../core/specification';
import { openTunnel } from '../jobs/tunnel';
import { offerTunnel } from '../jobs/tunnel-on-demand';
import type { StackContext } from './context';
import type { Credentials } from './credentials';
import { reporting } from './failure';
import { shown } from './outputs';

/** Where the PostgreSQL provider reaches a server, and how far it checks that it is the right one. */
export interface ReachableServer {
  readonly host: pulumi.Input<string>;
  readonly port: pulumi.Input<number>;
  readonly sslmode: pulumi.Input<'disable' | 'require' | 'verify-ca' | 'verify-full'>;
  /** File with the authorities that certificates are checked against. */
  readonly sslrootcert?: string;
}

/**
 * A cluster on a machine: its endpoint; over SSH the local end of a tunnel, which lives as long as this program. A preview
 * connects only to read what it imports.
 */
export function reachable(
  { settings: { connection } }: HostSpecification,
  { dryRun }: StackContext,
  { known, endpoint }: Credentials<Applied>,
): ReachableServer {
  const at =
    connection.type === 'local'
      ? endpoint
      : endpoint.apply(
          reporting(async target => ({
            host: '127.0.0.1',
            port: await (dryRun ? offerTunnel : openTunnel)(connection, target),
          })),
        );
  return {
    host: at.apply(({ host }) => host),
    port: at.apply(({ port }) => port),
    sslmode: shown(known, ({ tls }) => tls).apply(tls => (tls ? 'require' : 'disable')),
  };
}

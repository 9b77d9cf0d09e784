import type * as pulumi from '@pulumi/pulumi';
import type { Applied } from '../core/host-documents';
import type { HostSpecification } from '../core/specification';
import { openTunnel } from '../jobs/tunnel';
import { offerTunnel } from '../jobs/tunnel-on-demand';
import type { StackContext } from './context';
import { reporting } from './failure';

type Endpoint = Applied['endpoint'];

/**
 * Where the PostgreSQL provider reaches a cluster: its endpoint; over SSH the local end of a tunnel, which lives as long as
 * this program. A preview connects only to read what it imports.
 */
export function reachable(
  { settings: { connection } }: HostSpecification,
  { dryRun }: StackContext,
  endpoint: pulumi.Output<Endpoint>,
): pulumi.Output<Endpoint> {
  if (connection.type === 'local') return endpoint;
  return endpoint.apply(
    reporting(async target => ({
      host: '127.0.0.1',
      port: await (dryRun ? offerTunnel : openTunnel)(connection, target),
    })),
  );
}

import type { RdsClusterSettings } from '../../core/settings/stack';
import { authoritiesFile } from '../../jobs/rds/authorities';
import type { Credentials } from '../credentials';
import type { ReachableServer } from '../reachable';

/** How Pulumi gets to the databases of an instance. */
export type Route = (credentials: Credentials) => ReachableServer;

/**
 * The way to the declared databases; undefined where none are, or where the settings don't say how they are reached.
 *
 * Certificates are always checked. Through a tunnel the provider can't be told which name to expect at its other end: there it
 * checks the authority alone, and that it is the right instance was checked before, by `host inspect` and `host apply`.
 * @throws HoldfastError `configuration` without a file of certificate authorities.
 */
export function routeTo(settings: RdsClusterSettings): Route | undefined {
  const { reach, databases } = settings;
  if (reach === undefined || Object.keys(databases).length === 0) return undefined;
  const sslrootcert = authoritiesFile(settings);
  if (reach.through === 'tunnel')
    return () => ({ host: reach.host, port: reach.port, sslmode: 'verify-ca', sslrootcert });
  return ({ endpoint }) => ({
    host: endpoint.apply(({ host }) => host),
    port: endpoint.apply(({ port }) => port),
    sslmode: 'verify-full',
    sslrootcert,
  });
}

import type { DBInstance } from '@aws-sdk/client-rds';
import { asHoldfastError, HoldfastError } from '../../../core/errors';
import type { RdsSettings } from '../../../core/settings/rds';
import type { OpenDatabase } from '../../catalog/sql';
import type { RdsContext } from '../context';
import { connectorTo, masterLogin, type Connect, type Login } from '../session';

/** The databases of an instance, as they are reached from where Pulumi runs. */
export interface Reached {
  readonly connect: Connect;
  readonly master: Login;
  /** As the master user. */
  readonly open: OpenDatabase;
}

type Reach = NonNullable<RdsSettings['reach']>;

/**
 * Finds out that PostgreSQL answers, before anything is changed in it.
 * @throws HoldfastError `engine-failed` when it doesn't, saying what has to be open.
 */
export async function reachDatabases(
  context: RdsContext,
  instance: DBInstance,
  reach: Reach,
): Promise<Reached> {
  const [connect, master] = await Promise.all([
    connectorTo(context, instance, reach.through === 'tunnel' ? reach : undefined),
    masterLogin(context, instance),
  ]);
  await connect(master, 'postgres', session => session.query('select 1')).catch((error: unknown) => {
    throw unreachable(context.cluster, reach, error);
  });
  return { connect, master, open: (database, use) => connect(master, database, use) };
}

function unreachable(cluster: string, reach: Reach, cause: unknown): HoldfastError {
  const remedy =
    reach.through === 'tunnel'
      ? `clusters.${cluster}.reach says that ${reach.host}:${reach.port} leads to it: open the tunnel, and run this again.`
      : `clusters.${cluster}.reach says that its endpoint is reached from here: run this inside its VPC, or open a tunnel and name that.`;
  return new HoldfastError(
    'engine-failed',
    `the databases of cluster ${cluster} can’t be managed from here: ${asHoldfastError(cause).message}`,
    { hint: `${remedy} docs/aws.md, “Databases and roles”, has the commands.`, cause },
  );
}

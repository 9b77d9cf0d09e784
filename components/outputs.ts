import * as pulumi from '@pulumi/pulumi';

/** What a stack says of one cluster, among others. */
export interface ClusterOutputs {
  readonly host: pulumi.Output<string>;
  readonly port: pulumi.Output<number>;
  /** Of its backups, when the program ran: fresh, stale, missing or unknown. */
  readonly verdict: pulumi.Output<string>;
}

/** One property of what was applied that isn't a secret, although it was printed together with secrets. */
export const shown = <A, T>(applied: pulumi.Output<A>, select: (applied: A) => T): pulumi.Output<T> =>
  pulumi.unsecret<T>(applied.apply(select));

/** The outputs of a stack, by cluster: what may be seen, and the passwords of the roles that log in, as one secret. */
export function stackOutputs(
  databases: readonly {
    readonly cluster: string;
    readonly outputs: ClusterOutputs;
    readonly passwords: pulumi.Output<Record<string, string>>;
  }[],
) {
  const byCluster = <T>(select: (database: (typeof databases)[number]) => T): Record<string, T> =>
    Object.fromEntries(databases.map(database => [database.cluster, select(database)]));
  return {
    clusters: byCluster(({ outputs }) => outputs),
    passwords: pulumi.secret(byCluster(({ passwords }) => passwords)),
  };
}

import type { BreakGlassState } from './break-glass';
import type { Specification } from './specification';

/*
 * The JSON documents of the `holdfast host …` commands (docs/architecture.md): what Pulumi gives them on standard input,
 * and what they print on standard output with `--json`. Plain JSON; what contains secrets says so.
 */

/** `host apply` reads it; contains secrets. */
export interface ApplyRequest<S extends Specification = Specification> {
  readonly specification: S;
  /** Raised by one when the host drifted, so that applying again shows in the preview; kept in the record. */
  readonly revision: number;
}

/** A role's password and what the server keeps of it: only the verifier is ever sent to the server. */
export interface RoleCredential {
  readonly password: string;
  /** `SCRAM-SHA-256$…` */
  readonly verifier: string;
}

/** The login role of the PostgreSQL provider, which creates roles and databases but is no superuser. */
export const providerRole = 'holdfast_provider';

/** How one gets into the databases of a cluster; contains secrets. */
export interface ClusterAccess {
  readonly endpoint: { readonly host: string; readonly port: number };
  /** The provider's own role, `holdfast_provider`. */
  readonly provider: { readonly username: string; readonly password: string };
  /** Of every application and read-only role of the specification, by role. */
  readonly roles: Readonly<Record<string, RoleCredential>>;
}

/** `host apply` prints it; contains secrets. Applying the same again prints the same. */
export interface Applied extends ClusterAccess {
  readonly cluster: string;
  /** The name of the cluster in the repository. */
  readonly stanza: string;
  readonly systemIdentifier: string;
  readonly revision: number;
  /** Whether clients have to use TLS (the cluster listens beyond loopback). */
  readonly tls: boolean;
}

/** Something on the host that isn't as it was applied: a setting, a line of pg_hba.conf, a schedule. */
export interface Drift {
  /** `settings.work_mem`, `pg_hba.conf`, `schedule` */
  readonly what: string;
  readonly expected: string;
  readonly found: string;
}

/** A role, database or schema that is declared and that the cluster has already. */
export interface Existing {
  readonly type: 'role' | 'database' | 'schema';
  /** As the PostgreSQL provider knows it: `shop`; a schema as `shop.app`. */
  readonly id: string;
  /** How it differs from what is declared, and what makes it so, as lines for psql; null when it is as declared. */
  readonly conflict: { readonly difference: string; readonly remedy: readonly string[] } | null;
}

/**
 * `host inspect` reads `{ specification }` and prints it; read-only. Contains secrets: `applied` is what the last apply printed, so that a
 * preview knows it without applying.
 */
export interface Inspection<Access extends ClusterAccess = ClusterAccess> {
  readonly cluster: string;
  readonly provisioned: boolean;
  /** That of the last apply; 0 before the first. */
  readonly revision: number;
  readonly drift: readonly Drift[];
  /** Settings whose new value needs a restart of the cluster, and whether the specification allows it. */
  readonly needsRestart: readonly string[];
  readonly restartAllowed: boolean;
  /** None are known of a server that is down. */
  readonly existing: readonly Existing[];
  readonly applied: Access | null;
}

/** `host snapshot` reads it. */
export interface SnapshotRequest {
  readonly cluster: string;
  /** `project/stack@time` of the update. */
  readonly change: string;
  readonly dryRun: boolean;
  readonly breakGlass: BreakGlassState;
  /** Of what is about to be applied: the first provision has nothing on the host to read it from. */
  readonly specification: Specification;
}

/** `host snapshot` prints it. */
export interface SnapshotResult {
  readonly cluster: string;
  /** What was (or, in a dry run, would be) done, and why, in a sentence. */
  readonly message: string;
  /** What a person must be told loudly: what break-glass waived. */
  readonly warnings: readonly string[];
}

/** What the policy pack decided of a cluster. */
export interface GateDecision {
  readonly decision: 'allowed' | 'allowed-under-break-glass' | 'blocked';
  /** Why it was blocked, or allowed although something is missing, one line each. */
  readonly reasons: readonly string[];
}

/** `host gate` reads it, and writes it into the audit log. */
export interface GateRecord extends GateDecision {
  readonly cluster: string;
  readonly operation: 'preview' | 'update';
  /** `project/stack` of Pulumi. */
  readonly stack: string;
}

/** `host databases`, `host schedule`, `host unschedule`, `host remove` and `host seal` read it. */
export interface ClusterRequest {
  readonly cluster: string;
}

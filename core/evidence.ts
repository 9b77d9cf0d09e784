import type { Environment } from './settings/stack';

/** A moment: ISO-8601 in UTC with milliseconds or more, `2026-01-02T03:04:05.123Z`. */
export type Instant = string;

export type BackupKind = 'full' | 'differential' | 'incremental';

/** A backup set that was restored and checked; kept on the backup set itself. */
export interface Verification {
  readonly result: 'passed' | 'failed';
  readonly at: Instant;
  /** From the begin of the restore until the clone answered queries. */
  readonly restoreSeconds: number;
  /** WAL replayed per second of recovery; null when there was too little to measure. */
  readonly replayBytesPerSecond: number | null;
  /** Why it failed; null when it passed. */
  readonly reason: string | null;
}

export interface BackupSet {
  /** The engine's own name: pgBackRest's label, a snapshot's identifier. */
  readonly id: string;
  readonly kind: BackupKind;
  readonly startedAt: Instant;
  readonly stoppedAt: Instant;
  /** Why it can't be restored from; null when it can. */
  readonly unusable: string | null;
  /** Size of the cluster that it restores, and what it takes up in the repository. */
  readonly sizeBytes: number;
  readonly storedBytes: number;
  /** The change that it was taken for. */
  readonly changeId: string | null;
  readonly verification: Verification | null;
}

/** Missing WAL between two archived segments (or at the end of what a backup set needs). */
export interface WalGap {
  readonly timeline: number;
  /** The first and last segment that are missing. */
  readonly from: string;
  readonly to: string;
}

export interface ArchiveEvidence {
  readonly lastArchivedAt: Instant | null;
  readonly lastFailedAt: Instant | null;
  /** The server's last attempt failed, archiving is off, or goes elsewhere: the reason. Null while it works. */
  readonly failing: string | null;
  /** Complete segments that wait to be archived. */
  readonly backlogSegments: number;
  /** WAL that a crash of the machine would lose now: the age of its oldest change; null when all is archived. */
  readonly oldestUnarchivedChangeAt: Instant | null;
  /** WAL to replay since the newest usable backup set; null when there is none. */
  readonly bytesSinceNewestBackup: number | null;
  readonly gaps: readonly WalGap[];
}

export interface RepositoryEvidence {
  readonly id: string;
  /** For a person: a path or a bucket. */
  readonly location: string;
  readonly offMachine: boolean;
  readonly encrypted: boolean;
  readonly usedBytes: number;
  /** Null where the place has no limit that can be known. */
  readonly freeBytes: number | null;
}

/**
 * Backups that are kept where who may delete the cluster and its other backups doesn't reach: in a vault, another region, another
 * account. The verdict doesn't ask for them: it is about what can be restored from right here.
 */
export type CopyEvidence = KnownCopies | UnknownCopies;

export interface KnownCopies {
  readonly state: 'known';
  /** For a person, and the same as long as they are declared: `recovery points in eu-west-1`. */
  readonly place: string;
  /** Those that can be restored from; null where any moment from the oldest to the newest can be restored. */
  readonly count: number | null;
  readonly oldestAt: Instant | null;
  readonly newestAt: Instant | null;
  readonly encrypted: boolean;
}

export interface UnknownCopies {
  /** `unknown`: they couldn't be asked for. `foreign`: they are in another account, which this one can't ask. */
  readonly state: 'unknown' | 'foreign';
  readonly place: string;
  readonly reason: string;
  readonly remedy: string;
}

/**
 * The recorded state of a cluster. `none`: no record, no data and no stanza at all. `provisioning` and `adopting` are entered
 * before anything is created and left for `established` after the first verified backup.
 */
export type Phase = 'none' | 'provisioning' | 'adopting' | 'established';

/** Something that could not be read or contradicts itself; it makes the verdict `unknown`. */
export interface Problem {
  readonly what: string;
  readonly remedy: string;
}

/** What is known of a cluster's backups now; read from what exists, never from what was configured. Plain JSON. */
export interface Evidence {
  readonly schema: 1;
  readonly cluster: string;
  readonly environment: Environment;
  readonly engine: 'host' | 'rds';
  /** The server's clock (the host's, when the server doesn't answer). */
  readonly observedAt: Instant;
  readonly phase: Phase;
  /** When provision or adoption began, of a cluster that was applied completely and can be backed up since; else null. */
  readonly begunAt: Instant | null;
  readonly identity: {
    /** The system identifier that was recorded when the cluster was provisioned or adopted. A string: it exceeds 2^53. */
    readonly recorded: string | null;
    /** That of the data directory or instance now. */
    readonly found: string | null;
    /** That of the newest entry in the repository. */
    readonly backedUp: string | null;
  };
  readonly server: {
    readonly state: 'running' | 'stopped';
    /** `15.8`; null when stopped. */
    readonly version: string | null;
    /** What is left on the disk that WAL is written to; absent where that can't be known. */
    readonly freeBytes?: number | undefined;
  };
  /** Oldest first. */
  readonly backups: readonly BackupSet[];
  /** The moments that the cluster can be taken back to; null when there are none. */
  readonly restorable: { readonly from: Instant; readonly until: Instant } | null;
  /** Null when the server is stopped. */
  readonly archive: ArchiveEvidence | null;
  readonly repositories: readonly RepositoryEvidence[];
  /** Those that are declared; absent where an engine has none but its repositories. */
  readonly copies?: readonly CopyEvidence[] | undefined;
  readonly problems: readonly Problem[];
  /** A modification of the server that was made, and is applied later; absent when there is none. */
  readonly pendingChange?: PendingChange | undefined;
  /** Who may connect and how, as the running server reads it; absent where that can't be known (it is stopped). */
  readonly access?: AccessEvidence | undefined;
}

export interface PendingChange {
  /** When it is applied at the earliest. */
  readonly at: Instant;
  /** For a person: "DBInstanceClass is going to be …". */
  readonly what: string;
}

/** One line of pg_hba.conf, as pg_hba_file_rules shows it. */
export interface AccessRule {
  readonly line: number;
  readonly type: 'local' | 'host' | 'hostssl' | 'hostnossl' | 'hostgssenc' | 'hostnogssenc';
  readonly databases: readonly string[];
  readonly users: readonly string[];
  /** Address with its prefix length (`10.0.0.0/8`), a host name, `all`, `samehost` or `samenet`; null for sockets. */
  readonly address: string | null;
  readonly method: string;
}

/** Who may connect and how. */
export interface AccessEvidence {
  readonly rules: readonly AccessRule[];
  /** Only the cluster's owner can reach its socket. */
  readonly privateSocket: boolean;
  /** The server offers TLS. */
  readonly tls: boolean;
  /** As `listen_addresses` has them; `*` is every address of the machine, none at all only sockets. */
  readonly listenAddresses: readonly string[];
}

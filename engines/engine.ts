import type { BackupKind, BackupSet, Evidence, Instant, Verification } from '../core/evidence';
import type { RecoveryTarget } from '../core/recovery-target';

/** How far something long is. */
export interface Progress {
  /** 0 to 1; null while it can't be known. */
  readonly fraction: number | null;
  /** What is being done, for a person: "copying 1.2 of 3.4 GB". */
  readonly step: string;
}

export type OperationState<T> =
  { readonly state: 'running'; readonly progress: Progress } | { readonly state: 'done'; readonly result: T };

/** How a caller waits: told of progress, and able to give up. */
export interface Watch {
  readonly report: (progress: Progress) => void;
  /** When it aborts, the operation is cancelled, and leaves nothing half-made. */
  readonly signal: AbortSignal;
}

/**
 * Something that can take long. Beginning it again after a crash finds or replaces what was begun. A person's command
 * waits; an unattended one may look in later (see `goesOnAlone`). Both throw when the operation failed.
 */
export interface Operation<T> {
  poll(): Promise<OperationState<T>>;
  wait(watch: Watch): Promise<T>;
}

/** Facts that are kept on a backup set, and expire with it. */
export interface Annotations {
  readonly changeId?: string;
  readonly requestedBy?: string;
  /** Reason and approver, when it was taken under break-glass. */
  readonly breakGlass?: string;
}

export interface RestorePoint {
  readonly name: string;
  readonly at: Instant;
  /** Where it is in the WAL (host), or what stands for it: recovery to it is exact. */
  readonly position: string;
  /** Seconds from the mark until its WAL was proven to be in the repository; null where that can't be waited for. */
  readonly archivedAfterSeconds: number | null;
  /** For a person, where it can't: when it will be there, and what covers the moment until then. */
  readonly pending?: string;
}

export interface CloneRequest {
  readonly target: RecoveryTarget;
  /** What it is for; shown in lists. */
  readonly purpose: 'clone' | 'verification' | 'restore';
  /** When it may be dropped by anybody. */
  readonly expiresAt: Instant;
  /** Restore this backup set and no other (verification); default: the newest before the target. */
  readonly backupSet?: string;
}

/** What was measured while a clone was made. */
export interface CloneMeasurement {
  readonly restoreSeconds: number;
  readonly replayBytesPerSecond: number | null;
  readonly backupSet: string;
  /** The time of the last transaction that it contains. */
  readonly reached: Instant | null;
}

/** A cluster restored beside the original; never archives, never listens beyond its private socket. */
export interface Clone {
  readonly id: string;
  readonly purpose: CloneRequest['purpose'];
  readonly createdAt: Instant;
  readonly expiresAt: Instant;
  readonly state: 'incomplete' | 'running' | 'stopped';
  readonly sizeBytes: number;
  /** How to connect to it, as arguments of psql. */
  readonly connect: readonly string[];
  /** Null for an incomplete one. */
  readonly measured: CloneMeasurement | null;
}

/** A clone that has recovered and answers queries. */
export interface FinishedClone extends Clone {
  readonly measured: CloneMeasurement;
}

/** What is gone through piece by piece, possibly over several runs: what was ticked off isn't done again. */
export interface Checklist {
  has(piece: string): boolean;
  /** Ticks a piece off, with what is wrong with it, one line each. */
  tick(piece: string, wrong: readonly string[]): Promise<void>;
}

export interface Session {
  /** Rows of one query as objects. */
  query<Row extends object>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
}

export interface Replacement {
  /** Where the old cluster's data is kept. */
  readonly keptAside: string;
}

export type MemoryKey = 'due' | 'break-glass' | 'verification';

/** What jobs remember of a cluster from one run to the next. It outlives the cluster's server, and has no secrets. */
export interface Memory {
  /** Null when nothing is remembered. What can't be read is thrown: it isn't nothing. */
  read(key: MemoryKey): Promise<string | null>;
  /** Replaces a text as a whole, of whatever length; null forgets it. */
  write(key: MemoryKey, text: string | null): Promise<void>;
  /**
   * Adds a line to the cluster's audit log, which only grows.
   * @returns false for a cluster that was never provisioned: it has no log, and gets none.
   */
  appendAudit(line: string): Promise<boolean>;
  /** Keeps what jobs wrote into logs of their own from growing for ever. */
  rotateLogs(): Promise<void>;
}

/** How one kind of database is backed up, cloned and inspected. Every job is written once, against this. */
export interface Engine {
  readonly memory: Memory;
  /**
   * Whether operations go on while nobody waits for them, and are found again. An unattended job looks in at them then, and
   * never waits; where they don't, it has to.
   */
  readonly goesOnAlone: boolean;

  evidence(): Promise<Evidence>;
  /** What differs from the specification where the cluster runs (settings, access rules, schedules), one line each. */
  drift(): Promise<readonly string[]>;
  /**
   * Ends first provision or adoption: a backup set was verified, so from now on the cluster is held to the rules. Does
   * nothing when they have ended already.
   */
  establish(): Promise<void>;

  /**
   * @param begun when it was first asked for: with the same moment it is the same backup, whether it is under way, done or has
   * failed. @default now
   */
  backup(kind: BackupKind, annotations: Annotations, begun?: Instant): Operation<BackupSet>;
  recordVerification(
    backupSet: string,
    verification: Verification,
    counts: Readonly<Record<string, number>>,
  ): Promise<void>;
  /** Row counts by `database.schema.table` of the newest passed verification; null when there is none. */
  lastCounts(): Promise<Readonly<Record<string, number>> | null>;

  /** A named point in the WAL, and the proof that it is archived. `name`: at most 63 bytes. */
  markRestorePoint(name: string): Promise<RestorePoint>;
  restorePoints(): Promise<readonly RestorePoint[]>;

  clone(request: CloneRequest): Operation<FinishedClone>;
  clones(): Promise<readonly Clone[]>;
  dropClone(id: string): Promise<void>;

  /** Checks what isn't ticked off yet of the files and indexes of a clone (amcheck). */
  checkIntegrity(clone: Clone, checklist: Checklist, watch: Watch): Promise<void>;

  /**
   * Stops the cluster once its last WAL is in the repository: what a restore to the latest moment begins with. One that is
   * down stays down, and what it had not archived is archived from its files.
   */
  halt(): Promise<void>;
  /** Starts a halted cluster again, when the restore was given up before the swap. */
  resume(): Promise<void>;

  /** Puts a clone in the place of the original, which is kept aside. Interrupted, `settle` finishes or undoes it. */
  replaceWith(clone: Clone): Operation<Replacement>;
  /** Whether a restore is under way, or was interrupted: then there is something to settle. */
  restoring(): Promise<boolean>;
  /** Finishes or undoes what an interrupted job left; says what it did. */
  settle(): Promise<readonly string[]>;

  /** Runs `use` with a connection to a database of the cluster, or of a clone of it, which is closed afterwards. */
  withSession<T>(
    where: { readonly database: string; readonly clone?: Clone },
    use: (session: Session) => Promise<T>,
  ): Promise<T>;

  /**
   * Runs `use` while holding one of the cluster's locks; throws `busy`, saying who holds it. A restore excludes all others,
   * backups exclude backups. Those of the schedule and of verifications only keep their own runs apart, so that what one
   * left is known to be left over. Not to be taken twice by one job.
   */
  withLock<T>(
    lock: 'backup' | 'restore' | 'schedule' | 'verification',
    holder: string,
    use: () => Promise<T>,
  ): Promise<T>;
}

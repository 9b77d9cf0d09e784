import * as z from 'zod';
import type { BackupKind, Instant } from '../../../core/evidence';
import { HoldfastError } from '../../../core/errors';
import { printable } from './command';

/*
 * `pgbackrest info --output=json`. It exits 0 whatever it finds, so what counts is what is in it.
 */

const status = z.object({ code: z.number(), message: z.string() });
const segments = z.object({ start: z.string().nullable(), stop: z.string().nullable() });

const set = z.object({
  label: z.string().min(1),
  type: z.enum(['full', 'diff', 'incr']),
  reference: z.array(z.string()).nullable(),
  error: z.boolean().nullish(),
  timestamp: z.object({ start: z.number(), stop: z.number() }),
  archive: segments,
  lsn: segments.nullish(),
  annotation: z.record(z.string(), z.string()).nullish(),
  database: z.object({ id: z.number(), 'repo-key': z.number() }),
  info: z.object({
    size: z.number(),
    repository: z.object({ size: z.number().nullish(), delta: z.number() }),
  }),
});

const stanza = z.object({
  name: z.string(),
  status: status.extend({ lock: z.object({ backup: z.object({ held: z.boolean() }) }) }),
  repo: z.array(z.object({ key: z.number(), cipher: z.string(), status })),
  db: z.array(
    z.object({ id: z.number(), 'repo-key': z.number(), 'system-id': z.string(), version: z.string() }),
  ),
  archive: z.array(
    z.object({
      id: z.string(),
      min: z.string().nullable(),
      max: z.string().nullable(),
      database: z.object({ 'repo-key': z.number() }),
    }),
  ),
  backup: z.array(set),
});

const document = z.array(stanza);

/** A backup set as pgBackRest lists it. */
export interface ListedSet {
  readonly label: string;
  readonly kind: BackupKind;
  readonly startedAt: Instant;
  readonly stoppedAt: Instant;
  /** The sets that it needs, beside itself. */
  readonly references: readonly string[];
  /** A page checksum was wrong while it was taken. */
  readonly pageErrors: boolean;
  /** First and last WAL segment that it needs. */
  readonly firstSegment: string | null;
  readonly lastSegment: string | null;
  readonly startLsn: string | null;
  readonly stopLsn: string | null;
  readonly sizeBytes: number;
  /** What this set alone takes up in the repository. */
  readonly storedBytes: number;
  readonly annotations: Readonly<Record<string, string>>;
  readonly repository: number;
  readonly systemIdentifier: string | null;
}

export interface StanzaInfo {
  /** 0 ok, 1 missing, 2 no backups; see pgBackRest's documentation of `info`. */
  readonly code: number;
  readonly message: string;
  readonly backupRunning: boolean;
  readonly repositories: readonly { readonly key: number; readonly code: number; readonly message: string }[];
  /** System identifier of the newest database entry; null when there is no stanza. */
  readonly systemIdentifier: string | null;
  /** pgBackRest's name for the archive of the current database version: `15-1`. */
  readonly archiveId: string | null;
  /** Oldest first; those of the first repository. */
  readonly sets: readonly ListedSet[];
}

const kinds = { full: 'full', diff: 'differential', incr: 'incremental' } as const;

/**
 * What pgBackRest knows of a stanza.
 *
 * @throws HoldfastError `engine-failed` when it isn't what `info` prints: then nothing is known, not "no backups".
 */
export function parseInfo(text: string, name: string, repository = 1): StanzaInfo {
  const found = parsed(text).find(entry => entry.name === name);
  if (!found)
    return {
      code: 1,
      message: 'missing stanza path',
      backupRunning: false,
      repositories: [],
      systemIdentifier: null,
      archiveId: null,
      sets: [],
    };
  const systems = found.db.filter(db => db['repo-key'] === repository);
  const newest = systems.reduce<(typeof systems)[number] | null>(
    (best, db) => (best === null || db.id > best.id ? db : best),
    null,
  );
  const archives = found.archive.filter(entry => entry.database['repo-key'] === repository);
  return {
    code: found.status.code,
    message: printable(found.status.message),
    backupRunning: found.status.lock.backup.held,
    repositories: found.repo.map(({ key, status: { code, message } }) => ({
      key,
      code,
      message: printable(message),
    })),
    systemIdentifier: newest?.['system-id'] ?? null,
    archiveId: archives.at(-1)?.id ?? null,
    sets: found.backup
      .filter(entry => entry.database['repo-key'] === repository)
      .map(entry => ({
        label: entry.label,
        kind: kinds[entry.type],
        startedAt: instant(entry.timestamp.start),
        stoppedAt: instant(entry.timestamp.stop),
        references: (entry.reference ?? []).filter(label => label !== entry.label),
        pageErrors: entry.error === true,
        firstSegment: entry.archive.start,
        lastSegment: entry.archive.stop,
        startLsn: entry.lsn?.start ?? null,
        stopLsn: entry.lsn?.stop ?? null,
        sizeBytes: entry.info.size,
        storedBytes: entry.info.repository.delta,
        annotations: entry.annotation ?? {},
        repository,
        systemIdentifier: systems.find(db => db.id === entry.database.id)?.['system-id'] ?? null,
      })),
  };
}

function parsed(text: string): z.output<typeof document> {
  try {
    // System identifiers exceed 2^53: read as numbers they would be those of another cluster.
    return document.parse(JSON.parse(text.replace(/"system-id":\s*(\d+)/g, '"system-id":"$1"')));
  } catch (error) {
    throw new HoldfastError('engine-failed', 'pgbackrest info printed something that can’t be read', {
      hint: 'Run `pgbackrest info --output=json` by hand; is another program of that name first on the PATH?',
      cause: error,
    });
  }
}

function instant(seconds: number): Instant {
  return new Date(seconds * 1000).toISOString();
}

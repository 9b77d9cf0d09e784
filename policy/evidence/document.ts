import * as z from 'zod';
import type { Evidence } from '../../core/evidence';

/*
 * Evidence as it comes from another process or machine. What isn't exactly as expected is refused: a field that is
 * missing could otherwise pass for "nothing wrong". Fields that a newer program adds are left out.
 */

const instant = z.iso.datetime({ offset: true });
const systemIdentifier = z.string().min(1).nullable();

const verification = z.object({
  result: z.enum(['passed', 'failed']),
  at: instant,
  restoreSeconds: z.number().nonnegative(),
  replayBytesPerSecond: z.number().nonnegative().nullable(),
  reason: z.string().nullable(),
});

const backupSet = z.object({
  id: z.string().min(1),
  kind: z.enum(['full', 'differential', 'incremental']),
  startedAt: instant,
  stoppedAt: instant,
  unusable: z.string().nullable(),
  sizeBytes: z.number().nonnegative(),
  storedBytes: z.number().nonnegative(),
  changeId: z.string().nullable(),
  verification: verification.nullable(),
});

const gap = z.object({ timeline: z.number().int(), from: z.string(), to: z.string() });

const archive = z.object({
  lastArchivedAt: instant.nullable(),
  lastFailedAt: instant.nullable(),
  failing: z.string().nullable(),
  backlogSegments: z.number().int().nonnegative(),
  oldestUnarchivedChangeAt: instant.nullable(),
  bytesSinceNewestBackup: z.number().nullable(),
  gaps: z.array(gap),
});

const repository = z.object({
  id: z.string(),
  location: z.string(),
  offMachine: z.boolean(),
  encrypted: z.boolean(),
  usedBytes: z.number().nonnegative(),
  freeBytes: z.number().nonnegative().nullable(),
});

const accessRule = z.object({
  line: z.number().int(),
  type: z.enum(['local', 'host', 'hostssl', 'hostnossl', 'hostgssenc', 'hostnogssenc']),
  databases: z.array(z.string()),
  users: z.array(z.string()),
  address: z.string().nullable(),
  method: z.string(),
});

const access = z.object({
  rules: z.array(accessRule),
  privateSocket: z.boolean(),
  tls: z.boolean(),
  listenAddresses: z.array(z.string()),
});

const evidence = z.object({
  schema: z.literal(1),
  cluster: z.string().min(1),
  environment: z.enum(['production', 'staging']),
  engine: z.enum(['host', 'rds']),
  observedAt: instant,
  phase: z.enum(['none', 'provisioning', 'adopting', 'established']),
  begunAt: instant.nullable(),
  identity: z.object({ recorded: systemIdentifier, found: systemIdentifier, backedUp: systemIdentifier }),
  server: z.object({ state: z.enum(['running', 'stopped']), version: z.string().nullable() }),
  backups: z.array(backupSet),
  restorable: z.object({ from: instant, until: instant }).nullable(),
  archive: archive.nullable(),
  repositories: z.array(repository),
  problems: z.array(z.object({ what: z.string(), remedy: z.string() })),
  pendingChange: z.object({ at: instant, what: z.string() }).optional(),
  access: access.optional(),
});

/**
 * The evidence in a document, checked field by field.
 * @throws Error that names what is wrong with it; never its content.
 */
export function parseEvidence(document: unknown): Evidence {
  const parsed = evidence.safeParse(document);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map(issue => `${issue.path.join('.') || 'it'}: ${issue.message}`);
  const shown = issues.slice(0, 3).join('; ');
  throw new Error(`what was printed is not evidence (${shown}${issues.length > 3 ? '; …' : ''})`);
}

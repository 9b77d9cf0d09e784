import * as sdk from '@pulumi/policy';
import type { BackupSet, Evidence } from '../../../core/evidence';
import { readWith, type Reading } from '../../../policy/evidence/reading';
import type { Resource } from '../../../policy/resource';
import type { Rule } from '../../../policy/rule';
import type { StackFile } from '../../../policy/stack-file';
import { Stack, type Surroundings } from '../../../policy/stack';

/** The moment at which everything in these tests is judged. */
export const now = '2026-03-10T12:00:00.000Z';

export const ago = (seconds: number, from = now) => new Date(Date.parse(from) - seconds * 1000).toISOString();

const hour = 3600;
const systemIdentifier = '7300000000000000123';

export function soundBackup(at = now, overrides: Partial<BackupSet> = {}): BackupSet {
  return {
    id: '20260310-013000F',
    kind: 'full',
    startedAt: ago(10.5 * hour, at),
    stoppedAt: ago(10 * hour, at),
    unusable: null,
    sizeBytes: 370_000_000,
    storedBytes: 90_000_000,
    changeId: null,
    verification: {
      result: 'passed',
      at: ago(8 * hour, at),
      restoreSeconds: 40,
      replayBytesPerSecond: 50_000_000,
      reason: null,
    },
    ...overrides,
  };
}

/** A production cluster of which everything is as it should be. */
export function soundEvidence(overrides: Partial<Evidence> = {}, at = now): Evidence {
  return {
    schema: 1,
    cluster: 'shop',
    environment: 'production',
    engine: 'host',
    observedAt: at,
    phase: 'established',
    begunAt: ago(hour, at),
    identity: { recorded: systemIdentifier, found: systemIdentifier, backedUp: systemIdentifier },
    server: { state: 'running', version: '15.8' },
    backups: [soundBackup(at)],
    restorable: { from: ago(10 * hour, at), until: ago(60, at) },
    archive: {
      lastArchivedAt: ago(60, at),
      lastFailedAt: null,
      failing: null,
      backlogSegments: 0,
      oldestUnarchivedChangeAt: ago(20, at),
      bytesSinceNewestBackup: 1_000_000,
      gaps: [],
    },
    repositories: [
      {
        id: '1',
        location: '/var/lib/holdfast/repositories/shop',
        offMachine: false,
        encrypted: false,
        usedBytes: 90_000_000,
        freeBytes: 9_000_000_000,
      },
    ],
    problems: [],
    ...overrides,
  };
}

/** Evidence of a cluster that doesn't exist yet. */
export function noTrace(overrides: Partial<Evidence> = {}, at = now): Evidence {
  return soundEvidence(
    {
      phase: 'none',
      begunAt: null,
      identity: { recorded: null, found: null, backedUp: null },
      server: { state: 'stopped', version: null },
      backups: [],
      restorable: null,
      archive: null,
      repositories: [],
      ...overrides,
    },
    at,
  );
}

export interface StackOptions {
  /** Settings below `holdfast:`. Default: production with the cluster shop. */
  readonly raw?: Readonly<Record<string, unknown>>;
  /** What each cluster answers; a function that throws is a machine that can't be reached. Default: sound evidence. */
  readonly evidence?: Readonly<Record<string, () => unknown>>;
  readonly stackFile?: StackFile;
  readonly read?: Surroundings['read'];
  /** Default: what is decided is written down. */
  readonly record?: Surroundings['record'];
}

export const production = { environment: 'production', clusters: { shop: {} } } as const;
export const staging = { ...production, environment: 'staging' } as const;

export function stackOf(options: StackOptions = {}): Stack {
  const evidence = options.evidence ?? { shop: () => soundEvidence() };
  const read = (cluster: string): Promise<Reading> =>
    readWith(() => Promise.resolve(cluster).then(name => evidence[name]!()), { cluster, now: () => now });
  return new Stack({
    now,
    raw: options.raw ?? production,
    read: options.read ?? read,
    record: options.record ?? (() => Promise.resolve(null)),
    stackFile: () => options.stackFile ?? { state: 'missing', reason: 'there is none' },
  });
}

/** The violations of a rule on the root resource. */
export function judged(rule: Rule, options: StackOptions = {}, configuration: unknown = {}) {
  return rule.judgeStack(stackOf(options), configuration);
}

/** The violations on one resource, of a rule that asks for no evidence. */
export function judgedResource(
  rule: Rule,
  resource: Resource,
  configuration: unknown = {},
  options: StackOptions = {},
): readonly string[] {
  const violations = rule.judgeResource(resource, configuration, stackOf(options));
  if (violations instanceof Promise) throw new Error(`${rule.name} asks for evidence: await it`);
  return violations;
}

/** What Pulumi passes for a value that isn't known in a preview. */
export const unknown = '04da6b54-80e4-46f7-96ec-b56ff0331ba9';

// Exported, but stripped from the declarations.
const { unknownCheckingProxy } = sdk as unknown as {
  unknownCheckingProxy: (inputs: object) => Record<string, unknown>;
};

/** Inputs as Pulumi hands them to a policy: reading what isn't known throws. */
export const properties = (inputs: object): Record<string, unknown> => unknownCheckingProxy(inputs);

export function resourceOf(overrides: Partial<Resource> = {}): Resource {
  const type = overrides.type ?? 'postgresql:index/database:Database';
  return {
    type,
    urn: `urn:pulumi:prod::shop::holdfast:catalog:DatabaseCatalog$${type}::shop`,
    name: 'shop',
    protect: true,
    ignoreChanges: [],
    additionalSecretOutputs: [],
    properties: {},
    ...overrides,
  };
}

/** The Command that carries a cluster. */
export function clusterCommand(overrides: Partial<Resource> = {}): Resource {
  const type = overrides.type ?? 'command:local:Command';
  return resourceOf({
    type,
    urn: `urn:pulumi:prod::shop::holdfast:database:ProtectedDatabase$holdfast:host:HostCluster$${type}::shop-apply`,
    name: 'shop-apply',
    additionalSecretOutputs: ['stdout', 'stderr'],
    properties: { logging: 'none', stdin: '{}' },
    ...overrides,
  });
}

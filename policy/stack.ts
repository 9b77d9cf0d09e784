import { assessBreakGlass, type BreakGlassState } from '../core/break-glass';
import { HoldfastError } from '../core/errors';
import type { Instant } from '../core/evidence';
import type { Finding } from '../core/freshness';
import type { GateDecision } from '../core/host-documents';
import { parseStack } from '../core/settings/parse';
import type { ClusterSettings, Environment, StackSettings } from '../core/settings/stack';
import type { Reading } from './evidence/reading';
import type { Source, Sources } from './evidence/source';
import type { Resource } from './resource';
import type { StackFile } from './stack-file';

/** What the outside world gives the rules. */
export interface Surroundings {
  /** What the stack file sets below `holdfast:`, without the prefix. */
  readonly raw: Readonly<Record<string, unknown>>;
  readonly now: Instant;
  /** Reads the evidence of one cluster; never throws. `source` is the pack's own, instead of the stack's connection. */
  readonly read: (cluster: string, settings: StackSettings, source: Source | undefined) => Promise<Reading>;
  /** The stack file as it is written, where secrets are still encrypted. */
  readonly stackFile: (path: string | undefined) => StackFile;
  /**
   * Writes a decision into the cluster's audit log; why it couldn't be, or null. Where evidence comes from the pack's own
   * source it isn't written: that may only read.
   */
  readonly record: (
    cluster: string,
    settings: StackSettings,
    source: Source | undefined,
    decision: GateDecision,
  ) => Promise<string | null>;
}

/** What the rules that judge evidence found of one cluster, all of them together. */
export interface Outcome {
  /** Let through without a verified backup, because it is being provisioned or adopted. */
  beginning: 'first-provision' | 'adoption' | null;
  readonly blocking: Finding[];
  /** What break-glass waived: it is warned of loudly. */
  readonly waived: Finding[];
}

/** A stack whose settings could be read. */
export interface DeclaredStack {
  readonly environment: Environment;
  readonly clusters: Readonly<Record<string, ClusterSettings>>;
  readonly breakGlass: BreakGlassState;
  readonly now: Instant;
  readonly raw: Readonly<Record<string, unknown>>;
  /** Read once for all rules. */
  evidence(cluster: string): Promise<Reading>;
  stackFile(path: string | undefined): StackFile;
  /** The resources of the program, as far as they were registered: all of them where the program is judged as a whole. */
  resources(): readonly Resource[];
  /** What the rules that judged so far found; the last one tells. */
  outcome(cluster: string): Outcome;
  /** Writes what was decided into the cluster's audit log; why it couldn't be, or null. */
  record(cluster: string, decision: GateDecision): Promise<string | null>;
}

export type Declared =
  | { readonly state: 'declared'; readonly stack: DeclaredStack }
  | { readonly state: 'invalid'; readonly reason: string };

/** The stack that this process judges. What was read is kept, so that all rules see the same. */
export class Stack {
  private sources: Sources = {};
  private result: Declared | undefined;
  private readonly seen = new Map<string, Resource>();

  constructor(private readonly surroundings: Surroundings) {}

  /**
   * The pack's own sources of evidence. For a stack without any setting of Holdfast (another repository's) they say which
   * clusters it depends on, as production.
   */
  useSources(sources: Sources): void {
    if (Object.keys(sources).length === 0) return;
    this.sources = sources;
    this.result = undefined;
  }

  /** Keeps a resource, for the rules that judge the program as a whole. */
  see(resource: Resource): void {
    this.seen.set(resource.urn, resource);
  }

  /** Begins to read the evidence while the engine still starts the program; what comes of it is what the rules get. */
  readAhead(): void {
    const declared = this.declared();
    if (declared.state === 'invalid') return;
    for (const cluster of Object.keys(declared.stack.clusters)) void declared.stack.evidence(cluster);
  }

  declared(): Declared {
    return (this.result ??= this.declare());
  }

  private declare(): Declared {
    try {
      return { state: 'declared', stack: this.judged(this.settings()) };
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      return { state: 'invalid', reason: error.describe() };
    }
  }

  private settings(): StackSettings {
    const { raw } = this.surroundings;
    const named = Object.keys(this.sources);
    if (Object.keys(raw).length > 0 || named.length === 0) return parseStack({ ...raw });
    const clusters = Object.fromEntries(named.map(cluster => [cluster, {}]));
    return parseStack({ environment: 'production', clusters });
  }

  private judged(settings: StackSettings): DeclaredStack {
    const { now, raw, read, stackFile, record } = this.surroundings;
    const readings = new Map<string, Promise<Reading>>();
    const outcomes = new Map<string, Outcome>();
    return {
      environment: settings.environment,
      clusters: settings.clusters,
      breakGlass: assessBreakGlass(settings.breakGlass, now),
      now,
      raw,
      stackFile,
      resources: () => [...this.seen.values()],
      outcome: cluster => {
        const outcome = outcomes.get(cluster) ?? { beginning: null, blocking: [], waived: [] };
        outcomes.set(cluster, outcome);
        return outcome;
      },
      record: (cluster, decision) => record(cluster, settings, this.sources[cluster], decision),
      evidence: cluster => {
        const reading = readings.get(cluster) ?? read(cluster, settings, this.sources[cluster]);
        readings.set(cluster, reading);
        return reading;
      },
    };
  }
}

import type { BackupKind, BackupSet, Evidence, Verification } from '../../../core/evidence';
import { HoldfastError } from '../../../core/errors';
import { parseHostSpecification, type HostSpecification } from '../../../core/specification';
import { parseStack } from '../../../core/settings/parse';
import type {
  Annotations,
  Checklist,
  Clone,
  CloneRequest,
  Engine,
  FinishedClone,
  Memory,
  MemoryKey,
  Operation,
  RestorePoint,
  Session,
  Watch,
} from '../../../engines/engine';
import type { AuditEntry } from '../../../jobs/audit';
import type { Cluster } from '../../../jobs/cluster';

export const now = '2026-01-15T12:00:00.000Z';

/** A moment so many hours before `now`. */
export const hoursAgo = (hours: number): string =>
  new Date(Date.parse(now) - hours * 3_600_000).toISOString();

export function backupSet(hours: number, changes: Partial<BackupSet> = {}): BackupSet {
  return {
    id: `set-${hours}h`,
    kind: 'full',
    startedAt: hoursAgo(hours + 0.1),
    stoppedAt: hoursAgo(hours),
    unusable: null,
    sizeBytes: 1_000_000,
    storedBytes: 100_000,
    changeId: null,
    verification: null,
    ...changes,
  };
}

export function passed(hours: number, changes: Partial<Verification> = {}): Verification {
  return {
    result: 'passed',
    at: hoursAgo(hours),
    restoreSeconds: 12,
    replayBytesPerSecond: 100_000_000,
    reason: null,
    ...changes,
  };
}

/** Evidence of a cluster that is in order: a backup of an hour ago, verified. */
export function soundEvidence(changes: Partial<Evidence> = {}): Evidence {
  return {
    schema: 1,
    cluster: 'shop',
    environment: 'production',
    engine: 'host',
    observedAt: now,
    phase: 'established',
    begunAt: hoursAgo(1),
    identity: {
      recorded: '7300000000000000001',
      found: '7300000000000000001',
      backedUp: '7300000000000000001',
    },
    server: { state: 'running', version: '15.8' },
    backups: [backupSet(1, { verification: passed(0.5) })],
    restorable: { from: hoursAgo(1), until: now },
    archive: {
      lastArchivedAt: hoursAgo(0.01),
      lastFailedAt: null,
      failing: null,
      backlogSegments: 0,
      oldestUnarchivedChangeAt: null,
      bytesSinceNewestBackup: 16_777_216,
      gaps: [],
    },
    repositories: [
      {
        id: '1',
        location: '/srv/repository',
        offMachine: false,
        encrypted: false,
        usedBytes: 1_000_000,
        freeBytes: 9_000_000_000,
      },
    ],
    problems: [],
    ...changes,
  };
}

/** What jobs remember, in memory. Each part can be made to fail. */
export class FakeMemory implements Memory {
  readonly texts = new Map<MemoryKey, string>();
  readonly audit: AuditEntry[] = [];
  provisioned = true;
  /** Called with the name of each call; throwing makes that call fail. */
  onCall: (call: string) => void = () => undefined;

  private call<T>(name: string, work: () => T): Promise<T> {
    return new Promise(resolve => {
      this.onCall(name);
      resolve(work());
    });
  }
  read(key: MemoryKey): Promise<string | null> {
    return this.call(`read ${key}`, () => this.texts.get(key) ?? null);
  }
  write(key: MemoryKey, text: string | null): Promise<void> {
    return this.call(`write ${key}`, () => {
      if (text === null) this.texts.delete(key);
      else this.texts.set(key, text);
    });
  }
  appendAudit(line: string): Promise<boolean> {
    return this.call('appendAudit', () => {
      if (this.provisioned) this.audit.push(JSON.parse(line) as AuditEntry);
      return this.provisioned;
    });
  }
  rotateLogs(): Promise<void> {
    return this.call('rotateLogs', () => undefined);
  }
}

/** An engine in memory that records what was asked of it, in order. Each part can be made to fail. */
export class FakeEngine implements Engine {
  readonly calls: string[] = [];
  readonly memory = new FakeMemory();
  current = soundEvidence();
  made: Clone[] = [];
  clonesMade = 0;
  points: RestorePoint[] = [];
  counts: Readonly<Record<string, number>> | null = null;
  recorded: { set: string; verification: Verification; counts: object }[] = [];
  annotations: Annotations[] = [];
  damage: string[] = [];
  interrupted = false;
  settled: string[] = [];
  locked: 'backup' | 'restore' | null = null;
  goesOnAlone = false;
  /** So many looks at an operation find it under way. */
  looks = 0;
  /** When each backup was first asked for. */
  begun: (string | undefined)[] = [];
  /** What of a clone is checked, piece by piece, and what was. */
  pieces = ['all'];
  checked: string[] = [];
  /** What queries answer, by a part of their text. */
  answers: { match: RegExp; rows: object[] | Error }[] = [
    { match: /pg_is_in_recovery/, rows: [{ recovering: false }] },
    { match: /from pg_database/, rows: [{ datname: 'shop' }] },
    { match: /from pg_class/, rows: [{ name: 'app.orders', quoted: 'app.orders' }] },
    { match: /count\(\*\)/, rows: [{ rows: '100' }] },
  ];
  /** Called with the name of each call; throwing makes that call fail. */
  onCall: (call: string) => void | Promise<void> = () => undefined;

  private async call(name: string): Promise<void> {
    this.calls.push(name);
    await this.onCall(name);
  }

  private operation<T>(name: string, work: () => T): Operation<T> {
    const run = async () => {
      await this.call(name);
      return work();
    };
    return {
      poll: async () => {
        if (this.looks-- <= 0) return { state: 'done', result: await run() };
        await this.call(`look at ${name}`);
        return { state: 'running', progress: { fraction: 0.5, step: `half of ${name}` } };
      },
      wait: async (watch: Watch) => {
        watch.signal.throwIfAborted();
        const result = await run();
        watch.signal.throwIfAborted();
        return result;
      },
    };
  }

  evidence(): Promise<Evidence> {
    return this.call('evidence').then(() => this.current);
  }
  drift(): Promise<readonly string[]> {
    return Promise.resolve([]);
  }
  establish(): Promise<void> {
    this.current = { ...this.current, phase: 'established' };
    return this.call('establish');
  }
  backup(kind: BackupKind, annotations: Annotations, begun?: string): Operation<BackupSet> {
    this.begun.push(begun);
    return this.operation(`backup ${kind}`, () => {
      this.annotations.push(annotations);
      const set = backupSet(0, { kind, id: 'set-new', changeId: annotations.changeId ?? null });
      this.current = { ...this.current, backups: [...this.current.backups, set] };
      return set;
    });
  }
  async recordVerification(set: string, verification: Verification, counts: object): Promise<void> {
    await this.call(`recordVerification ${verification.result}`);
    this.recorded.push({ set, verification, counts });
  }
  lastCounts(): Promise<Readonly<Record<string, number>> | null> {
    return Promise.resolve(this.counts);
  }
  async markRestorePoint(name: string): Promise<RestorePoint> {
    await this.call('markRestorePoint');
    const point = { name, at: now, position: '0/3000000', archivedAfterSeconds: 0.4 };
    this.points.push(point);
    return point;
  }
  restorePoints(): Promise<readonly RestorePoint[]> {
    return Promise.resolve(this.points);
  }
  clone(request: CloneRequest): Operation<FinishedClone> {
    return this.operation(`clone ${request.purpose}`, () => {
      const found = this.made.find(({ purpose }) => this.goesOnAlone && purpose === request.purpose);
      if (found !== undefined) return found as FinishedClone;
      const clone: FinishedClone = {
        id: `clone-${++this.clonesMade}`,
        purpose: request.purpose,
        createdAt: now,
        expiresAt: request.expiresAt,
        state: 'running',
        sizeBytes: 1_000_000,
        connect: ['-h', '/run/clone', '-p', '5432'],
        measured: {
          restoreSeconds: 30,
          replayBytesPerSecond: 50_000_000,
          backupSet: 'set-1h',
          reached: now,
        },
      };
      this.made.push(clone);
      return clone;
    });
  }
  clones(): Promise<readonly Clone[]> {
    return Promise.resolve(this.made);
  }
  async dropClone(id: string): Promise<void> {
    await this.call(`dropClone ${id}`);
    this.made = this.made.filter(clone => clone.id !== id);
  }
  async checkIntegrity(_clone: Clone, checklist: Checklist, { signal }: Watch): Promise<void> {
    await this.call('checkIntegrity');
    for (const piece of this.pieces) {
      if (checklist.has(piece)) continue;
      await this.call(`check ${piece}`);
      this.checked.push(piece);
      await checklist.tick(piece, this.damage);
      signal.throwIfAborted();
    }
  }
  halt(): Promise<void> {
    return this.call('halt');
  }
  resume(): Promise<void> {
    return this.call('resume');
  }
  replaceWith(clone: Clone): Operation<{ keptAside: string }> {
    return this.operation(`replaceWith ${clone.id}`, () => ({ keptAside: '/aside/1' }));
  }
  restoring(): Promise<boolean> {
    return Promise.resolve(this.interrupted);
  }
  async settle(): Promise<readonly string[]> {
    await this.call('settle');
    return this.settled;
  }
  withSession<T>(where: { database: string }, use: (session: Session) => Promise<T>): Promise<T> {
    return use({
      query: async <Row extends object>(sql: string) => {
        await this.call(`query ${where.database}`);
        const answer = this.answers.find(({ match }) => match.test(sql))?.rows ?? [];
        if (answer instanceof Error) throw answer;
        return answer as Row[];
      },
    });
  }
  async withLock<T>(
    lock: 'backup' | 'restore' | 'schedule' | 'verification',
    holder: string,
    use: () => Promise<T>,
  ): Promise<T> {
    await this.call(`lock ${lock}`);
    if (lock === 'schedule' || lock === 'verification') return use();
    if (this.locked !== null) throw new HoldfastError('busy', `locked by somebody else, not ${holder}`);
    this.locked = lock;
    try {
      return await use();
    } finally {
      this.locked = null;
    }
  }
}

export function specification(
  backups: object = {},
  alerts: object = {},
  environment: 'production' | 'staging' = 'production',
): HostSpecification {
  const stack = parseStack({ environment, clusters: { shop: { backups } }, alerts });
  return parseHostSpecification(
    JSON.parse(
      JSON.stringify({
        schema: 1,
        stack: 'shop/prod',
        environment,
        cluster: 'shop',
        settings: stack.clusters.shop,
        alerts: stack.alerts,
      }),
    ),
  );
}

export function fakeCluster(
  options: Parameters<typeof specification> = [],
): Cluster & { engine: FakeEngine } {
  return {
    name: 'shop',
    specification: specification(...options),
    engine: new FakeEngine(),
  };
}

/** A watch that keeps what was reported. */
export function quietWatch(): Watch & { steps: string[]; abort: (reason?: unknown) => void } {
  const controller = new AbortController();
  const steps: string[] = [];
  return {
    steps,
    report: ({ step }) => void steps.push(step),
    signal: controller.signal,
    abort: reason => controller.abort(reason),
  };
}

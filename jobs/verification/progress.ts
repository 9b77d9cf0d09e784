import type { Instant } from '../../core/evidence';
import type { Checklist, Memory } from '../../engines/engine';
import type { Counts } from '../counts';

/** A verification that was begun and isn't over. */
interface UnderWay {
  readonly schema: 1;
  readonly backupSet: string;
  /** By the server's clock: the time of the verification. */
  readonly at: Instant;
  /** By the clock of the machine that began it. */
  readonly begunAt: Instant;
  /** Which clone the rest is about; null as long as none is restored. */
  clone: string | null;
  /** Pieces that were checked. */
  done: readonly string[];
  /** What is wrong with them, one line each. */
  wrong: readonly string[];
  counts: Counts;
}

const mostLines = 100;
/** A run that is killed loses what it did in so long. */
const keepSeconds = 20;

/** How far a verification is. What is done is about one clone: with another one all begins anew. */
export class VerificationProgress implements Checklist {
  readonly begun: Pick<UnderWay, 'backupSet' | 'at' | 'begunAt'>;
  #clone: string | null;
  #done: Set<string>;
  #wrong: string[];
  #counts: Map<string, number>;
  #keptAt = performance.now();

  /** @param memory where it is kept for a later run; null: it isn't, because this run doesn't leave anything to one. */
  private constructor(
    private readonly memory: Memory | null,
    { backupSet, at, begunAt, clone, done, wrong, counts }: UnderWay,
  ) {
    this.begun = { backupSet, at, begunAt };
    this.#clone = clone;
    this.#done = new Set(done);
    this.#wrong = [...wrong];
    this.#counts = new Map(Object.entries(counts));
  }

  static begin(memory: Memory | null, backupSet: string, at: Instant): VerificationProgress {
    const begunAt = new Date().toISOString();
    const nothing = { clone: null, done: [], wrong: [], counts: {} };
    return new VerificationProgress(memory, { schema: 1, backupSet, at, begunAt, ...nothing });
  }

  /** One that an earlier run began; null when none is under way. */
  static async recall(memory: Memory, keeps: boolean): Promise<VerificationProgress | null> {
    const underWay = await recallVerification(memory);
    return underWay === null ? null : new VerificationProgress(keeps ? memory : null, underWay);
  }

  /** From now on it is about this clone. */
  isAbout(clone: string): void {
    if (this.#clone === clone) return;
    this.#clone = clone;
    this.#done = new Set();
    this.#wrong = [];
    this.#counts = new Map();
  }

  get clone(): string | null {
    return this.#clone;
  }

  get wrong(): readonly string[] {
    return this.#wrong;
  }

  get counts(): Counts {
    return Object.fromEntries(this.#counts);
  }

  has(piece: string): boolean {
    return this.#done.has(piece);
  }

  async tick(piece: string, wrong: readonly string[]): Promise<void> {
    this.#done.add(piece);
    this.#wrong.push(...wrong.slice(0, mostLines - this.#wrong.length));
    await this.#keepSometimes();
  }

  hasCounted(table: string): boolean {
    return this.#counts.has(table);
  }

  async count(table: string, rows: number): Promise<void> {
    this.#counts.set(table, rows);
    await this.#keepSometimes();
  }

  async #keepSometimes(): Promise<void> {
    if (performance.now() - this.#keptAt > keepSeconds * 1000) await this.keep();
  }

  /** Keeps it for a later run. */
  async keep(): Promise<void> {
    const underWay: UnderWay = {
      schema: 1,
      ...this.begun,
      clone: this.#clone,
      done: [...this.#done],
      wrong: this.#wrong,
      counts: this.counts,
    };
    await this.memory?.write('verification', `${JSON.stringify(underWay)}\n`);
    this.#keptAt = performance.now();
  }
}

/** The verification that is under way between two runs; null when there is none, or it can't be understood. */
export async function recallVerification(memory: Memory): Promise<UnderWay | null> {
  const text = await memory.read('verification');
  if (text === null) return null;
  try {
    const underWay = JSON.parse(text) as UnderWay | null;
    return underWay?.schema === 1 ? underWay : null;
  } catch {
    return null;
  }
}

export function forgetVerification(memory: Memory): Promise<void> {
  return memory.write('verification', null);
}

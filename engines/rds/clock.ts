import type { Instant } from '../../core/evidence';

/**
 * The time as AWS has it: that of its last answer, and what has passed since. This machine's own clock may be wrong, and
 * would make old backups look young. To the second, as the Date header is.
 */
export class AwsClock {
  #last: { readonly at: number; readonly seen: number } | null = null;

  /** Takes the Date header of an answer. One that is no date says nothing. */
  observe(date: string | undefined): void {
    const at = Date.parse(date ?? '');
    if (!Number.isNaN(at)) this.#last = { at, seen: performance.now() };
  }

  /** Of this machine as long as AWS has answered nothing. */
  now(): Instant {
    const at = this.#last === null ? Date.now() : this.#last.at + performance.now() - this.#last.seen;
    return new Date(at).toISOString();
  }
}

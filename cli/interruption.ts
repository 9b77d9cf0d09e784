import os from 'node:os';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
export type Interrupting = (typeof signals)[number];

/** Why a command was given up: a signal, which also decides its exit code. */
export class Interruption extends Error {
  override readonly name = 'Interruption';

  constructor(readonly signal: Interrupting) {
    super(`interrupted by ${signal}`);
  }

  /** As a shell reports a program that a signal ended. */
  get exitCode(): number {
    return 128 + os.constants.signals[this.signal];
  }
}

/**
 * An abort signal that follows the process's signals, and those that the other side of an SSH connection passes on. The
 * first asks the running job to end cleanly; a second ends the process at once, and the next run settles what it left.
 */
export class Signals {
  private readonly controller = new AbortController();
  readonly signal = this.controller.signal;

  constructor() {
    for (const name of signals) process.on(name, () => this.receive(name));
  }

  receive(name: string): void {
    const interruption = new Interruption(signals.find(known => known === name) ?? 'SIGTERM');
    // The only way to leave while a job still waits; nothing that lasts depends on a clean end.
    if (this.signal.aborted) process.exit(interruption.exitCode);
    this.controller.abort(interruption);
  }
}

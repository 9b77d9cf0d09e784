import { createInterface, type Interface } from 'node:readline';
import type { Readable } from 'node:stream';
import { HoldfastError } from '../core/errors';

/**
 * The lines of standard input, opened when the first is asked for. Over SSH a command is told of signals by lines too,
 * because sshd passes none on without a terminal: `signal SIGINT`, and the end of the stream when the connection is lost.
 */
export class Lines {
  private readonly queue: string[] = [];
  private waiting: ((line: string | undefined) => void) | undefined;
  private reader: Interface | undefined;
  private ended = false;

  constructor(readonly input: Readable) {}

  /** Listens from now on for signals of the other side. */
  follow(onSignal: (name: string) => void): void {
    this.open().on('line', line => {
      if (line.startsWith('signal ')) onSignal(line.slice('signal '.length));
    });
    this.open().once('close', () => onSignal('SIGHUP'));
  }

  /** The next line; undefined at the end. Rejects when `signal` aborts. */
  next(signal?: AbortSignal): Promise<string | undefined> {
    signal?.throwIfAborted();
    this.open();
    const line = this.queue.shift();
    if (line !== undefined) return Promise.resolve(line);
    if (this.ended) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      this.waiting = resolve;
      signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    });
  }

  /**
   * The JSON document on standard input. It ends with the line after which it is complete, so that a caller may keep the
   * stream open; nothing at all reads as an empty document.
   * @throws HoldfastError `configuration`
   */
  async document(): Promise<unknown> {
    let text = '';
    for (let line = await this.next(); line !== undefined; line = await this.next()) {
      text += `${line}\n`;
      const document = parse(text);
      if (document !== undefined) return document.value;
    }
    if (text.trim() === '') return {};
    throw new HoldfastError('configuration', 'standard input is not a JSON document', {
      hint: 'The commands under `holdfast host` are called by Pulumi and the timer; see docs/architecture.md.',
    });
  }

  private open(): Interface {
    if (this.reader !== undefined) return this.reader;
    this.reader = createInterface({ input: this.input, crlfDelay: Infinity });
    this.reader.on('line', line => {
      if (line.startsWith('signal ')) return;
      if (this.waiting === undefined) this.queue.push(line);
      else this.answer(line);
    });
    this.reader.once('close', () => {
      this.ended = true;
      this.answer(undefined);
    });
    return this.reader;
  }

  private answer(line: string | undefined): void {
    const { waiting } = this;
    this.waiting = undefined;
    waiting?.(line);
  }
}

function parse(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}

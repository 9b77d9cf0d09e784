import { PassThrough, Writable } from 'node:stream';
import type { Io } from '../../../cli/io';
import { Lines } from '../../../cli/lines';

export interface TestIo extends Io {
  readonly input: PassThrough;
  out(): string;
  err(): string;
  abort(reason: unknown): void;
}

/** Streams in memory in the place of the process's. */
export function testIo(changes: Partial<Io> = {}): TestIo {
  const controller = new AbortController();
  const written = { out: '', err: '' };
  const collect = (to: 'out' | 'err') =>
    new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        written[to] += chunk.toString('utf8');
        done();
      },
    });
  const input = new PassThrough();
  return {
    input,
    lines: new Lines(input),
    stdout: collect('out'),
    stderr: collect('err'),
    env: {},
    directory: '/nowhere',
    terminal: false,
    person: false,
    color: false,
    signal: controller.signal,
    out: () => written.out,
    err: () => written.err,
    abort: reason => controller.abort(reason),
    ...changes,
  };
}

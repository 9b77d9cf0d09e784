import { reportFailure } from '../../../cli/failure';
import { takeForwarding } from '../../../cli/forwarding';
import { Interruption } from '../../../cli/interruption';
import { HoldfastError } from '../../../core/errors';
import { forwardedFlag } from '../../../jobs/ssh';
import { testIo } from './support';

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)('%s ends a command with exit code %d', (signal, exitCode) => {
  const io = testIo();
  io.abort(new Interruption(signal));
  expect(reportFailure(new Error('whatever the job threw'), io, false)).toBe(exitCode);
  expect(io.err()).toBe(`holdfast: interrupted by ${signal}; what was begun was undone\n`);
});

test('a cause is told where the message doesn’t contain it', () => {
  const io = testIo();
  const cause = new Error('ENOSPC');
  expect(reportFailure(new HoldfastError('engine-failed', 'the backup failed', { cause }), io, false)).toBe(
    5,
  );
  expect(io.err()).toBe('holdfast: the backup failed\n  because: ENOSPC\n');
});

test('what nobody foresaw is an engine failure, with its trace when it is asked for', () => {
  const io = testIo({ env: { HOLDFAST_DEBUG: '1' } });
  expect(reportFailure(new TypeError('x is undefined'), io, false)).toBe(5);
  expect(io.err()).toContain('TypeError: x is undefined\n    at ');
});

test('over SSH the program learns who is behind it and whether somebody can be asked', () => {
  const before = process.env.HOLDFAST_REQUESTER;
  try {
    process.env.HOLDFAST_REQUESTER = 'ada@laptop';
    const argv = [forwardedFlag(true), 'restore', 'shop'];
    delete process.env.HOLDFAST_REQUESTER;
    expect(takeForwarding(argv)).toEqual({ args: ['restore', 'shop'], forwarded: { person: true } });
    expect(process.env.HOLDFAST_REQUESTER).toBe('ada@laptop');
    expect(takeForwarding([forwardedFlag(false), 'status']).forwarded).toEqual({ person: false });
    expect(takeForwarding(['status'])).toEqual({ args: ['status'], forwarded: undefined });
  } finally {
    if (before === undefined) delete process.env.HOLDFAST_REQUESTER;
    else process.env.HOLDFAST_REQUESTER = before;
  }
});

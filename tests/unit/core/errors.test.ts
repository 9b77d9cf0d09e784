import { asHoldfastError, exitCodes, HoldfastError, type ErrorCode } from '../../../core/errors';

test.each(Object.entries(exitCodes) as [ErrorCode, number][])('%s ends a command with %d', (code, exitCode) =>
  expect(new HoldfastError(code, 'x').exitCode).toBe(exitCode),
);

test('no two kinds of error share an exit code, and none is success or a crash', () => {
  const codes = Object.values(exitCodes);
  expect(new Set(codes).size).toBe(codes.length);
  expect(codes).not.toContain(0);
  expect(codes).not.toContain(1);
});

test('a person reads the message and what to do', () => {
  expect(new HoldfastError('busy', 'a backup runs', { hint: 'wait' }).describe()).toBe(
    'a backup runs\n  → wait',
  );
  expect(new HoldfastError('busy', 'a backup runs').describe()).toBe('a backup runs');
});

test('the cause is kept', () => {
  const cause = new Error('ENOSPC');
  expect(new HoldfastError('engine-failed', 'x', { cause }).cause).toBe(cause);
  expect('cause' in new HoldfastError('engine-failed', 'x')).toBe(false);
});

describe('whatever was thrown becomes one', () => {
  test('itself, when it is one', () => {
    const error = new HoldfastError('busy', 'x');
    expect(asHoldfastError(error, 'refused')).toBe(error);
  });
  test('an error, with its message and as the cause', () => {
    const error = new Error('broken');
    expect(asHoldfastError(error)).toMatchObject({ code: 'engine-failed', message: 'broken', cause: error });
  });
  test('anything else', () =>
    expect(asHoldfastError('text', 'check-failed')).toMatchObject({ code: 'check-failed', message: 'text' }));
});

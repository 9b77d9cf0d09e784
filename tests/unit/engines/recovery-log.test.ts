import { readRecoveryLog, replayRate, silentLog } from '../../../engines/host/clone/recovery-log';

const line = (text: string, level = 'LOG') => `2026-11-25 11:04:12.028 UTC ${level}:  ${text}\n`;

describe('the log of a recovery', () => {
  it('says what was replayed, until when, and that it has ended', () => {
    const half = readRecoveryLog(
      silentLog,
      line('redo starts at 0/3000028') + line('restored log file "000000010000000000000004" from archive'),
    );
    expect(half).toMatchObject({
      redoStartsAt: '0/3000028',
      segment: '000000010000000000000004',
      ready: false,
    });
    const log = readRecoveryLog(
      half,
      line('redo done at 0/40180A0 system usage: CPU: user: 0.00 s, system: 0.00 s, elapsed: 2.00 s') +
        line('last completed transaction was at log time 2026-11-25 11:04:04.095896+00') +
        line('database system is ready to accept connections'),
    );
    expect(log).toEqual({
      redoStartsAt: '0/3000028',
      redoDoneAt: '0/40180A0',
      elapsedSeconds: 2,
      lastTransactionAt: '2026-11-25T11:04:04.095Z',
      segment: '000000010000000000000004',
      ready: true,
      endedEarly: false,
      fatal: null,
    });
    expect(replayRate(log)).toBe(Math.round((0x40180a0 - 0x3000028) / 2));
  });

  it('measures nothing where the server doesn’t say how long it took (before PostgreSQL 15), or hasn’t ended', () => {
    const log = readRecoveryLog(
      silentLog,
      line('redo starts at 0/3000028') + line('redo done at 0/90180A0') + 'a line of another program\n',
    );
    expect(log).toMatchObject({ redoDoneAt: '0/90180A0', elapsedSeconds: null });
    expect(replayRate(log)).toBeNull();
    expect(replayRate({ ...log, elapsedSeconds: 2, redoDoneAt: null })).toBeNull();
    expect(replayRate(silentLog)).toBeNull();
  });

  it('knows a target that was not reached from other ends', () => {
    const early = readRecoveryLog(
      silentLog,
      line('recovery ended before configured recovery target was reached', 'FATAL'),
    );
    expect(early).toMatchObject({
      endedEarly: true,
      fatal: 'recovery ended before configured recovery target was reached',
    });
    const other = readRecoveryLog(silentLog, line('could not locate a valid checkpoint record', 'PANIC'));
    expect(other).toMatchObject({ endedEarly: false, fatal: 'could not locate a valid checkpoint record' });
    expect(readRecoveryLog(silentLog, line('the database system is starting up', 'FATAL'))).toEqual(
      silentLog,
    );
  });

  it.each([
    ['less than a segment', '0/3000028', '0/3FFFFFF', 2],
    ['less than half a second', '0/3000028', '0/9000000', 0.4],
  ])('measures no rate from %s', (_what, redoStartsAt, redoDoneAt, elapsedSeconds) => {
    expect(replayRate({ ...silentLog, redoStartsAt, redoDoneAt, elapsedSeconds })).toBeNull();
  });
});

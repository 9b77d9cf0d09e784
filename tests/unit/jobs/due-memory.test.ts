import {
  forecast,
  recallDue,
  rememberDue,
  withOutcome,
  withUsage,
  type DueMemory,
} from '../../../jobs/due-memory';
import { FakeMemory, hoursAgo, now, soundEvidence } from './fake-engine';

const memory: DueMemory = { schema: 1, since: hoursAgo(1000), failures: {}, alerts: {}, usage: {} };

describe('what is remembered', () => {
  test('begins anew where there is nothing, or nothing that can be understood', async () => {
    const kept = new FakeMemory();
    const fresh = { schema: 1, since: now, failures: {}, alerts: {}, usage: {} };
    expect(await recallDue(kept, now)).toEqual(fresh);
    for (const content of ['{"schema":', '{"schema":2}', 'null']) {
      kept.texts.set('due', content);
      expect(await recallDue(kept, now)).toEqual(fresh);
    }
    await rememberDue(kept, memory);
    expect(await recallDue(kept, now)).toEqual(memory);
  });

  test('that can’t be read is not taken for nothing: what failed would begin anew', async () => {
    const kept = new FakeMemory();
    kept.onCall = () => {
      throw new Error('it can’t be read');
    };
    await expect(recallDue(kept, now)).rejects.toThrow('can’t be read');
  });

  test('tells when a repository will be full, and nothing of one that was never observed', () => {
    const filling = [2, 1, 0].map(days => ({
      at: hoursAgo(days * 24),
      usedBytes: (3 - days) * 1_000_000_000,
    }));
    const evidence = soundEvidence();
    expect(forecast(memory, evidence)).toEqual({ '1': null });
    expect(forecast({ ...memory, usage: { '1': filling } }, evidence)).toEqual({
      '1': expect.stringMatching(/^2026-01-2/) as string,
    });
  });

  test('counts failures in a row, and forgets them with a success', () => {
    const failure = { at: now, reason: 'disk full' };
    const twice = withOutcome(withOutcome(memory, 'full', failure), 'full', failure);
    expect(twice.failures.full).toEqual({ ...failure, count: 2 });
    expect(withOutcome(twice, 'full', null).failures).toEqual({});
  });

  test('keeps one observation of a repository an hour, at most 200', () => {
    let remembered = memory;
    for (let hours = 300; hours >= 0; hours -= 0.5)
      remembered = withUsage(remembered, soundEvidence({ observedAt: hoursAgo(hours) }));
    expect(remembered.usage['1']).toHaveLength(200);
    expect(remembered.usage['1']?.at(-1)).toEqual({ at: now, usedBytes: 1_000_000 });
  });

  test('has no observations of a place without a limit, which never fills', () => {
    const [repository] = soundEvidence().repositories;
    const evidence = soundEvidence({ repositories: [{ ...repository!, freeBytes: null }] });
    expect(withUsage(memory, evidence).usage).toEqual({});
    expect(forecast(memory, evidence)).toEqual({ '1': null });
  });
});

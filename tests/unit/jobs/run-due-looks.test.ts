import { HoldfastError } from '../../../core/errors';
import { recallDue } from '../../../jobs/due-memory';
import { runDue } from '../../../jobs/run-due';
import { recallVerification } from '../../../jobs/verification/progress';
import { backupSet, fakeCluster, now, passed, quietWatch, soundEvidence } from './fake-engine';

/*
 * run-due on an engine whose operations go on alone: each call begins something or looks once, and never waits.
 */

function cluster(looks: number) {
  const made = fakeCluster();
  made.engine.goesOnAlone = true;
  made.engine.looks = looks;
  return made;
}

const run = (shop: ReturnType<typeof cluster>) => runDue(shop, quietWatch());
const due = ({ engine }: ReturnType<typeof cluster>) => recallDue(engine.memory, now);
const later = (minutes: number) => new Date(Date.parse(now) + minutes * 60_000).toISOString();

/** Daily at 1:30 UTC (full on Sundays), verification at 3:30; `now` is Thursday, 12:00. */
const lastNight = backupSet(10, { kind: 'differential', verification: passed(8.4) });
const sunday = backupSet(106, { verification: passed(104) });
const inOrder = soundEvidence({ backups: [sunday, lastNight] });
const missed = soundEvidence({ backups: [sunday] });
const unverified = soundEvidence({ backups: [sunday, { ...lastNight, verification: passed(40) }] });

test('a backup is begun, found again by when it was begun, and done; each run only looks', async () => {
  const shop = cluster(2);
  shop.engine.current = missed;
  expect(await run(shop)).toMatchObject({ job: 'differential', outcome: 'running' });
  expect((await due(shop)).begun).toEqual({ job: 'differential', at: now });
  // What is evident meanwhile doesn't end it.
  shop.engine.current = { ...inOrder, observedAt: later(5) };
  expect(await run(shop)).toMatchObject({ job: 'differential', reason: `it was begun at ${now}` });
  expect(await run(shop)).toMatchObject({ job: 'differential', outcome: 'succeeded' });
  expect(shop.engine.begun).toEqual([now, now, now]);
  expect((await due(shop)).begun).toBeUndefined();
  expect(shop.engine.memory.audit).toEqual([
    expect.objectContaining({ what: 'backup differential', outcome: 'succeeded' }) as object,
  ]);
  expect(await run(shop)).toMatchObject({ job: null });
});

test('a backup is remembered before it is begun: a run that is killed then is gone on with', async () => {
  const shop = cluster(1);
  shop.engine.current = missed;
  const seen: unknown[] = [];
  shop.engine.onCall = async call => {
    if (call === 'look at backup differential') seen.push((await due(shop)).begun);
  };
  await run(shop);
  expect(seen).toEqual([{ job: 'differential', at: now }]);
});

test('a backup that fails while nobody looks is a failure of the schedule, and isn’t begun anew at once', async () => {
  const shop = cluster(1);
  shop.engine.current = missed;
  await run(shop);
  shop.engine.onCall = call => {
    if (call === 'backup differential') throw new HoldfastError('engine-failed', 'its status is failed');
  };
  await expect(run(shop)).rejects.toThrow('its status is failed');
  expect(await due(shop)).toMatchObject({ failures: { differential: { count: 1 } } });
  expect((await due(shop)).begun).toBeUndefined();
  expect((await run(shop)).reason).toContain('failed 1 times; next attempt');
});

test('a backup that isn’t done after a day is given up, and alerted of', async () => {
  const shop = cluster(2);
  shop.engine.current = missed;
  await run(shop);
  shop.engine.current = { ...missed, observedAt: later(24 * 60 + 1) };
  await expect(run(shop)).rejects.toThrow(`differential was begun at ${now}, isn’t done, and is given up`);
  expect((await due(shop)).begun).toBeUndefined();
});

test('a cluster that is locked meanwhile is no failure: what was begun stays so, and what wasn’t isn’t', async () => {
  const shop = cluster(1);
  shop.engine.current = missed;
  const locked = (call: string) => {
    if (call === 'lock backup') throw new HoldfastError('busy', 'a restore is running');
  };
  shop.engine.onCall = locked;
  expect(await run(shop)).toMatchObject({ job: 'differential', outcome: 'busy' });
  expect(await due(shop)).toMatchObject({ failures: {} });
  expect((await due(shop)).begun).toBeUndefined();
  shop.engine.onCall = () => undefined;
  await run(shop);
  shop.engine.onCall = locked;
  expect(await run(shop)).toMatchObject({ outcome: 'busy' });
  expect((await due(shop)).begun).toEqual({ job: 'differential', at: now });
});

test('a verification is gone on with in each run, though it is due no more, and its clone is left alone', async () => {
  const shop = cluster(1);
  shop.engine.current = unverified;
  expect(await run(shop)).toMatchObject({ job: 'verification', outcome: 'running' });
  shop.engine.current = inOrder;
  shop.engine.pieces = ['orders', 'items'];
  shop.engine.onCall = call => {
    if (call === 'check items') throw new HoldfastError('busy', 'AWS throttles');
  };
  expect(await run(shop)).toMatchObject({ job: 'verification', outcome: 'busy' });
  expect(shop.engine.made).toHaveLength(1);
  shop.engine.onCall = () => undefined;
  expect(await run(shop)).toMatchObject({
    job: 'verification',
    outcome: 'succeeded',
    reason: `it was begun at ${now}`,
  });
  expect(shop.engine.checked).toEqual(['orders', 'items']);
  expect(shop.engine.made).toEqual([]);
});

test('a backup that is due goes before a verification that is under way', async () => {
  const shop = cluster(1);
  shop.engine.current = unverified;
  await run(shop);
  shop.engine.current = missed;
  expect(await run(shop)).toMatchObject({ job: 'differential', outcome: 'succeeded' });
  expect(await recallVerification(shop.engine.memory)).not.toBeNull();
  shop.engine.current = inOrder;
  expect(await run(shop)).toMatchObject({ job: 'verification', outcome: 'succeeded' });
});

test('where operations need somebody who waits for them, they are waited for, and nothing is begun', async () => {
  const shop = fakeCluster();
  shop.engine.looks = 5;
  shop.engine.current = missed;
  expect(await run(shop)).toMatchObject({ job: 'differential', outcome: 'succeeded' });
  expect(shop.engine.looks).toBe(5);
  expect((await due(shop)).begun).toBeUndefined();
});

describe('a modification that is applied in an hour', () => {
  const pending = (minutes: number, backups = [sunday, lastNight]) =>
    soundEvidence({ backups, pendingChange: { at: later(minutes), what: 'the class is going to change' } });

  test('gets a backup of its own, once', async () => {
    const shop = cluster(0);
    shop.engine.current = pending(50);
    expect(await run(shop)).toMatchObject({
      job: 'incremental',
      outcome: 'succeeded',
      reason: `the class is going to change, which is applied from ${later(50)} on`,
    });
    expect(await run(shop)).toMatchObject({ job: null });
  });

  test.each([
    ['not yet, two hours before', pending(120), null],
    ['also while it may be applied already', pending(-10), 'incremental'],
    [
      'no more, when there is a backup of the hour before it',
      pending(30, [sunday, lastNight, backupSet(0.2)]),
      null,
    ],
    ['no other when there is no usable backup at all: a full one', pending(30, []), 'full'],
  ] as const)('%s', async (_, evidence, job) => {
    const shop = cluster(0);
    shop.engine.current = evidence;
    expect((await run(shop)).job).toBe(job);
  });
});

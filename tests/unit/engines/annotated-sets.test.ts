import fs from 'node:fs';
import path from 'node:path';
import type { Verification } from '../../../core/evidence';
import { backup } from '../../../engines/host/backup';
import { lastCounts, recordVerification } from '../../../engines/host/verification';
import { removeTempDirs } from '../../support/temp';
import * as orphan from '../../../engines/host/pgbackrest/orphan';
import { encodeVerification } from '../../../engines/host/pgbackrest/annotations';
import {
  callsOf,
  filesOf,
  hostContext,
  infoOf,
  listedSet,
  listingOf,
  pgBackRestIs,
  pgBackRestIsReal,
} from './facts';

/*
 * What counts is what lies in the repository afterwards: here pgBackRest reports success, and that isn't so.
 */

afterEach(() => {
  pgBackRestIsReal();
  jest.restoreAllMocks();
});
afterAll(removeTempDirs);

const old = listedSet({ label: '20251231-000000F' });
const added = listedSet({ annotations: { 'holdfast-change': 'c-1' } });
const watch = { report: () => undefined, signal: new AbortController().signal };

/** Before `command` was run (on the repository) `info` prints the first, afterwards the second; `extra` are lines of its script. */
function changing(command: string, before: string, after: string, extra = '', listing = '{}'): string {
  const directory = pgBackRestIs(`
echo "$@" >> calls
case " $* " in *" --repo=2 "*) done=done-2 ;; *) done=done-1 ;; esac
case " $* " in
  *" ${command} "*) touch $done; ${extra} : ;;
  *" info "*) if [ -e $done ]; then cat after; else cat before; fi ;;
  *" repo-ls "*) cat listing ;;
esac`);
  const write = (name: string, text: string) => fs.writeFileSync(path.join(directory, name), text);
  write('before', before);
  write('after', after);
  write('listing', listing);
  return directory;
}

describe('a backup', () => {
  const take = (context = hostContext()) => backup(context, 'full', { changeId: 'c-1' }, watch);
  const backsUp = (after: readonly ReturnType<typeof listedSet>[], extra = '', files = filesOf(added)) =>
    changing('backup', infoOf([old]), infoOf([old, ...after]), extra, listingOf(files));

  test('is the new set with its annotations', async () => {
    backsUp([added]);
    expect(await take()).toMatchObject({ id: added.label, changeId: 'c-1' });
  });

  test('begins again once one that was left by a killed job is ended', async () => {
    const ended = jest.spyOn(orphan, 'endOrphanedBackup').mockResolvedValueOnce(true);
    const directory = backsUp([added], '[ -e left ] || { touch left; exit 50; };');
    const steps: string[] = [];
    const report = ({ step }: { readonly step: string }) => void steps.push(step);
    const context = hostContext();
    expect(await backup(context, 'full', { changeId: 'c-1' }, { ...watch, report })).toMatchObject({
      id: added.label,
    });
    expect(ended).toHaveBeenCalledWith(
      path.join(context.paths.lock, 'shop-backup.lock'),
      context.pgbackrest.configurationFile,
    );
    expect(steps).toEqual(['ended a backup that was left by a job that was killed']);
    expect(callsOf(directory).filter(call => /\bbackup --repo/.test(call))).toHaveLength(2);
  });

  test.each([
    ['no new set', []],
    ['a new set of somebody else', [listedSet({ annotations: { 'holdfast-change': 'c-2' } })]],
  ])('after which there is %s is a failure', async (_, after) => {
    backsUp(after);
    await expect(take()).rejects.toMatchObject({
      code: 'engine-failed',
      message: 'pgbackrest reported a backup of shop, but repository 1 has no new backup set',
    });
  });

  test('is not one that was there before, for the same change', async () => {
    const before = { ...added, label: old.label };
    changing('backup', infoOf([before]), infoOf([before]), '', listingOf(filesOf(before)));
    await expect(take()).rejects.toThrow('has no new backup set');
  });

  test('whose files are not all there is a failure', async () => {
    backsUp([added], '', {});
    await expect(take()).rejects.toMatchObject({
      code: 'engine-failed',
      message: expect.stringContaining('can’t be restored from: its directory is missing') as string,
    });
  });

  test('is taken into each repository', async () => {
    const passphrase = 'local passphrase 1';
    const repositories = [
      { type: 'local', path: '/srv/one', encryption: true, passphrase },
      { type: 'local', path: '/srv/two', encryption: true, passphrase },
    ];
    const first = { ...added, label: '20260101-000000F' };
    const second = { ...added, repository: 2, label: '20260101-000100F' };
    const directory = backsUp([first, second], '', { ...filesOf(first), ...filesOf(second) });
    const context = hostContext({ backups: { repositories } });
    expect(await backup(context, 'full', { changeId: 'c-1' }, watch)).toMatchObject({ id: first.label });
    expect(callsOf(directory).filter(call => call.startsWith('backup'))).toEqual([
      expect.stringContaining('--repo=1'),
      expect.stringContaining('--repo=2'),
    ]);
  });

  test.each([
    ['nobody', null, ''],
    ['a process of pgBackRest', '{"pid":4711}', ' by pgbackrest, process 4711'],
    ['somebody unknown', '{"execId":"x"}', ''],
  ])('is busy while %s has the lock', async (_, lock, by) => {
    backsUp([], 'exit 50;');
    const context = hostContext();
    fs.mkdirSync(context.paths.lock, { recursive: true });
    if (lock !== null) fs.writeFileSync(path.join(context.paths.lock, 'shop-backup.lock'), lock);
    await expect(take(context)).rejects.toMatchObject({
      code: 'busy',
      message: `cluster shop is being backed up already${by}`,
    });
  });
});

describe('a verification', () => {
  const passed: Verification = {
    result: 'passed',
    at: '2026-01-02T00:00:00.000Z',
    restoreSeconds: 12,
    replayBytesPerSecond: null,
    reason: null,
  };
  const failed: Verification = { ...passed, result: 'failed', reason: 'rows fell' };
  const verified = (verification: Verification, counts = {}, label = added.label) =>
    listedSet({
      label,
      annotations: Object.fromEntries(
        Object.entries(encodeVerification(verification, counts)).filter(([, value]) => value !== ''),
      ),
    });
  const record = (verification = passed) =>
    recordVerification(hostContext(), added.label, verification, { t: 1 });

  test('is kept when it can be read back from its set', async () => {
    changing('annotate', infoOf([added]), infoOf([verified(passed)]));
    await record();
  });

  test.each([
    ['is not on the set', [added]],
    ['is another one', [verified({ ...passed, at: '2026-01-01T00:00:00.000Z' })]],
    ['has another result', [verified(failed)]],
    ['went with the set', []],
  ])('that %s afterwards is a failure', async (_, after) => {
    changing('annotate', infoOf([added]), infoOf(after));
    await expect(record()).rejects.toMatchObject({
      code: 'engine-failed',
      message: `the verification of ${added.label} could not be kept on it`,
    });
  });

  test('that passed takes the counts of older ones away; one that failed doesn’t', async () => {
    const older = verified(passed, { t: 2 }, old.label);
    const annotated = async (verification: Verification) => {
      const directory = changing('annotate', infoOf([older, added]), infoOf([older, verified(verification)]));
      await record(verification);
      return callsOf(directory)
        .filter(call => call.startsWith('annotate'))
        .map(call => call.split(' ')[1]);
    };
    expect(await annotated(passed)).toEqual([`--set=${added.label}`, `--set=${old.label}`]);
    expect(await annotated(failed)).toEqual([`--set=${added.label}`]);
  });

  test('waits while a backup holds the stanza, and for nothing else', async () => {
    const busyOnce = 'if [ ! -e waited ]; then touch waited; rm $done; exit 50; fi;';
    const directory = changing('annotate', infoOf([added]), infoOf([verified(passed)]), busyOnce);
    await record();
    expect(callsOf(directory).filter(call => call.startsWith('annotate'))).toHaveLength(2);
    changing('annotate', infoOf([added]), infoOf([added]), 'exit 39;');
    await expect(record()).rejects.toThrow('exit code 39');
  });

  test('gives its counts to the next one: those of the newest that passed', async () => {
    const counted = (...sets: ReturnType<typeof verified>[]) => {
      changing('annotate', infoOf(sets), '');
      return lastCounts(hostContext());
    };
    const first = verified(passed, { t: 1 }, old.label);
    const second = verified({ ...passed, at: '2026-01-03T00:00:00.000Z' }, { t: 2 });
    expect(await counted(second, first)).toEqual({ t: 2 });
    expect(await counted(first, verified(failed, { t: 3 }))).toEqual({ t: 1 });
    expect(await counted(added)).toBeNull();
  });
});

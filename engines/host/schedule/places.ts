import fs from 'node:fs/promises';
import path from 'node:path';
import { exists, readIfThere } from '../files';
import { acquire } from '../lock';
import { ProcessError, run } from '../process';
import { findCrontabBlock, renderCronFile, renderCrontabBlock, withCrontabBlock } from './cron';
import { enabledUnits, renderUnits } from './systemd';
import type { Job } from './plan';

/** Where a machine keeps schedules. */
export interface Places {
  readonly kind: 'systemd' | 'cron.d' | 'crontab';
  /** Of the units, or of cron.d's files; nothing for a crontab. */
  readonly directory: string;
  /** The programs of systemd and cron. @default `systemctl`, `crontab` */
  readonly programs?: { readonly systemctl?: string; readonly crontab?: string };
}

/** systemd as root where it is PID 1 (sd_booted(3)), cron.d as root elsewhere, else the user's own crontab. */
export async function placesHere(): Promise<Places> {
  if (process.getuid?.() !== 0) return { kind: 'crontab', directory: '' };
  return (await exists('/run/systemd/system'))
    ? { kind: 'systemd', directory: '/etc/systemd/system' }
    : { kind: 'cron.d', directory: '/etc/cron.d' };
}

/** What is written: files, or a block of the crontab. */
export interface Entry {
  /** Null for the crontab. */
  readonly file: string | null;
  readonly content: string;
}

/** What a job looks like where this machine keeps schedules. */
export function entriesOf(job: Job, places: Places): Entry[] {
  const inside = (name: string): string => path.join(places.directory, name);
  switch (places.kind) {
    case 'cron.d':
      return [{ file: inside(job.name), content: renderCronFile(job) }];
    case 'crontab':
      return [{ file: null, content: renderCrontabBlock(job) }];
    case 'systemd':
      return renderUnits(job).map(({ name, content }) => ({ file: inside(name), content }));
  }
}

/** Of an entry as it is now; null when it isn't there. */
export async function currentEntry(entry: Entry, name: string, places: Places): Promise<string | null> {
  return entry.file === null ? findCrontabBlock(await readCrontab(places), name) : readIfThere(entry.file);
}

const crontabOf = (places: Places): string => places.programs?.crontab ?? 'crontab';

async function readCrontab(places: Places): Promise<string> {
  try {
    return (await run(crontabOf(places), ['-l'], { timeoutSeconds: 20 })).stdout;
  } catch (error) {
    // "no crontab for shop": an empty one. Anything else must not be taken for that, or its lines would be lost.
    if (error instanceof ProcessError && /no crontab/i.test(error.stderr)) return '';
    throw error;
  }
}

/** Writes our block of the crontab, or removes it; two that do so at once don't lose each other's. */
export async function changeCrontab(
  places: Places,
  lockDirectory: string,
  name: string,
  block: string | null,
): Promise<void> {
  const release = await waitForLock(lockDirectory);
  try {
    const current = await readCrontab(places);
    const wanted = withCrontabBlock(current, name, block);
    if (wanted !== current) await run(crontabOf(places), ['-'], { input: wanted, timeoutSeconds: 20 });
  } finally {
    await release();
  }
}

const lockSeconds = 20;

async function waitForLock(directory: string): Promise<() => Promise<void>> {
  await fs.mkdir(directory, { recursive: true, mode: 0o700 });
  const deadline = Date.now() + lockSeconds * 1000;
  for (;;) {
    try {
      return await acquire(directory, 'schedule');
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise(resolve => setTimeout(resolve, 50));
    }
  }
}

/** Tells systemd of units that were written, and has it start them at once and at boot. */
export async function enableUnits(places: Places, job: Job): Promise<void> {
  await systemctl(places, ['daemon-reload']);
  await systemctl(places, ['enable', ...enabledUnits(job)]);
  // The cluster runs already: its start unit is only started so that it is stopped in time when the machine goes down.
  await systemctl(places, ['start', ...enabledUnits(job)]);
}

export async function disableUnits(places: Places, units: readonly string[]): Promise<void> {
  await systemctl(places, ['disable', ...units]);
  const timers = units.filter(unit => unit.endsWith('.timer'));
  // The start unit isn't stopped: that would stop the cluster.
  await systemctl(places, ['stop', ...timers]);
}

export async function reloadUnits(places: Places): Promise<void> {
  await systemctl(places, ['daemon-reload']);
}

async function systemctl(places: Places, args: readonly string[]): Promise<void> {
  await run(places.programs?.systemctl ?? 'systemctl', args, { timeoutSeconds: 700 });
}

import { execFileSync } from 'node:child_process';
import fs from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod';
import { HoldfastError } from '../../../core/errors';
import type { Drift } from '../../../core/host-documents';
import type { HostSpecification } from '../../../core/specification';
import { readIfThere, writeAtomically } from '../files';
import { clusterPaths } from '../layout';
import { identityOf } from '../owner';
import {
  changeCrontab,
  currentEntry,
  disableUnits,
  enableUnits,
  entriesOf,
  placesHere,
  reloadUnits,
  type Places,
} from './places';
import { jobName, jobOf, type Job, type ScheduleProgram } from './plan';

const note = z.strictObject({
  schema: z.literal(1),
  kind: z.enum(['systemd', 'cron.d', 'crontab']),
  entries: z.array(z.strictObject({ file: z.string().nullable(), content: z.string() })),
});

/** What was written where, kept beside the cluster: that is what is compared, and what is removed. */
type Note = z.output<typeof note>;

export interface InstalledSchedule {
  readonly cluster: string;
  readonly kind: Places['kind'];
  /** Files, or `crontab`. */
  readonly written: readonly string[];
}

/**
 * Has the machine run what is due for a cluster every few minutes, and start a managed one at boot. Idempotent. Run it as
 * root where Holdfast is root's: before the process becomes the cluster's owner.
 *
 * @throws HoldfastError `configuration` when the cluster's owner could not run it: it would fail unattended.
 */
export async function installSchedule(
  specification: HostSpecification,
  options: ScheduleProgram & { readonly places?: Places },
): Promise<InstalledSchedule> {
  const places = options.places ?? (await placesHere());
  const job = jobOf(specification, options);
  assertRunnable(job);
  const entries = entriesOf(job, places);
  const before = await readNote(options.home, job.cluster);
  if (before !== null && before.kind !== places.kind)
    await removeEntries(before, job, { ...places, kind: before.kind }, options.home);
  // First what is going to be there: whatever is written of it is found again.
  await writeNote(job, options.home, { schema: 1, kind: places.kind, entries });
  for (const { file, content } of entries) {
    if (file === null) await changeCrontab(places, lockOf(options.home), job.name, content);
    else if ((await readIfThere(file)) !== content) await writeAtomically(file, content, 0o644);
  }
  if (places.kind === 'systemd') await enableUnits(places, job);
  const written = entries.map(({ file }) => file ?? 'crontab');
  return { cluster: job.cluster, kind: places.kind, written };
}

/** Removes the schedule of a cluster; none is no error. As root where Holdfast is root's. */
export async function removeSchedule(
  cluster: string,
  options: { readonly home: string; readonly places?: Places },
): Promise<{ readonly cluster: string; readonly removed: readonly string[] }> {
  const here = options.places ?? (await placesHere());
  const found = await readNote(options.home, cluster);
  const job = { name: jobName(options.home, cluster), cluster };
  if (found !== null) await removeEntries(found, job, { ...here, kind: found.kind }, options.home);
  await fs.rm(noteFile(options.home, cluster), { force: true });
  return { cluster, removed: (found?.entries ?? []).map(({ file }) => file ?? 'crontab') };
}

/**
 * What differs from the schedule as it was installed; nothing when none was. Read-only.
 */
export async function scheduleDrift(
  cluster: string,
  options: { readonly home: string; readonly places?: Places },
): Promise<readonly Drift[]> {
  const found = await readNote(options.home, cluster);
  if (found === null) return [];
  const places = { ...(options.places ?? (await placesHere())), kind: found.kind };
  const name = jobName(options.home, cluster);
  const drift: Drift[] = [];
  for (const entry of found.entries) {
    const current = await currentEntry(entry, name, places);
    if (current === entry.content) continue;
    const where = entry.file ?? 'crontab';
    drift.push({
      what: 'schedule',
      expected: `${where} as applied`,
      found: current === null ? 'it is gone' : 'it was changed',
    });
  }
  return drift;
}

const noteFile = (home: string, cluster: string): string =>
  path.join(clusterPaths(home, cluster).root, 'schedule.json');
const lockOf = (home: string): string => path.join(home, 'crontab-lock');

async function readNote(home: string, cluster: string): Promise<Note | null> {
  const file = noteFile(home, cluster);
  try {
    const text = await readIfThere(file);
    return text === null ? null : note.parse(JSON.parse(text));
  } catch (error) {
    throw new HoldfastError('engine-failed', `${file} can't be read or understood`, {
      hint: 'Delete it and run `pulumi up`, which writes schedule and file again.',
      cause: error,
    });
  }
}

async function writeNote(job: Job, home: string, value: Note): Promise<void> {
  const file = noteFile(home, job.cluster);
  await writeAtomically(file, `${JSON.stringify(value, null, 2)}\n`);
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = identityOf(job.owner);
  await fs.lchown(file, uid, gid);
}

async function removeEntries(
  found: Note,
  job: Pick<Job, 'name'>,
  places: Places,
  home: string,
): Promise<void> {
  const files = found.entries.flatMap(({ file }) => file ?? []);
  if (found.kind === 'systemd') {
    const units = files
      .map(file => path.basename(file))
      .filter(unit => /(\.timer|-start\.service)$/.test(unit));
    await disableUnits(places, units);
  }
  if (files.length < found.entries.length) await changeCrontab(places, lockOf(home), job.name, null);
  for (const file of files) await fs.rm(file, { force: true });
  if (found.kind === 'systemd') await reloadUnits(places);
}

/** Tries it out: a schedule that can't run fails where nobody looks. */
function assertRunnable({ command: [node, program], owner, cluster }: Job): void {
  const identity = process.getuid?.() === 0 ? identityOf(owner) : {};
  try {
    execFileSync(node, ['-e', 'require("node:fs").accessSync(process.argv[1], 4)', program], {
      ...identity,
      cwd: '/',
      env: {},
      stdio: 'pipe',
      timeout: 30_000,
    });
  } catch (error) {
    throw new HoldfastError(
      'configuration',
      `the schedule of cluster ${cluster} can't run: ${owner} can't start ${node} with ${program}`,
      {
        hint: 'Install Node.js where every user can run it (not below a home directory), and keep HOLDFAST_HOME where the owner can enter.',
        cause: error,
      },
    );
  }
}

import { HoldfastError } from '../../core/errors';
import { ensureToolchain } from '../../toolchain/install';
import { keepWhole } from '../down/final-backup';
import { embeddedStacks, stateDirectory } from '../embedded';
import { readDeployment, stackExists, type StackPlace } from '../pulumi/backend';
import { complaintsIn, describeChanges, hasChanges, preview, type Preview } from '../pulumi/preview';
import type { Pulumi } from '../pulumi/pulumi';
import { settleStack } from '../pulumi/settle';
import type { SurveyedCluster } from '../survey';
import { wantedVersions } from './checkout';
import { ClusterCommands } from './clusters';
import { ensureCronDaemon } from './cron-daemon';
import { freshen, stopped } from './evidence';
import { alone, embeddedPlace, logOf, makeHome, pulumiIn, type Place, type Watching } from './place';
import { cron, ensureSystemPackages, pgBackRest, postgresServer } from './system-packages';

/** What `holdfast up` came to. */
export interface UpReport {
  readonly home: string;
  /** The stacks that were updated; none when there was nothing to change. */
  readonly updated: readonly string[];
  readonly clusters: readonly SurveyedCluster[];
}

interface Run extends Watching {
  readonly place: Place;
  readonly pulumi: Pulumi;
  readonly commands: ClusterCommands;
}

/**
 * Brings the embedded default up: from whatever is there to a staging and a production cluster that run, are backed up,
 * verified and gated. Interrupted anywhere, the next run goes on; with nothing to change it changes nothing.
 * @throws HoldfastError `configuration` when something must be installed by hand, `refused` when a gate refuses.
 */
export async function up(home: string, watching: Watching): Promise<UpReport> {
  const place = embeddedPlace(home);
  makeHome(place);
  return alone(place, watching, async () => {
    const run = await prepare(place, watching);
    await keepWhole(home, run);
    for (const stack of embeddedStacks) await ensureStack(run, stack);
    const before = await revive(run);
    const changed = await stacksToUpdate(run);
    for (const stack of changed) await update(run, stack);
    if (changed.length > 0) await freshen(await run.commands.survey(), run.commands);
    const clusters = changed.length > 0 ? await run.commands.survey() : before;
    return { home, updated: changed, clusters };
  });
}

/** What has to be installed and running before anything can be applied. */
async function prepare(place: Place, watching: Watching): Promise<Run> {
  const { report, signal } = watching;
  const versions = new Set(embeddedStacks.flatMap(stack => wantedVersions(place.checkout, stack)));
  await ensureSystemPackages([...[...versions].map(postgresServer), pgBackRest, cron], watching);
  ensureCronDaemon(report);
  const { directory } = place.checkout;
  const toolchain = await ensureToolchain({
    projectDirectory: directory,
    pulumiHome: place.pulumiHome,
    report,
    signal,
  });
  const commands = new ClusterCommands({
    home: place.home,
    checkout: directory,
    env: place.env,
    report,
    signal,
  });
  return { ...watching, place, commands, pulumi: pulumiIn(place, toolchain.pulumi, watching) };
}

const stackPlace = ({ home, checkout }: Place, stack: string): StackPlace => ({
  stateDirectory: stateDirectory(home),
  project: checkout.project,
  stack,
});

/** The stack exists, and nothing of an earlier update stands in the way. */
async function ensureStack(run: Run, stack: string): Promise<void> {
  const place = stackPlace(run.place, stack);
  if (stackExists(place)) {
    await settleStack({ ...run, place });
    return;
  }
  run.report(`${stack}: making the stack`);
  await run.pulumi.succeed(['stack', 'init', stack, '--no-select']);
}

/** Clusters that are set up already: those that are down are started, and backups that got too old are taken again. */
async function revive({ commands, report }: Run): Promise<readonly SurveyedCluster[]> {
  const found = await commands.survey();
  const down = stopped(found);
  for (const cluster of down) {
    report(`${cluster}: starting the cluster`);
    await commands.host('start', { cluster });
  }
  const running = down.length > 0 ? await commands.survey() : found;
  const tired = running.filter(
    // A beginning that an interruption drew out for too long is none any more: without backups it couldn't go on.
    ({ report: each }) =>
      each?.judgement.verdict !== 'fresh' &&
      each?.judgement.letsThrough === null &&
      each.evidence.begunAt !== null,
  );
  if (tired.length === 0) return running;
  await freshen(tired, commands);
  return commands.survey();
}

/** Those that were never updated, and those whose preview shows a change. The previews run at the same time. */
async function stacksToUpdate({ place, pulumi, report }: Run): Promise<readonly string[]> {
  const isNew = (stack: string) => (readDeployment(stackPlace(place, stack))?.resources ?? []).length === 0;
  const known = embeddedStacks.filter(stack => !isNew(stack));
  if (known.length > 0) report(`previewing ${known.join(' and ')}`);
  const previews = new Map<string, Preview>();
  await Promise.all(known.map(async stack => previews.set(stack, await preview(pulumi, stack))));
  return embeddedStacks.filter(stack => {
    const found = previews.get(stack);
    if (found === undefined) return true;
    report(hasChanges(found) ? `${stack}: ${describeChanges(found)}` : `${stack}: nothing to change`);
    return hasChanges(found);
  });
}

/** `pulumi up`, with its own preview and every gate. */
async function update({ place, pulumi, report }: Run, stack: string): Promise<void> {
  const log = logOf(place, stack);
  report(`${stack}: pulumi up (all of it: ${log})`);
  const lines: string[] = [];
  const code = await pulumi.follow(['up', '--yes', '--stack', stack], {
    log,
    onLine: line => {
      lines.push(line);
      if (isProgress(line)) report(`  ${line.trim()}`);
    },
  });
  if (code === 0) return;
  const printed = lines.join('\n');
  throw new HoldfastError(
    'engine-failed',
    `pulumi up of ${stack} failed:\n${complaintsIn(printed) ?? printed.trim()}`,
    { hint: `All of it is in ${log}. Run this again when that is solved: it goes on from here.` },
  );
}

/** A step that was done: "+  command:local:Command prod-apply created (2s)". */
const isProgress = (line: string): boolean =>
  /^\s*[-+~]+\s+\S+:\S+ .*\b(creat|updat|delet|replac)ed\b/.test(line);

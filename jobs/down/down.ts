import fs from 'node:fs/promises';
import path from 'node:path';
import { HoldfastError } from '../../core/errors';
import { ensureToolchain } from '../../toolchain/install';
import { clusterNames } from '../context';
import { embeddedStacks, stateDirectory } from '../embedded';
import { stackExists, type StackPlace } from '../pulumi/backend';
import type { Pulumi } from '../pulumi/pulumi';
import { settleStack } from '../pulumi/settle';
import { declaredClusters } from '../stacks';
import { ClusterCommands } from '../up/clusters';
import { alone, embeddedPlace, logOf, pulumiIn, type Place, type Watching } from '../up/place';
import { beginErasing, begunErasing, finalBackup, forgetFinalBackup } from './final-backup';
import { keepAudit, keepConfiguration, keepRepository } from './keep';

export interface DownRequest {
  /** Production too, its data included. The caller has made sure that a person wants it. */
  readonly production: boolean;
}

export interface DownReport {
  /** The stacks that are gone now. */
  readonly removed: readonly string[];
  /** Where the final backups are kept, of this run and of earlier ones. */
  readonly kept: readonly string[];
}

interface Run extends Watching {
  readonly place: Place;
  readonly pulumi: Pulumi;
  readonly commands: ClusterCommands;
}

/**
 * Takes the embedded default apart: staging with all that is in it; production only when asked for, and then only after a final
 * full backup, which was verified and is kept. Interrupted, the next run goes on.
 * @throws HoldfastError when the final backup fails: then production is as it was.
 */
export async function down(home: string, request: DownRequest, watching: Watching): Promise<DownReport> {
  const place = embeddedPlace(home);
  const state = await fs.stat(stateDirectory(home)).catch(() => null);
  if (state === null) return { removed: [], kept: await keptIn(home) };
  return alone(place, watching, async () => {
    const run = await prepare(place, watching);
    const stacks = embeddedStacks.filter(stack => stack === 'staging' || request.production);
    const removed = [];
    for (const stack of stacks) {
      if (!stackExists(stackPlace(place, stack))) continue;
      const clusters = await clustersOf(run, stack);
      await (stack === 'staging' ? startAll(run, clusters) : eraseAll(run, clusters));
      await removeStack(run, stack);
      await removeEmpty(home, clusters);
      removed.push(stack);
    }
    if (embeddedStacks.every(stack => !stackExists(stackPlace(place, stack)))) await clear(home);
    return { removed, kept: await keptIn(home) };
  });
}

async function prepare(place: Place, watching: Watching): Promise<Run> {
  const { directory } = place.checkout;
  const toolchain = await ensureToolchain({
    projectDirectory: directory,
    pulumiHome: place.pulumiHome,
    ...watching,
  });
  const commands = new ClusterCommands({
    home: place.home,
    checkout: directory,
    env: place.env,
    ...watching,
  });
  return { ...watching, place, commands, pulumi: pulumiIn(place, toolchain.pulumi, watching) };
}

const stackPlace = ({ home, checkout }: Place, stack: string): StackPlace => ({
  stateDirectory: stateDirectory(home),
  project: checkout.project,
  stack,
});

/** The clusters of a stack that are on this machine, those included of which an interrupted run left only the repository. */
async function clustersOf({ place: { home, checkout } }: Run, stack: string): Promise<string[]> {
  const here = [...(await clusterNames(home)), ...(await begunErasing(home))];
  const declared = await declaredClusters(checkout.directory);
  return declared
    .filter(({ stack: of, name, place }) => of === stack && place.type === 'local' && here.includes(name))
    .map(({ name }) => name);
}

/** Roles and databases are deleted through the server, so it has to run; one that can't is told of by the destroy. */
async function startAll(run: Run, clusters: readonly string[]): Promise<void> {
  for (const cluster of clusters)
    await run.commands.host('start', { cluster }).catch((error: unknown) => {
      run.signal.throwIfAborted();
      run.report(`${cluster}: ${(error as Error).message}`);
    });
}

async function eraseAll(run: Run, clusters: readonly string[]): Promise<void> {
  const { commands, place, report } = run;
  const { home } = place;
  for (const cluster of clusters) {
    report(`${cluster}: taking and verifying the final backup`);
    const final = await finalBackup(home, cluster, commands);
    const { specification, backupSet } = final;
    report(`${cluster}: erasing; backup set ${backupSet} is kept in ${final.kept}`);
    await beginErasing(home, final);
    await keepConfiguration(home, final);
    // As long as there is data it stays backed up, wherever this is interrupted.
    await commands.host('erase', { specification, backupSet, what: 'data' });
    await keepAudit(home, final);
    await commands.host('unschedule', { cluster });
    await commands.host('erase', { specification, backupSet, what: 'all' });
    await keepRepository(home, final);
    await removeEmpty(home, [cluster]);
    await forgetFinalBackup(home, cluster);
  }
}

/**
 * Deletes a stack's resources and the stack. Those of production are protected, and sealed: `--ignore-protect` gets past the
 * protection, and the seal gives way because there is no data any more.
 */
async function removeStack({ place, pulumi, report, signal }: Run, stack: string): Promise<void> {
  await settleStack({ pulumi, place: stackPlace(place, stack), report, signal });
  const log = logOf(place, stack);
  report(`${stack}: pulumi destroy (all of it: ${log})`);
  const protection = stack === 'staging' ? [] : ['--ignore-protect'];
  const code = await pulumi.follow(['destroy', '--yes', ...protection, '--stack', stack], {
    log,
    onLine: line => {
      if (/^\s*-\s+\S+:\S+ .*\bdeleted\b/.test(line)) report(`  ${line.trim()}`);
    },
  });
  if (code !== 0)
    throw new HoldfastError('engine-failed', `pulumi destroy of ${stack} failed`, {
      hint: `${log} says why. Run this again when that is solved: it goes on from here.`,
    });
  await pulumi.succeed(['stack', 'rm', stack, '--yes', '--preserve-config']);
}

/** The directories of clusters: made by root for their owners, who could only empty them. */
async function removeEmpty(home: string, clusters: readonly string[]): Promise<void> {
  for (const cluster of clusters)
    for (const folder of ['clusters', 'repositories'])
      await fs.rmdir(path.join(home, folder, cluster)).catch((error: unknown) => {
        const { code } = error as NodeJS.ErrnoException;
        if (code !== 'ENOENT' && code !== 'ENOTEMPTY') throw error;
      });
}

/** What belongs to no cluster; kept backups and logs stay. */
async function clear(home: string): Promise<void> {
  for (const name of ['pulumi', 'program'])
    await fs.rm(path.join(home, name), { recursive: true, force: true });
  for (const name of ['clusters', 'repositories'])
    await fs.rmdir(path.join(home, name)).catch(() => undefined);
}

async function keptIn(home: string): Promise<string[]> {
  const names = await fs.readdir(path.join(home, 'kept')).catch(() => []);
  return names.sort().map(name => path.join(home, 'kept', name));
}

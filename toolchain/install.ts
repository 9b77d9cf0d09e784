import os from 'node:os';
import path from 'node:path';
import { HoldfastError } from '../core/errors';
import { build, findGo } from './build';
import { cli, components, type Component } from './components';
import { download } from './download';
import { withLock } from './lock';
import { putInPlace, withStaging } from './staging';
import { stateOf } from './state';

/** What was done for one component, and why. */
export interface Step {
  readonly component: string;
  readonly outcome: 'already-installed' | 'downloaded' | 'built';
  readonly reason: string;
}

/** The Pulumi programs that are ready to be used. */
export interface Toolchain {
  /** Absolute path of the Pulumi CLI. Its directory has the language host: put it on the PATH of whoever runs it. */
  readonly pulumi: string;
  readonly steps: readonly Step[];
}

/** Where to install, and whom to tell. */
export interface ToolchainOptions {
  /** The directory of package.json: it has `node_modules` with npm's `pulumi`, and `toolchain`. */
  readonly projectDirectory: string;
  /** @default `$PULUMI_HOME`, else `~/.pulumi` */
  readonly pulumiHome?: string;
  /** A download that doesn't move for this long is given up. @default 15000 */
  readonly stallMilliseconds?: number;
  /** Called with a line for a person whenever something begins or takes long. */
  readonly report: (line: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * Makes sure that the Pulumi CLI, its Node.js language host and the plugins that Holdfast uses are installed. What is
 * there is left alone, what isn't is downloaded as Pulumi does it, and what can't be downloaded is built with Go from
 * `toolchain/`. Runs at the same time wait for each other; one that is killed leaves nothing half-installed.
 * @throws HoldfastError `configuration` when Go is needed and missing, `engine-failed` when a build fails; the signal's
 * reason when it is aborted.
 */
export async function ensureToolchain(options: ToolchainOptions): Promise<Toolchain> {
  const pulumiHome = path.resolve(options.pulumiHome ?? defaultPulumiHome());
  const installation: Installation = {
    ...options,
    pulumiHome,
    goModule: path.join(options.projectDirectory, 'toolchain'),
    npmPulumi: path.join(options.projectDirectory, 'node_modules', '.bin', 'pulumi'),
    installedPulumi: path.join(pulumiHome, cli.directory, 'bin', 'pulumi'),
    stallMilliseconds: options.stallMilliseconds ?? 15_000,
  };
  const steps = (await stepsIfInstalled(installation)) ?? (await installAlone(installation));
  return { pulumi: installation.installedPulumi, steps };
}

function defaultPulumiHome(): string {
  const { PULUMI_HOME: fromEnvironment } = process.env;
  // Pulumi takes an empty one for none.
  if (fromEnvironment !== undefined && fromEnvironment !== '') return fromEnvironment;
  return path.join(os.homedir(), '.pulumi');
}

interface Installation extends ToolchainOptions {
  readonly pulumiHome: string;
  readonly goModule: string;
  readonly npmPulumi: string;
  readonly installedPulumi: string;
  readonly stallMilliseconds: number;
}

/** The everyday case, without a lock: `undefined` as soon as something is missing. */
async function stepsIfInstalled(installation: Installation): Promise<Step[] | undefined> {
  const steps: Step[] = [];
  for (const component of components) {
    const state = await stateOf(component, installation.pulumiHome, installation.goModule);
    if (state !== 'official' && state !== 'ours') return undefined;
    steps.push(alreadyInstalled(component, state));
  }
  return steps;
}

function alreadyInstalled(component: Component, state: 'official' | 'ours'): Step {
  const reason = state === 'ours' ? 'built here from the present sources' : 'installed';
  return { component: component.name, outcome: 'already-installed', reason };
}

async function installAlone(installation: Installation): Promise<Step[]> {
  const lock = path.join(installation.pulumiHome, '.holdfast-toolchain.lock');
  const onWaiting = () =>
    installation.report('another run is installing the Pulumi toolchain: waiting for it');
  return withLock(lock, { onWaiting, signal: installation.signal }, async () => {
    const steps: Step[] = [];
    for (const component of components) steps.push(await install(component, installation));
    return steps;
  });
}

async function install(component: Component, installation: Installation): Promise<Step> {
  const state = await stateOf(component, installation.pulumiHome, installation.goModule);
  if (state === 'official' || state === 'ours') return alreadyInstalled(component, state);
  const target = path.join(installation.pulumiHome, component.directory);
  if (state === 'partial') throw partiallyInstalled(component, target);
  const why = state === 'absent' ? 'not installed' : 'built here from older sources';
  return withStaging(target, staging => downloadOrBuild(component, { installation, target, staging, why }));
}

interface Place {
  readonly installation: Installation;
  readonly target: string;
  readonly staging: string;
  readonly why: string;
}

async function downloadOrBuild(component: Component, place: Place): Promise<Step> {
  const { installation, target, staging, why } = place;
  const { report, signal, stallMilliseconds } = installation;
  report(`${component.name}: ${why}; downloading it from Pulumi`);
  const pulumi = component === cli ? installation.npmPulumi : installation.installedPulumi;
  const downloaded = await download(component, { pulumi, staging, stallMilliseconds, signal });
  if ('directory' in downloaded) {
    await putInPlace(downloaded.directory, target, staging);
    report(`${component.name}: downloaded`);
    return { component: component.name, outcome: 'downloaded', reason: why };
  }
  const go = await findGo(signal);
  report(
    `${component.name}: download failed (${downloaded.failure}); building it with ${go}, ${component.buildTime}`,
  );
  const built = await build(component, { goModule: installation.goModule, staging, report, signal });
  await putInPlace(built, target, staging);
  report(`${component.name}: built`);
  return {
    component: component.name,
    outcome: 'built',
    reason: `${why}; download failed: ${downloaded.failure}`,
  };
}

/** Somebody else's, so not ours to remove. */
function partiallyInstalled(component: Component, target: string): HoldfastError {
  const programs = component.programs.map(({ output }) => output).join(' and ');
  return new HoldfastError(
    'configuration',
    `${target} has only a part of ${component.name}: it needs ${programs}`,
    {
      hint: `an installation was interrupted, or is of another kind: remove ${target} and run this again`,
    },
  );
}

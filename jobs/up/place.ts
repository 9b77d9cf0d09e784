import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { HoldfastError } from '../../core/errors';
import { withLock } from '../../toolchain/lock';
import { embeddedEnvironment, stateDirectory } from '../embedded';
import { Pulumi } from '../pulumi/pulumi';
import { findCheckout, type Checkout } from './checkout';

/** Whom to tell, and how to be stopped. */
export interface Watching {
  /** A line for a person whenever something begins or takes long. */
  readonly report: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Where the embedded default is: its sources, its home, and Pulumi at work in them. */
export interface Place {
  readonly home: string;
  readonly checkout: Checkout;
  /** What differs from this process's environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly pulumiHome: string;
}

/** @throws HoldfastError `configuration` when there is no checkout. */
export function embeddedPlace(home: string, env: NodeJS.ProcessEnv = process.env): Place {
  const checkout = findCheckout();
  const given = env.PULUMI_HOME;
  const pulumiHome =
    given === undefined || given === '' ? path.join(os.homedir(), '.pulumi') : path.resolve(given);
  return {
    home,
    checkout,
    pulumiHome,
    env: embeddedEnvironment({ home, checkout: checkout.directory, pulumiHome }),
  };
}

/** Pulumi in this place; `program` is the CLI that the toolchain has. */
export function pulumiIn({ checkout, env }: Place, program: string, { signal }: Watching): Pulumi {
  return new Pulumi({ program, project: checkout.directory, env, signal });
}

export const logOf = ({ home }: Place, stack: string): string =>
  path.join(home, 'log', `pulumi-${stack}.log`);

/** Makes the home and what in it is private to us. */
export function makeHome({ home }: Place): void {
  try {
    // As root others have to get through to the clusters that are theirs.
    fs.mkdirSync(home, { recursive: true, mode: process.getuid?.() === 0 ? 0o755 : 0o700 });
    for (const directory of [stateDirectory(home), path.join(home, 'log')])
      fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new HoldfastError('configuration', `${home} can't be made: ${(cause as Error).message}`, {
      cause,
      hint: 'HOLDFAST_HOME names another directory.',
    });
  }
}

/** Runs `work` alone among all `up` and `down` of this home; waits for one that is at work. */
export function alone<T>({ home }: Place, { report, signal }: Watching, work: () => Promise<T>): Promise<T> {
  const onWaiting = () => report('another `holdfast up` or `down` is at work here: waiting for it');
  return withLock(path.join(home, 'up.lock'), { onWaiting, signal }, work);
}

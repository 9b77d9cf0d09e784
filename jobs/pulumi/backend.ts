import fs from 'node:fs';
import path from 'node:path';

/** One stack in the file backend. Read straight from its files, since a Pulumi command for each question takes a quarter of a second. */
export interface StackPlace {
  readonly stateDirectory: string;
  readonly project: string;
  readonly stack: string;
}

/** Who updates a stack now, or was killed while doing so. */
export interface StackLock {
  readonly pid: number;
  readonly username: string;
  readonly hostname: string;
  readonly timestamp: string;
}

/** A resource as Pulumi's state has it; what isn't named here is kept as it is. */
export interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly id?: string;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly [other: string]: unknown;
}

/** A step that had begun when Pulumi was killed. */
export interface PendingOperation {
  readonly type: string;
  readonly resource: StateResource;
}

/** What `pulumi stack export` prints and `pulumi stack import` reads. */
export interface Deployment {
  readonly resources?: readonly StateResource[];
  readonly pending_operations?: readonly PendingOperation[];
  readonly [other: string]: unknown;
}

const checkpointOf = ({ stateDirectory, project, stack }: StackPlace) =>
  path.join(stateDirectory, '.pulumi', 'stacks', project, `${stack}.json`);

export const stackExists = (place: StackPlace): boolean => fs.existsSync(checkpointOf(place));

/** What the state of a stack has; undefined when there is no stack, or nothing was ever updated. */
export function readDeployment(place: StackPlace): Deployment | undefined {
  if (!stackExists(place)) return undefined;
  const { checkpoint } = JSON.parse(fs.readFileSync(checkpointOf(place), 'utf8')) as {
    checkpoint?: { latest?: Deployment };
  };
  return checkpoint?.latest;
}

/** The locks on a stack; one that is just being written or removed counts as none. */
export function readLocks({ stateDirectory, project, stack }: StackPlace): StackLock[] {
  const directory = path.join(stateDirectory, '.pulumi', 'locks', 'organization', project, stack);
  if (!fs.existsSync(directory)) return [];
  // Beside each lies a file of attributes.
  const names = fs.readdirSync(directory).filter(name => name.endsWith('.json'));
  return names.flatMap(name => {
    try {
      return [JSON.parse(fs.readFileSync(path.join(directory, name), 'utf8')) as StackLock];
    } catch {
      return [];
    }
  });
}

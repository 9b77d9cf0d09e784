import os from 'node:os';
import { HoldfastError } from '../../core/errors';
import {
  readDeployment,
  readLocks,
  type Deployment,
  type PendingOperation,
  type StackLock,
  type StackPlace,
  type StateResource,
} from './backend';
import { endProcesses, isPulumi, orphansOf } from './orphans';
import type { Pulumi } from './pulumi';

interface Settling {
  readonly pulumi: Pulumi;
  readonly place: StackPlace;
  readonly report: (line: string) => void;
  readonly signal: AbortSignal;
}

/** An update that takes longer than this is looked into by a person. */
const patienceMilliseconds = 30 * 60_000;

/**
 * Makes a stack ready for the next update after whatever happened to the last one: waits for one that still runs, takes
 * away the lock of one that was killed, and finds out what became of the steps it was at.
 * @throws HoldfastError `busy` when another machine, or an update of over half an hour, holds the stack.
 */
export async function settleStack(settling: Settling): Promise<void> {
  await settleLocks(settling);
  await settlePending(settling);
}

async function settleLocks({ pulumi, place, report, signal }: Settling): Promise<void> {
  const { stack } = place;
  let waitsFor: number | undefined;
  const deadline = Date.now() + patienceMilliseconds;
  for (;;) {
    const locks = readLocks(place);
    if (locks.length === 0) return;
    const foreign = locks.find(lock => lock.hostname !== os.hostname());
    if (foreign) throw busy(stack, foreign);
    const running = locks.find(lock => isPulumi(lock.pid));
    if (!running) {
      for (const { pid } of locks) await endProcesses(orphansOf(pid));
      report(`${stack}: an earlier update was killed; taking its lock away`);
      await pulumi.succeed(['cancel', '--yes', '--stack', stack]);
      continue;
    }
    if (Date.now() > deadline) throw busy(stack, running);
    if (waitsFor !== running.pid)
      report(`${stack}: waiting for the update that runs already (process ${running.pid})`);
    waitsFor = running.pid;
    signal.throwIfAborted();
    await new Promise(resolve => setTimeout(resolve, 500));
  }
}

function busy(stack: string, lock: StackLock): HoldfastError {
  return new HoldfastError(
    'busy',
    `stack ${stack} is being updated by ${lock.username}@${lock.hostname} (process ${lock.pid}) since ${lock.timestamp}`,
    {
      hint: `wait for it; if it is gone for good: eval "$(npx holdfast env)" && npx pulumi cancel --stack ${stack}`,
    },
  );
}

async function settlePending({ pulumi, place, report }: Settling): Promise<void> {
  const { stack } = place;
  const pending = readDeployment(place)?.pending_operations ?? [];
  if (pending.length === 0) return;
  report(`${stack}: finding out what became of ${pending.length} interrupted steps`);
  const exported = JSON.parse(await pulumi.succeed(['stack', 'export', '--stack', stack])) as {
    deployment: Deployment;
  };
  const { deployment, looked } = withoutPending(exported.deployment);
  await pulumi.succeed(['stack', 'import', '--stack', stack], JSON.stringify({ ...exported, deployment }));
  if (looked.length === 0) return;
  await pulumi.succeed([
    'refresh',
    '--yes',
    '--skip-preview',
    '--stack',
    stack,
    ...looked.flatMap(urn => ['--target', urn]),
  ]);
}

/**
 * A deployment without its interrupted steps. What can be applied again simply is. A role, database or schema
 * can't be created twice: it enters the state under the name that it would have, and a refresh of `looked` tells whether
 * it is there, and drops it again where it isn't.
 */
export function withoutPending(deployment: Deployment): {
  readonly deployment: Deployment;
  readonly looked: readonly string[];
} {
  const known = new Set((deployment.resources ?? []).map(({ urn }) => urn));
  const adopted = (deployment.pending_operations ?? []).flatMap(operation => {
    const id = idOfPending(operation);
    if (id === undefined || known.has(operation.resource.urn)) return [];
    return [{ ...operation.resource, id, outputs: {} } satisfies StateResource];
  });
  const resources = [...(deployment.resources ?? []), ...adopted];
  return {
    deployment: { ...deployment, resources, pending_operations: [] },
    looked: adopted.map(({ urn }) => urn),
  };
}

/** The identifiers that the PostgreSQL provider gives. */
function idOfPending({ type, resource }: PendingOperation): string | undefined {
  if (type !== 'creating') return undefined;
  const text = (key: string) => {
    const value = resource.inputs?.[key];
    return typeof value === 'string' ? value : undefined;
  };
  const name = text('name');
  const database = text('database');
  if (name === undefined) return undefined;
  switch (resource.type) {
    case 'postgresql:index/role:Role':
    case 'postgresql:index/database:Database':
      return name;
    case 'postgresql:index/schema:Schema':
      return database === undefined ? undefined : `${database}.${name}`;
    default:
      return undefined;
  }
}

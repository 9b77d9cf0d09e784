import type { DBInstance } from '@aws-sdk/client-rds';
import { optional } from '../answers';
import { asHoldfastError, HoldfastError } from '../../../core/errors';
import { besidePrefix } from '../../../core/rds/names';
import type { Clone, Operation, OperationState, Replacement } from '../../engine';
import { describeClone } from '../clone/catalog';
import type { RdsContext } from '../context';
import { findInstance, judgeStatus, listInstances } from '../instance';
import { operation } from '../operation';
import { servingInstance, type Serving } from '../serving';
import { keys, tagsOf } from '../tags';
import { finish } from './finish';
import { putBack } from './halt';
import { readJournal, removeJournal, writeJournal, type Journal, type Swap } from './journal';
import { rename } from './rename';

/** What came of one step of a swap. None waits. */
type Step =
  | { readonly outcome: 'acted' | 'waits'; readonly what: string }
  | { readonly outcome: 'replaced' }
  | { readonly outcome: 'undone' };

const acted = (what: string): Step => ({ outcome: 'acted', what });
const waits = (what: string): Step => ({ outcome: 'waits', what });

/**
 * Puts a clone in the place of the original by renaming both: the endpoint stays, and the original is kept under another name,
 * protected from deletion. Each look makes one step, so that any process can go on. Given up or killed, `settle` goes on.
 */
export function replaceWith(context: RdsContext, clone: Clone): Operation<Replacement> {
  let failure: HoldfastError | undefined;
  return operation<Swap, Replacement>(context, {
    what: `the swap of ${context.cluster}`,
    begin: () => begin(context, clone),
    look: async swap => {
      const journal = await readJournal(context);
      // Another process has finished it in between.
      if (journal === null) return outcomeOf(context, swap, failure);
      const step = await advance(context, journal, swap, error => {
        failure = error;
      });
      if (step.outcome === 'replaced' || step.outcome === 'undone') return outcomeOf(context, swap, failure);
      return { state: 'running', progress: { fraction: null, step: step.what } };
    },
  });
}

async function begin(context: RdsContext, { id }: Clone): Promise<Swap> {
  const { cluster, settings, clock } = context;
  const refuse = (what: string, hint: string): HoldfastError =>
    new HoldfastError('refused', `clone ${id} can’t take the place of ${cluster}: ${what}`, {
      hint: `${hint} Nothing was changed.`,
    });
  const journal = await readJournal(context);
  if (journal?.swap) {
    if (journal.swap.cloneName === id) return journal.swap;
    throw refuse(
      'an earlier restore is not settled yet',
      'Run the restore again: it first settles the earlier one.',
    );
  }
  const [serving, instance] = await Promise.all([servingInstance(context), findInstance(context, id)]);
  if (instance === null || tagsOf(instance.TagList)[keys.cloneOf] !== cluster)
    throw refuse('it is none of its clones', 'See `holdfast clones`.');
  const found = describeClone(context, instance);
  if (found.state !== 'running') throw refuse(`it is ${found.state}`, 'Drop it and restore again.');
  if (found.purpose !== 'restore')
    throw refuse(
      'it wasn’t made to serve: its class and its backups may be others',
      'Restore with `holdfast restore`.',
    );
  if (serving.instance.DBInstanceStatus !== 'available')
    throw refuse(
      `the original is ${String(serving.instance.DBInstanceStatus)}, and only an available instance can be renamed`,
      'Start it, or wait until it is available.',
    );
  const swap = {
    original: idOf(serving),
    clone: String(instance.DbiResourceId),
    cloneName: id,
    aside: `${besidePrefix(settings.instance, 'aside')}${clock.now().replaceAll(/\D/g, '').slice(0, 14)}`,
  };
  await writeJournal(context, {
    state: 'moving',
    securityGroups: journal === null ? null : journal.securityGroups,
    swap,
  });
  return swap;
}

const idOf = ({ instance }: Serving): string => String(instance.DbiResourceId);

/** Whether the clone serves, once nothing is under way any more. */
async function outcomeOf(
  context: RdsContext,
  swap: Swap,
  failure: HoldfastError | undefined,
): Promise<OperationState<Replacement>> {
  const serving = await servingInstance(context);
  if (idOf(serving) === swap.clone) return { state: 'done', result: { keptAside: swap.aside } };
  throw new HoldfastError(
    'engine-failed',
    `the swap of ${context.cluster} was undone, the original is in its place: ${failure?.message ?? 'another process undid it'}`,
    { cause: failure, ...(failure?.hint === undefined ? {} : { hint: failure.hint }) },
  );
}

/** One step. What fails before the clone serves turns the direction; afterwards there is only one. */
async function advance(
  context: RdsContext,
  journal: Journal,
  swap: Swap,
  tell: (failure: HoldfastError) => void,
): Promise<Step> {
  const found = await listInstances(context, [swap.original, swap.clone]);
  const of = (id: string) => optional(found.find(({ DbiResourceId }) => DbiResourceId === id));
  const original = of(swap.original);
  const clone = of(swap.clone);
  if (journal.state === 'undoing') return undo(context, journal, swap, original, clone);
  try {
    return await move(context, journal, swap, original, clone);
  } catch (thrown) {
    const error = asHoldfastError(thrown);
    const serves = clone?.DBInstanceIdentifier === context.settings.instance;
    if (error.code === 'busy' || serves) throw error;
    tell(error);
    await writeJournal(context, { ...journal, state: 'undoing' });
    return acted(`undoing the swap: ${error.message}`);
  }
}

async function move(
  context: RdsContext,
  journal: Journal,
  swap: Swap,
  original: DBInstance | null,
  clone: DBInstance | null,
): Promise<Step> {
  const { instance: name } = context.settings;
  if (clone === null) throw new HoldfastError('engine-failed', `the clone ${swap.cloneName} is gone`);
  const { trouble } = judgeStatus(String(clone.DBInstanceStatus));
  if (clone.DBInstanceIdentifier === name) {
    if (clone.DBInstanceStatus !== 'available') return waits(`waiting for the restored ${name}`);
    if (journal.state !== 'finishing') await writeJournal(context, { ...journal, state: 'finishing' });
    return (await finish(context, swap, original, clone))
      ? { outcome: 'replaced' }
      : waits(`waiting for ${swap.aside}`);
  }
  if (trouble !== null)
    throw new HoldfastError('engine-failed', `the clone ${swap.cloneName} can’t be used: ${trouble}`);
  if (original?.DBInstanceIdentifier === name) return rename(context, original, swap.aside);
  return rename(context, clone, name);
}

async function undo(
  context: RdsContext,
  journal: Journal,
  swap: Swap,
  original: DBInstance | null,
  clone: DBInstance | null,
): Promise<Step> {
  const { instance: name } = context.settings;
  if (original === null)
    throw new HoldfastError(
      'engine-failed',
      `the original ${swap.original} is gone, so the swap can’t be undone`,
      {
        hint: `Neither the original nor the clone ${swap.cloneName} is touched any more. Decide by hand, then remove the parameter \`swap\`.`,
      },
    );
  if (clone?.DBInstanceIdentifier === name) return rename(context, clone, swap.cloneName);
  if (original.DBInstanceIdentifier !== name) return rename(context, original, name);
  if (original.DBInstanceStatus !== 'available') return waits(`waiting for ${name}`);
  await putBack(context, journal.securityGroups);
  await removeJournal(context);
  return { outcome: 'undone' };
}

/**
 * Finishes or undoes what an interrupted restore left, as far as it goes without waiting; to be called with the cluster's
 * restore lock held.
 * @returns what it did, one sentence each.
 */
export async function settle(context: RdsContext): Promise<readonly string[]> {
  const name = context.cluster;
  const said: string[] = [];
  for (;;) {
    const journal = await readJournal(context);
    if (journal === null) return said;
    const { swap } = journal;
    if (swap === null) {
      await putBack(context, journal.securityGroups);
      await removeJournal(context);
      return [`${name} was in quarantine for a restore that was interrupted: it is as before`];
    }
    const step = await advance(context, journal, swap, () => undefined);
    switch (step.outcome) {
      case 'replaced':
        return [...said, `an interrupted restore of ${name} was finished; the old instance is ${swap.aside}`];
      case 'undone':
        return [...said, `an interrupted restore of ${name} was undone: the original is in its place`];
      case 'waits':
        return [...said, `an interrupted restore of ${name} goes on: ${step.what}`];
      case 'acted':
        said.push(step.what);
    }
  }
}

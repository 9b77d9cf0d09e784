import * as z from 'zod';
import { HoldfastError } from '../../../core/errors';
import type { RdsContext } from '../context';
import { deleteParameter, readParameter, writeParameter } from '../parameters';

/*
 * The parameter `swap`: how far a restore has come, so that one that was cut off can be finished or undone. Each state is
 * written before what it names begins. Where the two instances are then is asked of AWS, by their resource ids.
 *
 *   halted     the original is in quarantine for a restore to the latest moment      → take it out again
 *   moving     the original gets another name, the clone its name                    → finish; undo when the clone is gone
 *   finishing  the clone has the original's name and may have been written to        → finish, never undo
 *   undoing    the original is getting its name back                                 → go on with that
 */

export const journalName = 'swap';

const journal = z.strictObject({
  schema: z.literal(1),
  state: z.enum(['halted', 'moving', 'finishing', 'undoing']),
  at: z.iso.datetime(),
  /** The security groups that the original had before a halt; null when it wasn't halted. */
  securityGroups: z.array(z.string()).nullable(),
  /** Null while there is only a halt. */
  swap: z
    .strictObject({
      /** Resource ids; they stay what the identifiers are taken from. */
      original: z.string(),
      clone: z.string(),
      /** The clone's own identifier. */
      cloneName: z.string(),
      /** The identifier under which the original is kept. */
      aside: z.string(),
    })
    .nullable(),
});

export type Journal = Readonly<z.output<typeof journal>>;
export type Swap = NonNullable<Journal['swap']>;

/** @throws HoldfastError `engine-failed` when it can't be understood: then nothing is touched. */
export function parseJournal(text: string | null): Journal | null {
  if (text === null) return null;
  try {
    return journal.parse(JSON.parse(text));
  } catch (cause) {
    throw new HoldfastError(
      'engine-failed',
      `the journal of a restore (parameter ${journalName}) can’t be understood`,
      {
        hint: 'The history of the parameter has its earlier versions: put one back.',
        cause,
      },
    );
  }
}

/** What a restore wrote down; null when none is under way. */
export async function readJournal(context: RdsContext): Promise<Journal | null> {
  return parseJournal(await readParameter(context, journalName));
}

export async function writeJournal(
  context: RdsContext,
  entry: Pick<Journal, 'state' | 'securityGroups' | 'swap'>,
): Promise<Journal> {
  const value: Journal = { schema: 1, at: context.clock.now(), ...entry };
  await writeParameter(context, journalName, JSON.stringify(value));
  return value;
}

export async function removeJournal(context: RdsContext): Promise<void> {
  await deleteParameter(context, journalName);
}

/** For a person: that a restore isn't over. */
export function describeJournal({ state, at }: Journal): string {
  return `a restore is under way or was interrupted (${state}, since ${at})`;
}

import {
  AddTagsToResourceCommand,
  ModifyDBInstanceCommand,
  RemoveTagsFromResourceCommand,
  type DBInstance,
} from '@aws-sdk/client-rds';
import type { RdsContext } from '../context';
import { failed, isWrongState } from '../failure';
import { readRecord, updateRecord } from '../record';
import { keys, tagsOf, toTagList } from '../tags';
import { removeJournal, type Swap } from './journal';

/**
 * What is left once the clone serves: it becomes all that the original was, the original is protected, and the record names
 * the new instance. Can be repeated.
 * @returns whether all is done; not, when AWS wants to be asked again because an instance is still at something else
 */
export async function finish(
  context: RdsContext,
  swap: Swap,
  original: DBInstance | null,
  clone: DBInstance,
): Promise<boolean> {
  try {
    await context.rds.send(
      new ModifyDBInstanceCommand({
        DBInstanceIdentifier: context.settings.instance,
        ApplyImmediately: true,
        DeletionProtection: true,
        ...likeBefore(original),
      }),
    );
    if (original !== null) await keepAside(context, swap, original);
    await takeTags(context, original, clone);
  } catch (error) {
    if (isWrongState(error)) return false;
    throw failed(`finishing the restore of ${context.cluster}`, error);
  }
  const record = await readRecord(context);
  // Before the journal goes: until then nobody takes the new identity for a stranger's.
  if (record !== null && record.identity !== swap.clone)
    await updateRecord(context, {
      identity: swap.clone,
      lineage: [...record.lineage.filter(id => id !== swap.original), swap.original],
    });
  await removeJournal(context);
  return true;
}

/** What a restore doesn't take over by itself. Pulumi compares these with what is declared. */
function likeBefore(original: DBInstance | null) {
  if (original === null) return {};
  return {
    MultiAZ: original.MultiAZ === true,
    BackupRetentionPeriod: original.BackupRetentionPeriod,
    PreferredBackupWindow: original.PreferredBackupWindow,
    PreferredMaintenanceWindow: original.PreferredMaintenanceWindow,
    AutoMinorVersionUpgrade: original.AutoMinorVersionUpgrade,
    CopyTagsToSnapshot: original.CopyTagsToSnapshot,
    // Otherwise storage would not grow any more.
    ...(original.MaxAllocatedStorage === undefined
      ? {}
      : { MaxAllocatedStorage: original.MaxAllocatedStorage }),
  };
}

/** Only a person ends what was there before: it is protected, and gets no expiry. */
async function keepAside({ rds, cluster }: RdsContext, swap: Swap, original: DBInstance): Promise<void> {
  await rds.send(
    new ModifyDBInstanceCommand({
      DBInstanceIdentifier: swap.aside,
      ApplyImmediately: true,
      DeletionProtection: true,
    }),
  );
  await rds.send(
    new AddTagsToResourceCommand({
      ResourceName: original.DBInstanceArn,
      Tags: toTagList({ [keys.cluster]: cluster, [keys.replacedBy]: swap.clone }),
    }),
  );
}

const cloneKeys: readonly string[] = [
  keys.cloneOf,
  keys.purpose,
  keys.expires,
  keys.operation,
  keys.begun,
  keys.reached,
  keys.snapshot,
  keys.ready,
];

/** It is no clone any more, and carries what people wrote on the original. */
async function takeTags({ rds }: RdsContext, original: DBInstance | null, clone: DBInstance): Promise<void> {
  const ResourceName = clone.DBInstanceArn;
  await rds.send(new RemoveTagsFromResourceCommand({ ResourceName, TagKeys: [...cloneKeys] }));
  const theirs = Object.entries(tagsOf(original?.TagList)).filter(([key]) => !/^(aws|holdfast):/.test(key));
  if (theirs.length === 0) return;
  await rds.send(new AddTagsToResourceCommand({ ResourceName, Tags: toTagList(Object.fromEntries(theirs)) }));
}

import { DeleteDBInstanceCommand, ModifyDBInstanceCommand, type DBInstance } from '@aws-sdk/client-rds';
import type { Clone } from '../../engines/engine';
import { clone } from '../../engines/rds/clone/make';
import type { RdsContext } from '../../engines/rds/context';
import { readRecord } from '../../engines/rds/record';
import { readJournal } from '../../engines/rds/replace/journal';
import { patient } from '../support/engine';
import type { TestAws } from '../support/moto/moto';
import { cloneRequest, contextOf, establish, instances } from './support';

export const quarantine = 'sg-0123456789abcdef0';

export interface Stage {
  readonly context: RdsContext;
  readonly original: DBInstance;
  readonly made: Clone;
  readonly cloneId: string;
}

/** A cluster, and a clone of it that is to take its place. */
export async function stage(purpose: 'clone' | 'restore' = 'restore'): Promise<Stage> {
  const context = contextOf({ quarantineSecurityGroup: quarantine });
  const original = await establish(context);
  const request = cloneRequest(purpose, { type: 'latest' });
  const made = await clone(context, request).wait(patient());
  const { [made.id]: cloneId = '' } = await resourceIds(context);
  return { context, original, made, cloneId };
}

/** Resource ids by identifier. */
export async function resourceIds(context: RdsContext): Promise<Record<string, string>> {
  return Object.fromEntries(
    (await instances(context)).map(each => [each.DBInstanceIdentifier!, each.DbiResourceId!]),
  );
}

export const remove = async (context: RdsContext, id: string): Promise<void> => {
  await context.rds.send(
    new ModifyDBInstanceCommand({ DBInstanceIdentifier: id, DeletionProtection: false }),
  );
  await context.rds.send(new DeleteDBInstanceCommand({ DBInstanceIdentifier: id, SkipFinalSnapshot: true }));
};

export async function expectReplaced({ context, original, cloneId }: Stage): Promise<void> {
  const found = await resourceIds(context);
  expect(found['shop-db']).toBe(cloneId);
  expect(await readJournal(context)).toBeNull();
  expect(await readRecord(context)).toMatchObject({ identity: cloneId, lineage: [original.DbiResourceId] });
}

export async function expectUndone({ context, original, cloneId, made }: Stage): Promise<void> {
  const found = await resourceIds(context);
  expect(found['shop-db']).toBe(original.DbiResourceId);
  if (made.id in found) expect(found[made.id]).toBe(cloneId);
  expect(await readJournal(context)).toBeNull();
  expect(await readRecord(context)).toMatchObject({ identity: original.DbiResourceId, lineage: [] });
}

/** Refuses only the renaming among the modifications. */
export function refuseRenaming(aws: TestAws, error: string, times: number): void {
  aws.refuse(/^ModifyDBInstance$/, error, {
    times,
    when: ({ body }) => body.includes('NewDBInstanceIdentifier='),
  });
}

import { DeleteDBInstanceCommand, DeleteDBSnapshotCommand } from '@aws-sdk/client-rds';
import { judge } from '../../core/freshness';
import { evidence } from '../../engines/rds/evidence';
import { writeParameter } from '../../engines/rds/parameters';
import { beginRecord, readRecord, updateRecord } from '../../engines/rds/record';
import { writeJournal } from '../../engines/rds/replace/journal';
import {
  contextOf,
  createInstance,
  createSnapshot,
  establish,
  limits,
  passedNow,
  snapshotsOf,
  useAws,
  verdicts,
} from './support';

useAws();

describe('which instance it is', () => {
  test('nothing at all is a first provision', async () => {
    const found = await evidence(contextOf());
    expect(found).toMatchObject({ phase: 'none', identity: { recorded: null, found: null, backedUp: null } });
    expect(found.repositories).toEqual([]);
    expect(judge(found, limits).letsThrough).toBe('first-provision');
  });

  test('an instance that nothing is recorded of blocks', async () => {
    const context = contextOf();
    await createInstance(context);
    expect(verdicts(await evidence(context)).identity).toBe('unknown');
  });

  test('one that is declared to exist is about to be adopted', async () => {
    const context = contextOf({ source: { mode: 'existing' } });
    await createInstance(context);
    const found = await evidence(context);
    expect(found.phase).toBe('adopting');
    expect(judge(found, limits).letsThrough).toBe('adoption');
  });

  test('one that exists and has snapshots of Holdfast’s has lost its record, and blocks', async () => {
    const context = contextOf({ source: { mode: 'existing' } });
    await createInstance(context);
    await createSnapshot(context, 'one', { 'holdfast:cluster': 'shop' });
    const found = await evidence(context);
    expect(found.phase).toBe('none');
    expect(judge(found, limits).letsThrough).toBeNull();
  });

  test('one that was deleted blocks', async () => {
    const context = contextOf();
    await establish(context, { DeletionProtection: false });
    await createSnapshot(context, 'one', passedNow());
    await context.rds.send(
      new DeleteDBInstanceCommand({ DBInstanceIdentifier: 'shop-db', SkipFinalSnapshot: true }),
    );
    const found = await evidence(context);
    expect(found.identity.found).toBeNull();
    expect(found.server).toEqual({ state: 'stopped', version: null });
    expect(found.backups.map(({ id }) => id)).toEqual(['one']);
    expect(found.repositories[0]!.encrypted).toBe(true);
    expect(verdicts(found).identity).toBe('unknown');
  });

  test('one that was made anew under the same name is another one', async () => {
    const context = contextOf();
    const { DbiResourceId: first } = await establish(context, { DeletionProtection: false });
    await context.rds.send(
      new DeleteDBInstanceCommand({ DBInstanceIdentifier: 'shop-db', SkipFinalSnapshot: true }),
    );
    const { DbiResourceId: second } = await createInstance(context);
    const found = await evidence(context);
    expect(found.identity).toMatchObject({ recorded: first, found: second });
    expect(verdicts(found).identity).toBe('unknown');
  });

  test('after a restore of ours the snapshots of the one before are still the cluster’s', async () => {
    const context = contextOf();
    const { DbiResourceId: first } = await establish(context, { DeletionProtection: false });
    await createSnapshot(context, 'one', passedNow());
    await context.rds.send(
      new DeleteDBInstanceCommand({ DBInstanceIdentifier: 'shop-db', SkipFinalSnapshot: true }),
    );
    const { DbiResourceId: second } = await createInstance(context, { BackupRetentionPeriod: 0 });
    await updateRecord(context, { identity: second!, lineage: [first!] });
    for (const { DBSnapshotIdentifier: id } of await snapshotsOf(context))
      if (id !== 'one') await context.rds.send(new DeleteDBSnapshotCommand({ DBSnapshotIdentifier: id }));
    const found = await evidence(context);
    expect(found.identity).toEqual({ recorded: second, found: second, backedUp: second });
    expect(found.backups.map(({ id }) => id)).toContain('one');
    expect(verdicts(found).identity).toBe('fresh');
  });

  test('a restore that isn’t settled blocks', async () => {
    const context = contextOf();
    await establish(context);
    await writeJournal(context, { state: 'halted', securityGroups: [], swap: null });
    expect((await evidence(context)).problems[0]!.what).toContain('a restore is under way');
    await writeParameter(context, 'swap', 'nonsense');
    expect((await evidence(context)).problems[0]!.what).toContain('the journal of a restore');
  });
});

describe('the record', () => {
  test('is entered once: a second begin finds the first', async () => {
    const context = contextOf();
    const begun = await beginRecord(context, 'provisioning');
    expect(await beginRecord(context, 'adopting')).toEqual(begun);
    expect(await readRecord(context)).toEqual(begun);
    const found = await evidence(context);
    expect(found).toMatchObject({ phase: 'provisioning', begunAt: null });
  });

  test('of production is never that of staging', async () => {
    await beginRecord(contextOf(), 'provisioning');
    const staging = contextOf({}, { environment: 'staging' });
    await expect(beginRecord(staging, 'provisioning')).rejects.toMatchObject({ code: 'refused' });
    expect((await evidence(staging)).environment).toBe('production');
  });

  test('of staging may become one of production later', async () => {
    await beginRecord(contextOf({}, { environment: 'staging' }), 'provisioning');
    await expect(beginRecord(contextOf(), 'provisioning')).resolves.toMatchObject({ environment: 'staging' });
  });

  test('that is gone can’t be changed', async () => {
    await expect(updateRecord(contextOf(), { revision: 2 })).rejects.toThrow('/holdfast/shop/record is gone');
  });
});

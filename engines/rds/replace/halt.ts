import { setTimeout as sleep } from 'node:timers/promises';
import { ModifyDBInstanceCommand, RebootDBInstanceCommand } from '@aws-sdk/client-rds';
import { list } from '../answers';
import { formatDuration } from '../../../core/durations';
import { HoldfastError } from '../../../core/errors';
import { milliseconds } from '../../../core/time';
import type { RdsContext } from '../context';
import { failed } from '../failure';
import { servingInstance } from '../serving';
import { readJournal, removeJournal, writeJournal } from './journal';

/**
 * Sees to it that nothing is written any more, and waits until point-in-time recovery reaches that moment: usually five to ten
 * minutes. The instance moves into the quarantine security group, and a reboot ends the connections that are open, which
 * a security group lets go on. It can't be stopped instead: AWS renames only what is available.
 *
 * @throws HoldfastError `configuration` without a quarantine security group; `engine-failed` when recovery doesn't get there
 * in time. The instance is as before then.
 */
export async function halt(context: RdsContext): Promise<void> {
  const { rds, settings, cluster } = context;
  const quarantine = settings.quarantineSecurityGroup;
  if (quarantine === undefined)
    throw new HoldfastError(
      'configuration',
      `${cluster} can’t be kept from being written to: no quarantineSecurityGroup is set`,
      {
        hint: 'Set one, or restore to a time instead of the latest moment (--at TIME), in maintenance mode.',
      },
    );
  const { instance } = await servingInstance(context);
  const current = list(instance.VpcSecurityGroups).map(group => String(group.VpcSecurityGroupId));
  const before = await readJournal(context);
  if (before !== null)
    throw new HoldfastError('refused', `an earlier restore of ${cluster} is not settled yet`, {
      hint: 'Run the restore again: it first finishes or undoes the earlier one.',
    });
  await writeJournal(context, { state: 'halted', securityGroups: current, swap: null });
  try {
    await rds.send(
      new ModifyDBInstanceCommand({
        DBInstanceIdentifier: settings.instance,
        VpcSecurityGroupIds: [quarantine],
        ApplyImmediately: true,
      }),
    );
    await untilAvailable(context, quarantine);
    await rds.send(new RebootDBInstanceCommand({ DBInstanceIdentifier: settings.instance }));
    await untilAvailable(context, quarantine);
    await untilRecoverable(context, context.clock.now());
  } catch (error) {
    await resume(context);
    throw failed(`halting ${cluster}, which is as before`, error);
  }
}

/** Takes a halted instance out of quarantine again; does nothing when it isn't halted, or a swap has begun. */
export async function resume(context: RdsContext): Promise<void> {
  const journal = await readJournal(context);
  if (journal?.swap !== null) return;
  await putBack(context, journal.securityGroups);
  await removeJournal(context);
}

/** Gives the serving instance the security groups back that it had before a halt. */
export async function putBack(
  { rds, settings }: RdsContext,
  groups: readonly string[] | null,
): Promise<void> {
  if (groups === null) return;
  await rds
    .send(
      new ModifyDBInstanceCommand({
        DBInstanceIdentifier: settings.instance,
        VpcSecurityGroupIds: [...groups],
        ApplyImmediately: true,
      }),
    )
    .catch((error: unknown) => {
      throw failed(`giving ${settings.instance} its security groups back`, error);
    });
}

/** Until it is in quarantine, and at nothing else. */
async function untilAvailable(context: RdsContext, group: string): Promise<void> {
  await until(context, `${context.settings.instance} is available in quarantine`, async () => {
    const { instance } = await servingInstance(context);
    return (
      instance.DBInstanceStatus === 'available' &&
      list(instance.VpcSecurityGroups).every(
        ({ VpcSecurityGroupId, Status }) => VpcSecurityGroupId === group && Status === 'active',
      )
    );
  });
}

async function untilRecoverable(context: RdsContext, at: string): Promise<void> {
  await until(context, `point-in-time recovery reaches ${at}`, async () => {
    const { instance } = await servingInstance(context);
    return (instance.LatestRestorableTime?.getTime() ?? 0) >= milliseconds(at);
  });
}

async function until(
  { pollSeconds, settings }: RdsContext,
  what: string,
  condition: () => Promise<boolean>,
): Promise<void> {
  const deadline = performance.now() + settings.waitUpTo * 1000;
  while (!(await condition())) {
    if (performance.now() > deadline)
      throw new HoldfastError(
        'engine-failed',
        `waited ${formatDuration(settings.waitUpTo)} in vain until ${what}`,
      );
    await sleep(pollSeconds * 1000);
  }
}

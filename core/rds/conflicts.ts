import { formatDuration } from '../durations';
import type { CopySettings, ManagedInstance, RdsSettings } from '../settings/rds';
import type { Environment } from '../settings/stack';
import { instanceChoices, keepsVault } from './choices';
import { overlap, windowMinutes } from './windows';

/** What is well by itself, but not in this environment or together with another setting. */
export interface Conflict {
  /** Keys below those of the instance. */
  readonly path: readonly (string | number)[];
  readonly message: string;
}

const conflict = (path: readonly (string | number)[], message: string): Conflict => ({ path, message });

const daySeconds = 86_400;

/** All that is wrong with the settings of an instance in an environment; none when it can be made. */
export function rdsConflicts(environment: Environment, settings: RdsSettings): Conflict[] {
  const { source } = settings;
  return [
    ...(source.mode === 'managed' ? instanceConflicts(environment, source) : []),
    ...(keepsVault(environment, settings) ? vaultConflicts(environment, settings) : []),
    ...replicationConflicts(settings),
    ...authorityConflicts(settings),
  ];
}

function instanceConflicts(environment: Environment, source: ManagedInstance): Conflict[] {
  const found: Conflict[] = [];
  const refuse = (key: string, message: string) =>
    found.push(conflict(['source', ...key.split('.')], message));
  const { retentionDays, window } = source.automatedBackups;
  const production = environment === 'production';
  const { multiAz, deletionProtection } = instanceChoices(environment, source);

  if (retentionDays === 0)
    refuse(
      'automatedBackups.retentionDays',
      '0 would switch point-in-time recovery off, and reboot the instance: keep at least 1 day',
    );
  else if (production && retentionDays < 7)
    refuse(
      'automatedBackups.retentionDays',
      `production keeps point-in-time recovery for at least 7 days, not ${retentionDays}`,
    );
  if (production && !multiAz)
    refuse(
      'multiAz',
      'production has a standby in another availability zone: remove this, or set it to true',
    );
  if (production && !deletionProtection)
    refuse('deletionProtection', 'production is protected from deletion: remove this, or set it to true');
  for (const [key, given] of [
    ['automatedBackups.window', window],
    ['maintenanceWindow', source.maintenanceWindow],
  ] as const)
    if (windowMinutes(given) < 30) refuse(key, `${given} is shorter than the 30 minutes that RDS needs`);
  if (overlap(window, source.maintenanceWindow))
    refuse(
      'maintenanceWindow',
      `${source.maintenanceWindow} overlaps with source.automatedBackups.window (${window}), which RDS refuses`,
    );
  return found;
}

/** What has to be typed before a vault is locked for good. */
export const complianceConfirmation = (instance: string): string =>
  `compliance of ${instance} cannot be undone`;

function vaultConflicts(environment: Environment, { vault, instance, region }: RdsSettings): Conflict[] {
  const found: Conflict[] = [];
  const refuse = (path: readonly (string | number)[], message: string) =>
    found.push(conflict(['vault', ...path], message));
  const { lock, copies } = vault;

  if (lock.mode === 'none') {
    if (environment === 'production')
      refuse(['lock', 'mode'], 'production locks its vault: governance is enough, and can be undone');
  } else {
    if (lock.minimum > lock.maximum)
      refuse(['lock', 'minimum'], `it is longer than vault.lock.maximum (${formatDuration(lock.maximum)})`);
    for (const [path, keepFor] of keptIn(vault.keepFor, copies))
      if (keepFor < lock.minimum || keepFor > lock.maximum)
        refuse(
          path,
          `${formatDuration(keepFor)} is not within vault.lock.minimum and maximum (${formatDuration(lock.minimum)} to ${formatDuration(lock.maximum)}): every backup would fail`,
        );
  }
  if (lock.mode === 'compliance') {
    if (lock.coolingOff < 3 * daySeconds)
      refuse(['lock', 'coolingOff'], 'AWS locks for good after at least 3 d');
    if (lock.confirmation !== complianceConfirmation(instance))
      refuse(
        ['lock', 'confirmation'],
        `compliance locks for good, for AWS too; to confirm, set “${complianceConfirmation(instance)}”`,
      );
  }
  const places = copies.map(copy => (copy.to === 'region' ? copy.region : copy.vault));
  places.forEach((place, i) => {
    if (place === region) refuse(['copies', i, 'region'], 'the copy would be in the region of the instance');
    if (places.indexOf(place) < i) refuse(['copies', i], `there is a copy to ${place} already`);
  });
  return found;
}

/** How long something is kept under the lock: in the vault itself, and in those of other regions, which get the same lock. */
function keptIn(
  keepFor: number,
  copies: readonly CopySettings[],
): [path: readonly (string | number)[], seconds: number][] {
  return [
    [['keepFor'], keepFor],
    ...copies.flatMap((copy, i): [readonly (string | number)[], number][] =>
      copy.to === 'region' ? [[['copies', i, 'keepFor'], copy.keepFor]] : [],
    ),
  ];
}

/** The Lambda trusts the authorities of RDS by itself, and has no file of the machine that runs Pulumi. */
function authorityConflicts({ certificateAuthorities, unattended }: RdsSettings): Conflict[] {
  if (certificateAuthorities === undefined || unattended.network === undefined) return [];
  return [
    conflict(
      ['certificateAuthorities'],
      `the unattended jobs of unattended.network have no ${certificateAuthorities}: remove it, and set NODE_EXTRA_CA_CERTS where people run \`holdfast\``,
    ),
  ];
}

function replicationConflicts({ replication, region }: RdsSettings): Conflict[] {
  if (replication === undefined) return [];
  return [
    ...(replication.region === region
      ? [conflict(['replication', 'region'], 'the backups would be replicated to the region of the instance')]
      : []),
    ...(replication.keepFor > 35 * daySeconds
      ? [conflict(['replication', 'keepFor'], 'RDS keeps replicated backups for at most 35 d')]
      : []),
  ];
}

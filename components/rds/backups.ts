import * as backup from '@pulumi/aws/backup';
import * as iam from '@pulumi/aws/iam';
import * as rds from '@pulumi/aws/rds';
import * as pulumi from '@pulumi/pulumi';
import { keepsVault } from '../../core/rds/choices';
import { awsBackupStatements } from '../../core/rds/permissions/aws-backup';
import { policyDocument, trustDocument } from '../../core/rds/permissions/document';
import type { ReplicationSettings } from '../../core/settings/rds';
import { tagsFor, type RdsCluster } from './context';
import { encryptionKey } from './key';
import type { Regions } from './regions';
import { daysOf, lockedVault } from './vault';

export interface RdsBackupsArgs {
  readonly cluster: RdsCluster;
  readonly instanceArn: pulumi.Input<string>;
  /** The key that encrypts the instance, if it is encrypted. */
  readonly keyArn: pulumi.Input<string | undefined>;
  readonly regions: Regions;
}

/** Where a copy goes. */
interface Copy {
  readonly vaultArn: pulumi.Input<string>;
  readonly keyArn: pulumi.Input<string | undefined>;
  readonly keepFor: number;
}

/**
 * What is kept of an instance out of reach of who may delete it and its snapshots: a daily recovery point in a locked vault of
 * AWS Backup, copies in other regions and accounts, and automated backups replicated to another region.
 *
 * AWS Backup takes snapshots, not continuous backups: RDS has point-in-time recovery by itself, and to delete a continuous recovery
 * point reboots the database.
 */
export class RdsBackups extends pulumi.ComponentResource {
  constructor(name: string, args: RdsBackupsArgs, opts?: pulumi.ComponentResourceOptions) {
    super('holdfast:rds:RdsBackups', name, {}, opts);
    const { cluster } = args;
    const keys = new RegionalKeys(name, args, this);
    if (keepsVault(cluster.environment, cluster.settings)) this.keepInVault(name, args, keys);
    const { replication } = cluster.settings;
    if (replication !== undefined) this.replicate(`${name}-replication`, args, replication, keys);
    this.registerOutputs();
  }

  private keepInVault(
    name: string,
    { cluster, instanceArn, keyArn, regions }: RdsBackupsArgs,
    keys: RegionalKeys,
  ) {
    const { dailyAt, keepFor, lock, copies } = cluster.settings.vault;
    const here = { parent: this };
    const vault = lockedVault(`${name}-vault`, { cluster, keyArn, lock }, here);
    const elsewhere = copies.map((copy): Copy => {
      if (copy.to === 'vault') return { vaultArn: copy.vault, keyArn: undefined, keepFor: copy.keepFor };
      const key = keys.arn(copy.region, copy.kmsKey);
      const there = { parent: this, provider: regions.provider(copy.region) };
      const made = lockedVault(`${name}-vault-${copy.region}`, { cluster, keyArn: key, lock }, there);
      return { vaultArn: made.arn, keyArn: key, keepFor: copy.keepFor };
    });
    const plan = new backup.Plan(
      `${name}-plan`,
      {
        rules: [
          {
            ruleName: 'daily',
            targetVaultName: vault.name,
            schedule: dailyExpression(dailyAt),
            lifecycle: { deleteAfter: daysOf(keepFor) },
            copyActions: elsewhere.map(copy => ({
              destinationVaultArn: copy.vaultArn,
              lifecycle: { deleteAfter: daysOf(copy.keepFor) },
            })),
          },
        ],
        tags: tagsFor(cluster),
      },
      here,
    );
    const role = this.role(`${name}-role`, cluster, {
      instance: instanceArn,
      vaults: [vault.arn, ...elsewhere.map(({ vaultArn }) => vaultArn)],
      keys: [keyArn, ...elsewhere.map(copy => copy.keyArn)],
    });
    new backup.Selection(
      `${name}-selection`,
      { planId: plan.id, iamRoleArn: role.arn, resources: [instanceArn] },
      here,
    );
  }

  /** Whom AWS Backup acts as. */
  private role(
    name: string,
    cluster: RdsCluster,
    subject: {
      readonly instance: pulumi.Input<string>;
      readonly vaults: pulumi.Input<string>[];
      readonly keys: pulumi.Input<string | undefined>[];
    },
  ): iam.Role {
    const here = { parent: this };
    const role = new iam.Role(
      name,
      {
        description: `AWS Backup of ${cluster.settings.instance}`,
        assumeRolePolicy: cluster.place.apply(place => trustDocument('backup.amazonaws.com', place)),
        tags: tagsFor(cluster),
      },
      here,
    );
    new iam.RolePolicy(
      `${name}-permissions`,
      {
        role: role.name,
        policy: pulumi
          .all([cluster.place, pulumi.output(subject)])
          .apply(([place, { instance, vaults, keys }]) =>
            policyDocument(awsBackupStatements({ ...place, instance, vaults, keys: known(keys) })),
          ),
      },
      here,
    );
    return role;
  }

  private replicate(
    name: string,
    { instanceArn, regions }: RdsBackupsArgs,
    { region, keepFor, kmsKey }: ReplicationSettings,
    keys: RegionalKeys,
  ) {
    new rds.InstanceAutomatedBackupsReplication(
      name,
      {
        sourceDbInstanceArn: instanceArn,
        retentionPeriod: daysOf(keepFor),
        kmsKeyId: keys.arn(region, kmsKey),
      },
      { parent: this, provider: regions.provider(region) },
    );
  }
}

const known = <T>(values: readonly (T | undefined)[]): T[] => values.filter(value => value !== undefined);

/** Each day at a time, UTC, as AWS writes it. */
export function dailyExpression(timeOfDay: string): string {
  const [hour, minute] = timeOfDay.split(':').map(Number);
  return `cron(${minute} ${hour} * * ? *)`;
}

/** The keys in other regions: one each, unless one is given. */
class RegionalKeys {
  private readonly made = new Map<string, pulumi.Output<string>>();

  constructor(
    private readonly name: string,
    private readonly args: RdsBackupsArgs,
    private readonly parent: pulumi.Resource,
  ) {}

  arn(region: string, given: string | undefined) {
    if (given !== undefined) return pulumi.output(given);
    const { cluster, regions } = this.args;
    const key =
      this.made.get(region) ??
      encryptionKey(
        `${this.name}-key-${region}`,
        { cluster, given, description: `What is kept of ${cluster.settings.instance} in ${region}` },
        { parent: this.parent, provider: regions.provider(region) },
      );
    this.made.set(region, key);
    return key;
  }
}

import {
  DescribeDBInstancesCommand,
  paginateDescribeDBInstances,
  type DBInstance,
} from '@aws-sdk/client-rds';
import { list, optional } from './answers';
import type { RdsContext } from './context';
import { failed, isNotFound } from './failure';

type Asker = Pick<RdsContext, 'rds'>;

/** The instance of this identifier; null when AWS says that there is none. */
export async function findInstance({ rds }: Asker, identifier: string): Promise<DBInstance | null> {
  try {
    const { DBInstances: found } = await rds.send(
      new DescribeDBInstancesCommand({ DBInstanceIdentifier: identifier }),
    );
    return optional(list(found)[0]);
  } catch (error) {
    if (isNotFound(error)) return null;
    throw failed(`describing the instance ${identifier}`, error);
  }
}

/** All instances of the region; those with one of these resource ids when some are given. */
export async function listInstances({ rds }: Asker, resourceIds?: readonly string[]): Promise<DBInstance[]> {
  const filter =
    resourceIds === undefined ? {} : { Filters: [{ Name: 'dbi-resource-id', Values: [...resourceIds] }] };
  const found: DBInstance[] = [];
  try {
    for await (const page of paginateDescribeDBInstances({ client: rds, pageSize: 100 }, filter))
      found.push(...list(page.DBInstances));
  } catch (error) {
    throw failed('listing the instances', error);
  }
  return found;
}

/** https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/accessing-monitoring.html: it serves in all of these. */
const serving =
  /^(available|backing-up|configuring-.*|converting-to-vpc|maintenance|modifying|moving-to-vpc|renaming|resetting-master-credentials|storage-config-upgrade|storage-initialization|storage-optimization|upgrading)$/;

/** It doesn't serve, and nothing is wrong with it. */
const resting = /^(creating|rebooting|starting|stopped|stopping)$/;

/** What the status of an instance means: whether it serves, and what is wrong with it. */
export function judgeStatus(status: string): { readonly serves: boolean; readonly trouble: string | null } {
  if (serving.test(status)) return { serves: true, trouble: null };
  return { serves: false, trouble: resting.test(status) ? null : `its status is ${status}` };
}

import * as kms from '@pulumi/aws/kms';
import * as pulumi from '@pulumi/pulumi';
import { stateful } from '../protection';
import { tagsFor, type RdsCluster } from './context';

export interface KeyArgs {
  readonly cluster: RdsCluster;
  /** ARN of one that exists; nothing is made then. */
  readonly given: string | undefined;
  /** What it encrypts, in a sentence. */
  readonly description: string;
}

/**
 * The ARN of the KMS key that encrypts what is kept of a cluster in a region. Without it nothing of that can be read again, so in
 * production it is protected; AWS keeps one that is deleted for 30 days. Its policy is AWS's default: the account's IAM
 * policies decide who may use it.
 */
export function encryptionKey(
  name: string,
  { cluster, given, description }: KeyArgs,
  options: pulumi.CustomResourceOptions,
): pulumi.Output<string> {
  if (given !== undefined) return pulumi.output(given);
  const key = new kms.Key(
    name,
    { description, enableKeyRotation: true, deletionWindowInDays: 30, tags: tagsFor(cluster) },
    { ...options, ...stateful(cluster) },
  );
  return key.arn;
}

import * as pulumi from '@pulumi/pulumi';
import { HoldfastError } from '../core/errors';
import type { ClusterAccess, RoleCredential } from '../core/host-documents';
import type { Specification } from '../core/specification';
import type { ClusterPlan, StackContext } from './context';
import { reporting } from './failure';
import { shown } from './outputs';

/** How to get into a cluster: the PostgreSQL provider's way, and the roles' passwords. All secret but the endpoint. */
export interface Credentials<Access extends ClusterAccess = ClusterAccess> {
  /** All that is known of what was applied. */
  readonly known: pulumi.Output<Access>;
  readonly endpoint: pulumi.Output<ClusterAccess['endpoint']>;
  readonly provider: pulumi.Output<ClusterAccess['provider']>;
  /** Of an application or read-only role. */
  readonly role: (name: string) => pulumi.Output<RoleCredential>;
}

/**
 * The credentials that `host apply` prints. In the preview of an update that isn't known yet; what the last apply printed is
 * then taken, so that the preview doesn't show every role as changed whenever a setting of the cluster is. An
 * update always takes what was really applied.
 */
export function knownCredentials<Access extends ClusterAccess>(
  { inspection }: ClusterPlan<Specification, Access>,
  { dryRun }: StackContext,
  applied: pulumi.Output<Access>,
): Credentials<Access> {
  const last = dryRun ? inspection.applied : null;
  // Plain JSON has nothing to unwrap, which the type can't know.
  const known = last === null ? applied : (pulumi.secret(last) as pulumi.Output<Access>);
  return {
    known,
    endpoint: shown(known, ({ endpoint }) => endpoint),
    provider: known.apply(({ provider }) => provider),
    role: name => (last !== null && name in last.roles ? known : applied).apply(credentialOf(name)),
  };
}

/**
 * The credential of one role. One that is newly declared in a preview whose Command doesn't change can't be asked for: its
 * declaration is part of the document.
 */
export const credentialOf = (name: string): ((applied: ClusterAccess) => Promise<RoleCredential>) =>
  reporting(({ roles }) => {
    const found = roles[name];
    if (found !== undefined) return found;
    throw new HoldfastError('engine-failed', `host apply made no credentials for the role ${name}`, {
      hint: 'Is the program on the cluster’s machine that of this checkout? `pulumi up` installs it.',
    });
  });

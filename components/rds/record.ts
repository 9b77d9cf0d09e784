import type * as pulumi from '@pulumi/pulumi';
import { placeOf } from '../../jobs/where';
import type { RdsPlan, StackContext } from '../context';
import { hostCommand, type HostCommand } from '../host-command';
import { stateful } from '../protection';
import { revisionOf } from '../revision';

/*
 * What Holdfast remembers of a cluster on RDS: kept by its program, which alone may write it, and not by resources of AWS that
 * Pulumi would put back to what they were.
 */

/** Enters first provision or adoption. */
export function recordBegin(
  name: string,
  { specification }: RdsPlan,
  context: StackContext,
  options: pulumi.CustomResourceOptions,
): HostCommand {
  const { cluster, settings } = specification;
  return hostCommand(
    name,
    { place: placeOf(settings), create: 'begin', document: { cluster, specification } },
    context,
    { ...options, ...stateful(context) },
  );
}

/** Records which instance is the cluster's, once it is what it shall be. */
export function recordApply(
  name: string,
  { specification, inspection }: RdsPlan,
  context: StackContext,
  options: pulumi.CustomResourceOptions,
): HostCommand {
  const revision = revisionOf(inspection);
  return hostCommand(
    name,
    {
      place: placeOf(specification.settings),
      create: 'apply',
      document: { specification, revision },
      labels: { HOLDFAST_REVISION: String(revision) },
    },
    context,
    { ...options, ...stateful(context) },
  );
}

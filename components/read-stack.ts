import * as pulumi from '@pulumi/pulumi';
import { assessBreakGlass, type BreakGlassState } from '../core/break-glass';
import type { StackSettings } from '../core/settings/stack';
import type { Specification } from '../core/specification';
import { holdfastHome, refuseEmbeddedPassphraseElsewhere } from '../jobs/embedded';
import { ownProgram } from '../jobs/program';
import type { StackContext } from './context';
import { readSettings } from './settings';

/** Everything about this run that is settled before any resource is made. */
export interface StackPlan {
  readonly context: StackContext;
  readonly specifications: readonly Specification[];
  readonly breakGlass: BreakGlassState;
  /** Names this run on restore points and backups: `project/stack@time`. */
  readonly change: string;
}

/** @throws HoldfastError `configuration` with all errors of the settings at once. */
export function readStack(now: string = new Date().toISOString()): StackPlan {
  refuseEmbeddedPassphraseElsewhere();
  const settings = readSettings();
  const stack = `${pulumi.getProject()}/${pulumi.getStack()}`;
  return {
    context: {
      environment: settings.environment,
      program: ownProgram(),
      home: holdfastHome(),
      dryRun: pulumi.runtime.isDryRun(),
    },
    specifications: specificationsOf(stack, settings),
    breakGlass: assessBreakGlass(settings.breakGlass, now),
    change: `${stack}@${now}`,
  };
}

/** What each cluster shall be. */
export function specificationsOf(
  stack: string,
  { environment, clusters, alerts }: StackSettings,
): Specification[] {
  return Object.entries(clusters).map(([cluster, settings]) => ({
    schema: 1,
    stack,
    environment,
    cluster,
    settings,
    alerts,
  }));
}

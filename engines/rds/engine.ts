import { HoldfastError } from '../../core/errors';
import type { RdsSettings } from '../../core/settings/rds';
import type { Environment } from '../../core/settings/stack';
import type { Clone, Engine, Session } from '../engine';
import { backup } from './backup';
import { openClients } from './clients';
import { AwsClock } from './clock';
import { clones, dropClone } from './clone/catalog';
import { checkIntegrity } from './clone/integrity';
import { clone } from './clone/make';
import type { RdsContext } from './context';
import { evidence } from './evidence';
import { findInstance } from './instance';
import { withClusterLock } from './lock';
import { awsMemory } from './memory';
import { establish, pendingChanges } from './provision';
import { halt, resume } from './replace/halt';
import { readJournal } from './replace/journal';
import { replaceWith, settle } from './replace/swap';
import { markRestorePoint, restorePoints } from './restore-point';
import { servingInstance } from './serving';
import { withInstance } from './session';
import { lastCounts, recordVerification } from './verification';

export interface RdsEngineOptions {
  readonly cluster: string;
  readonly environment: Environment;
  readonly settings: RdsSettings;
  /** Seconds between two looks at what takes long. @default 15 */
  readonly pollSeconds?: number;
}

/** Amazon RDS for PostgreSQL, with the credentials that the AWS SDK finds. */
export function openRdsEngine(options: RdsEngineOptions): Engine {
  const context = openContext(options);
  return {
    memory: awsMemory(context),
    goesOnAlone: true,
    evidence: () => evidence(context),
    drift: async () => pendingChanges((await servingInstance(context)).instance),
    establish: () => establish(context),
    backup: (_kind, annotations, begun) => backup(context, annotations, begun),
    recordVerification: (backupSet, verification, counts) =>
      recordVerification(context, backupSet, verification, counts),
    lastCounts: () => lastCounts(context),
    markRestorePoint: name => markRestorePoint(context, name),
    restorePoints: () => restorePoints(context),
    clone: request => clone(context, request),
    clones: () => clones(context),
    dropClone: id => dropClone(context, id),
    checkIntegrity: (made, checklist, watch) =>
      checkIntegrity(
        (database, use) => withSession(context, { database, clone: made }, use),
        made,
        checklist,
        watch,
      ),
    halt: () => halt(context),
    resume: () => resume(context),
    replaceWith: made => replaceWith(context, made),
    restoring: async () => (await readJournal(context)) !== null,
    settle: () => settle(context),
    withSession: (where, use) => withSession(context, where, use),
    withLock: (lock, holder, use) => withClusterLock(context, lock, holder, use),
  };
}

/** The engine's functions work on this. */
export function openContext({ pollSeconds = 15, ...options }: RdsEngineOptions): RdsContext {
  const clock = new AwsClock();
  const clients = openClients(options.settings.region, clock, { attempts: 5, answerSeconds: 30 });
  return { ...options, ...clients, clock, pollSeconds };
}

async function withSession<T>(
  context: RdsContext,
  { database, clone: made }: { readonly database: string; readonly clone?: Clone },
  use: (session: Session) => Promise<T>,
): Promise<T> {
  if (made === undefined)
    return withInstance(context, (await servingInstance(context)).instance, database, use);
  const instance = await findInstance(context, made.id);
  // Never the original instead: what is done in a clone isn't meant for it.
  if (instance === null)
    throw new HoldfastError('engine-failed', `the clone ${made.id} is gone`, {
      hint: `See \`holdfast clones ${context.cluster}\`.`,
    });
  return withInstance(context, instance, database, use);
}

import type { DBInstance } from '@aws-sdk/client-rds';
import { loginsOf, planCatalog, type DatabasePlan } from '../../../core/catalog';
import { HoldfastError } from '../../../core/errors';
import { providerRole, type ClusterAccess, type Drift, type Inspection } from '../../../core/host-documents';
import type { RdsClusterSettings } from '../../../core/settings/stack';
import { accessOf, type Credentials } from '../../catalog/credentials';
import * as keep from '../../catalog/keep';
import { surveyDeclared } from '../../catalog/survey';
import type { RdsContext } from '../context';
import { createParameter, deleteParameter, readParameter } from '../parameters';
import { endpointOf, logsIn } from '../session';
import { ensureCredentials, readCredentials } from './credentials';
import { ensureProviderRole, handOverRoles, providerDrift } from './provider-role';
import { reachDatabases, type Reached } from './reach';

/*
 * What is declared inside an instance. Pulumi's provider makes it; here is what comes before (its role, the passwords), and
 * what only the master user may. Nothing of it happens where the settings don't say how PostgreSQL is reached.
 */

/** What the settings of a cluster on RDS say about its databases. */
export type Declared = Pick<RdsClusterSettings, 'databases' | 'reach'>;

const plansOf = ({ databases }: Declared): DatabasePlan[] => planCatalog(databases);

/** Remembers since when the databases are Pulumi's. */
const managedSince = 'databases';

/** Where nothing is declared, or nothing can be reached from where Pulumi runs, there is nothing to do. */
async function reached(
  context: RdsContext,
  instance: DBInstance,
  plans: readonly DatabasePlan[],
): Promise<Reached | null> {
  const { reach } = context.settings;
  if (reach === undefined || plans.length === 0) return null;
  return reachDatabases(context, instance, reach);
}

/**
 * Makes passwords and the provider's role.
 * @returns how the provider gets in, and the passwords; null where nothing is managed.
 */
export async function applyCatalog(
  context: RdsContext,
  instance: DBInstance,
  declared: Declared,
): Promise<ClusterAccess | null> {
  const plans = plansOf(declared);
  if (plans.length === 0) await deleteParameter(context, managedSince);
  const server = await reached(context, instance, plans);
  if (server === null) return null;
  const credentials = await ensureCredentials(context, loginsOf(plans));
  await ensureProviderRole(server, credentials.provider);
  await handOverRoles(server, plans);
  // From here on Pulumi makes what it would drop if it were left out.
  await createParameter(context, managedSince, JSON.stringify({ since: context.clock.now() }));
  return { endpoint: endpointOf(instance), ...accessOf(credentials, loginsOf(plans)) };
}

/**
 * Sees to what the provider can't in the databases (engines/catalog/keep.ts).
 * @returns what was changed.
 */
export async function keepDatabases(
  context: RdsContext,
  instance: DBInstance,
  declared: Declared,
): Promise<string[]> {
  const plans = plansOf(declared);
  const server = await reached(context, instance, plans);
  return server === null ? [] : keep.keepDatabases(server.open, plans);
}

type Found = Pick<Inspection, 'existing' | 'drift' | 'applied'>;

const nothing: Found = { existing: [], drift: [], applied: null };

/**
 * What an instance has of what is declared, and what of it was changed by hand. Changes nothing.
 * @param declared what it shall be, and what was applied last; null before the first apply.
 * @throws HoldfastError `engine-failed` when it can't be reached; `configuration` when it can't be any more.
 */
export async function inspectCatalog(
  context: RdsContext,
  instance: DBInstance | null,
  declared: { readonly now: Declared; readonly applied: Declared | null },
): Promise<Found> {
  if (instance === null) return nothing;
  const plans = plansOf(declared.now);
  if (plans.length > 0 && context.settings.reach === undefined) await assertNeverManaged(context);
  const server = await reached(context, instance, plans);
  if (server === null) return nothing;
  const credentials = await readCredentials(context);
  const existing = await surveyDeclared(server.open, plans, async role => {
    const ours = credentials?.roles[role]?.password;
    return ours !== undefined && logsIn(server.connect, { username: role, password: ours });
  });
  const { applied } = declared;
  // Before they were managed nothing of it can have been changed.
  if (applied?.reach === undefined) return { ...nothing, existing };
  const drift = [
    ...passwordDrift(applied, credentials),
    ...(credentials === null ? [] : await providerDrift(server, credentials.provider)),
    ...(await keep.databaseDrift(server.open, plansOf(applied))),
  ];
  if (credentials === null) return { existing, drift, applied: null };
  const access = accessOf(credentials, loginsOf(plans));
  return { existing, drift, applied: { endpoint: endpointOf(instance), ...access } };
}

/** Passwords that somebody removed, so that new ones are made. */
function passwordDrift(applied: Declared, credentials: Credentials | null): Drift[] {
  const gone =
    credentials === null
      ? [providerRole]
      : loginsOf(plansOf(applied)).filter(role => credentials.roles[role] === undefined);
  return gone.map(role => ({ what: `passwords.${role}`, expected: 'it is kept', found: 'it is gone' }));
}

/** Left out of the program, they would be Pulumi's to drop. */
async function assertNeverManaged(context: RdsContext): Promise<void> {
  if ((await readParameter(context, managedSince)) === null) return;
  throw new HoldfastError(
    'configuration',
    `clusters.${context.cluster}.reach is missing: the databases of ${context.cluster} are managed, and Pulumi would take them for removed`,
    {
      hint: 'Set it again (docs/aws.md, “Databases and roles”). To manage them no longer, take `databases` out, too: Pulumi says then what it would forget.',
    },
  );
}

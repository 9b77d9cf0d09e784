import { planCatalog } from '../../../core/catalog';
import { HoldfastError } from '../../../core/errors';
import type { Drift, Existing } from '../../../core/host-documents';
import type { HostSpecification } from '../../../core/specification';
import type { Credentials } from '../../catalog/credentials';
import * as keep from '../../catalog/keep';
import type { OpenDatabase } from '../../catalog/sql';
import * as survey from '../../catalog/survey';
import { pathsOf } from '../layout';
import { promptly, withServer, type Server } from '../session';
import { runningServer, superuserOf } from './context';

/* What is declared inside a cluster on this machine, as its bootstrap superuser sees it. */

const plansOf = ({ settings }: HostSpecification) => planCatalog(settings.databases);

const asked =
  (server: Server, answerSeconds?: number): OpenDatabase =>
  (database, use) =>
    withServer(server, database, use, answerSeconds);

/**
 * Sees to what only a superuser can in the declared databases (engines/catalog/keep.ts).
 * @returns what was changed.
 */
export async function keepDatabases(specification: HostSpecification, home: string): Promise<string[]> {
  const { cluster } = specification;
  const paths = pathsOf(home, specification);
  const server = await runningServer({ paths, superuser: superuserOf(specification) });
  if (server === null)
    throw new HoldfastError('engine-failed', `cluster ${cluster} is not running`, {
      hint: `Its log is in ${paths.log}.`,
    });
  return keep.keepDatabases(asked(server), plansOf(specification));
}

/** @param specification that was applied last. */
export function databaseDrift(server: Server, specification: HostSpecification): Promise<Drift[]> {
  return keep.databaseDrift(asked(server, promptly), plansOf(specification));
}

/** What of the declared a cluster has already. */
export function surveyDeclared(
  server: Server,
  specification: HostSpecification,
  credentials: Credentials | null,
): Promise<Existing[]> {
  const open = asked(server, promptly);
  const isOurs = async (role: string): Promise<boolean> => {
    const ours = credentials?.roles[role]?.verifier;
    if (ours === undefined) return false;
    const sql = 'select from pg_authid where rolname = $1 and rolpassword = $2';
    return (await open('postgres', session => session.query(sql, [role, ours]))).length === 1;
  };
  return survey.surveyDeclared(open, plansOf(specification), isOurs);
}

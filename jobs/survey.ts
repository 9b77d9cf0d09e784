import { assessBreakGlass, type BreakGlassState } from '../core/break-glass';
import { asHoldfastError, HoldfastError } from '../core/errors';
import type { ConnectionSettings, Environment } from '../core/settings/stack';
import { clusterNames, openSpecified, readSpecification } from './context';
import { askProgram, placeOf } from './remote';
import type { DeclaredCluster } from './stacks';
import { isWell, reportOn, type ClusterReport } from './status';

/** One line of `holdfast status`. */
export interface SurveyedCluster {
  readonly cluster: string;
  /** Null when nobody says: it couldn't be asked, and no stack file declares it. */
  readonly environment: Environment | null;
  /** For a person: "this machine", `user@host`. */
  readonly place: string;
  readonly state: 'reported' | 'not-provisioned' | 'unreachable';
  readonly report: ClusterReport | null;
  /** Why there is no report. */
  readonly problem: string | null;
  /** Of its stack; null where no stack file declares it. */
  readonly breakGlass: BreakGlassState | null;
  readonly well: boolean;
}

export interface SurveyRequest {
  readonly home: string;
  /** These, or all that are here or declared. */
  readonly names: readonly string[];
  readonly declared: readonly DeclaredCluster[];
  readonly signal: AbortSignal;
}

const local: ConnectionSettings = { type: 'local' };

/**
 * The state of every cluster: those of this machine, and those that the project's stack files declare, wherever they are.
 * @throws HoldfastError `configuration` when a name is neither
 */
export async function survey(request: SurveyRequest): Promise<readonly SurveyedCluster[]> {
  const { home, names, declared } = request;
  const here = await clusterNames(home);
  const known = [...new Set([...declared.map(({ name }) => name), ...here])];
  const unknown = names.filter(name => !known.includes(name));
  if (unknown.length > 0)
    throw new HoldfastError('configuration', `there is no cluster ${unknown.join(', ')}`, {
      hint: known.length === 0 ? 'None was provisioned yet.' : `There are ${known.join(', ')}.`,
    });
  const wanted = names.length > 0 ? known.filter(name => names.includes(name)) : known;
  const asked = wanted.map(name => ({ name, declaration: declared.find(each => each.name === name) }));
  const isLocal = ({ declaration }: (typeof asked)[number]) => declaration?.connection.type !== 'ssh';
  // As another user this process couldn't look after a connection that it had opened as root.
  const inProcess =
    asked.every(isLocal) &&
    (await sharedOwner(
      home,
      asked.map(({ name }) => name),
      here,
    ));
  return Promise.all(
    asked.map(({ name, declaration }) =>
      surveyOne({ ...request, name, declaration, isHere: here.includes(name), inProcess }),
    ),
  );
}

interface One extends SurveyRequest {
  readonly name: string;
  readonly declaration: DeclaredCluster | undefined;
  readonly isHere: boolean;
  readonly inProcess: boolean;
}

async function surveyOne(one: One): Promise<SurveyedCluster> {
  const { name, declaration, isHere } = one;
  const connection = declaration?.connection ?? local;
  const base = {
    cluster: name,
    environment: declaration?.environment ?? null,
    place: placeOf(connection),
    report: null,
    problem: null,
    breakGlass:
      declaration === undefined ? null : assessBreakGlass(declaration.breakGlass, new Date().toISOString()),
    well: false,
  };
  if (connection.type === 'local' && !isHere) return { ...base, state: 'not-provisioned' };
  try {
    const report = await ask(one, connection);
    return { ...base, environment: report.environment, state: 'reported', report, well: isWell(report) };
  } catch (thrown) {
    one.signal.throwIfAborted();
    const error = asHoldfastError(thrown);
    if (connection.type === 'ssh' && isNotProvisioned(error)) return { ...base, state: 'not-provisioned' };
    return { ...base, state: 'unreachable', problem: error.message };
  }
}

async function ask(one: One, connection: ConnectionSettings): Promise<ClusterReport> {
  if (connection.type === 'local' && one.inProcess)
    return reportOn(await openSpecified(one.home, await readSpecification(one.home, one.name)));
  return askProgram<ClusterReport>(
    connection,
    ['host', 'report'],
    { cluster: one.name },
    {
      home: one.home,
      signal: one.signal,
    },
  );
}

/** The program isn't installed there yet, or doesn't know the cluster. */
function isNotProvisioned({ message }: HoldfastError): boolean {
  return /cannot find module|MODULE_NOT_FOUND|there is no cluster /i.test(message);
}

/**
 * Whether this process can ask all the local clusters itself: as root it becomes their owner for good, so clusters of
 * different owners are asked by a process each.
 */
async function sharedOwner(
  home: string,
  names: readonly string[],
  here: readonly string[],
): Promise<boolean> {
  if (process.getuid?.() !== 0) return true;
  const owners = await Promise.all(
    names
      .filter(name => here.includes(name))
      .map(name =>
        readSpecification(home, name).then(
          ({ settings }) => settings.owner,
          () => '',
        ),
      ),
  );
  return new Set(owners).size <= 1;
}

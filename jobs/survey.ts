import { assessBreakGlass, type BreakGlassState } from '../core/break-glass';
import { asHoldfastError, HoldfastError } from '../core/errors';
import type { Environment } from '../core/settings/stack';
import type { HostSpecification } from '../core/specification';
import { clusterNames, openSpecified, readSpecification } from './context';
import { askProgram } from './remote';
import { isWell, reportOn, type ClusterReport } from './status';
import { describePlace, type Place } from './where';

/** One line of `holdfast status`. */
export interface SurveyedCluster {
  readonly cluster: string;
  /** Null when nobody says: it couldn't be asked, and no stack file declares it. */
  readonly environment: Environment | null;
  /** For a person: "this machine", `user@host`, "AWS eu-central-1". */
  readonly place: string;
  readonly state: 'reported' | 'not-provisioned' | 'unreachable';
  readonly report: ClusterReport | null;
  /** Why there is no report. */
  readonly problem: string | null;
  /** Of its stack; null where no stack file declares it. */
  readonly breakGlass: BreakGlassState | null;
  readonly well: boolean;
}

/** What is known of a cluster before it is asked. */
export interface Declaration {
  readonly name: string;
  /** Null where no stack file is at hand. */
  readonly environment: Environment | null;
  readonly place: Place;
  /** The setting of its stack. */
  readonly breakGlass: unknown;
}

export interface SurveyRequest {
  readonly home: string;
  /** These, or all that are here or declared. */
  readonly names: readonly string[];
  readonly declared: readonly Declaration[];
  readonly signal: AbortSignal;
}

const local: Place = { type: 'local' };

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
  const specifications = asked.every(({ declaration }) => (declaration?.place ?? local).type === 'local')
    ? await readAll(
        home,
        asked.flatMap(({ name }) => (here.includes(name) ? [name] : [])),
      )
    : null;
  const inProcess = specifications !== null && haveOneOwner([...specifications.values()]);
  return Promise.all(
    asked.map(({ name, declaration }) =>
      surveyOne({
        ...request,
        name,
        declaration,
        isHere: here.includes(name),
        specification: inProcess ? specifications.get(name) : undefined,
      }),
    ),
  );
}

type Read = PromiseSettledResult<HostSpecification>;

interface One extends SurveyRequest {
  readonly name: string;
  readonly declaration: Declaration | undefined;
  readonly isHere: boolean;
  /** Only when this process asks the cluster itself. */
  readonly specification: Read | undefined;
}

async function surveyOne(one: One): Promise<SurveyedCluster> {
  const { name, declaration, isHere } = one;
  const place = declaration?.place ?? local;
  const base = {
    cluster: name,
    environment: declaration?.environment ?? null,
    place: describePlace(place),
    report: null,
    problem: null,
    breakGlass:
      declaration === undefined ? null : assessBreakGlass(declaration.breakGlass, new Date().toISOString()),
    well: false,
  };
  if (place.type === 'local' && !isHere) return { ...base, state: 'not-provisioned' };
  try {
    const report = await ask(one, place);
    return { ...base, environment: report.environment, state: 'reported', report, well: isWell(report) };
  } catch (thrown) {
    one.signal.throwIfAborted();
    const error = asHoldfastError(thrown);
    if (place.type !== 'local' && isNotProvisioned(error)) return { ...base, state: 'not-provisioned' };
    return { ...base, state: 'unreachable', problem: error.message };
  }
}

async function ask(one: One, place: Place): Promise<ClusterReport> {
  const { specification } = one;
  if (specification?.status === 'rejected') throw specification.reason;
  if (specification !== undefined) return reportOn(await openSpecified(one.home, specification.value));
  return askProgram<ClusterReport>(
    place,
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
  return /cannot find module|MODULE_NOT_FOUND|there is no cluster | is not provisioned in /i.test(message);
}

async function readAll(home: string, names: readonly string[]): Promise<ReadonlyMap<string, Read>> {
  const read = await Promise.allSettled(names.map(name => readSpecification(home, name)));
  return new Map(names.map((name, index) => [name, read[index] as Read]));
}

/**
 * Whether this process can ask all these clusters itself: as root it becomes their owner for good, so clusters of different
 * owners are asked by a process each. As another user it couldn't look after a connection that it had opened as root, either.
 */
function haveOneOwner(read: readonly Read[]): boolean {
  if (process.getuid?.() !== 0) return true;
  return new Set(read.map(one => (one.status === 'fulfilled' ? one.value.settings.owner : ''))).size <= 1;
}

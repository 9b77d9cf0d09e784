import {
  DeleteParameterCommand,
  GetParametersCommand,
  paginateGetParametersByPath,
  PutParameterCommand,
} from '@aws-sdk/client-ssm';
import { parameterPath } from '../../core/rds/names';
import { list, optional, text } from './answers';
import type { RdsContext } from './context';
import { alreadyExists, failed, isNotFound } from './failure';

/*
 * What Holdfast remembers of a cluster is in the Parameter Store, below `/holdfast/<cluster>/`, and not in tags of the
 * instance: it has to outlive the instance, it must not be copied with it, and Pulumi owns the tags. No secrets.
 */

type Store = Pick<RdsContext, 'cluster' | 'ssm'>;

/** A standard parameter holds so many characters. */
export const largestParameter = 4096;

export function parameterName({ cluster }: Pick<RdsContext, 'cluster'>, name: string): string {
  return parameterPath(cluster, name);
}

/** The texts of parameters by name, in one call; those that there aren't are absent. At most ten. */
export async function readParameters(
  context: Store,
  names: readonly string[],
): Promise<Readonly<Record<string, string>>> {
  const { Parameters: found } = await context.ssm
    .send(new GetParametersCommand({ Names: names.map(name => parameterName(context, name)) }))
    .catch((error: unknown) => {
      throw failed(`reading ${names.map(name => parameterName(context, name)).join(', ')}`, error);
    });
  const prefix = parameterName(context, '');
  return Object.fromEntries(
    list(found).map(({ Name, Value }) => [text(Name).slice(prefix.length), text(Value)]),
  );
}

/** The text of one; null when there is none. */
export async function readParameter(context: Store, name: string): Promise<string | null> {
  return optional((await readParameters(context, [name]))[name]);
}

export interface StoredParameter {
  /** Its name below the path. */
  readonly name: string;
  readonly value: string;
}

/** All parameters directly below a path. */
export async function listParameters(context: Store, path: string): Promise<StoredParameter[]> {
  const prefix = `${parameterName(context, path)}/`;
  const found: StoredParameter[] = [];
  try {
    for await (const page of paginateGetParametersByPath({ client: context.ssm }, { Path: prefix }))
      for (const { Name, Value } of list(page.Parameters))
        found.push({ name: text(Name).slice(prefix.length), value: text(Value) });
  } catch (error) {
    throw failed(`listing ${prefix}`, error);
  }
  return found;
}

/** Writes a parameter as a whole, whatever was there. */
export async function writeParameter(context: Store, name: string, value: string): Promise<void> {
  await put(context, name, value, true);
}

/** Writes a parameter only where there is none: of two at the same time one succeeds. Says whether it did. */
export async function createParameter(context: Store, name: string, value: string): Promise<boolean> {
  return put(context, name, value, false);
}

async function put(context: Store, name: string, value: string, overwrite: boolean): Promise<boolean> {
  const input = { Name: parameterName(context, name), Value: value, Overwrite: overwrite };
  try {
    await context.ssm.send(new PutParameterCommand({ ...input, Type: 'String' }));
    return true;
  } catch (error) {
    if (!overwrite && alreadyExists(error)) return false;
    throw failed(`writing ${input.Name}`, error);
  }
}

/** Removes a parameter; none is as good. */
export async function deleteParameter(context: Store, name: string): Promise<void> {
  try {
    await context.ssm.send(new DeleteParameterCommand({ Name: parameterName(context, name) }));
  } catch (error) {
    if (!isNotFound(error)) throw failed(`removing ${parameterName(context, name)}`, error);
  }
}

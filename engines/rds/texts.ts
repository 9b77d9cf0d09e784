import { createHash } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { HoldfastError } from '../../core/errors';
import type { RdsContext } from './context';
import {
  deleteParameter,
  largestParameter,
  listParameters,
  parameterName,
  readParameter,
  writeParameter,
} from './parameters';

/*
 * Texts of any length. One that a parameter can hold is in it as it is. Any other is compressed and cut into parts
 * `<name>/<digest>/<n>`, to which the parameter refers. It is written last, so that it never refers to parts that aren't
 * there, and what it referred to before is removed after that.
 */

type Store = Pick<RdsContext, 'cluster' | 'ssm'>;

const reference = /^parts ([0-9a-f]{32})$/;

export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

/** AWS takes `{{` for a reference to another parameter, and refuses it. */
function fits(text: string): boolean {
  return Buffer.byteLength(text) <= largestParameter && !text.includes('{{');
}

/** Replaces the text `name` as a whole. */
export async function writeText(context: Store, name: string, text: string): Promise<void> {
  const before = await readParameter(context, name);
  const packed = fits(text) ? '' : deflateRawSync(text).toString('base64');
  if (packed === '' && before === text) return;
  const digest = digestOf(packed);
  for (let part = 0; part * largestParameter < packed.length; part++)
    await writeParameter(
      context,
      `${name}/${digest}/${part}`,
      packed.slice(part * largestParameter, (part + 1) * largestParameter),
    );
  await writeParameter(context, name, packed === '' ? text : `parts ${digest}`);
  const unused = partsOf(before);
  if (unused !== null && unused !== digest) await deleteParts(context, name, unused);
}

/**
 * The text `name`; null when there is none.
 * @throws HoldfastError `engine-failed` when parts of it are missing
 */
export async function readText(context: Store, name: string): Promise<string | null> {
  const stored = await readParameter(context, name);
  const digest = partsOf(stored);
  if (digest === null) return stored;
  const parts = (await listParameters(context, `${name}/${digest}`)).sort(
    (one, other) => Number(one.name) - Number(other.name),
  );
  const packed = parts.map(({ value }) => value).join('');
  if (digestOf(packed) === digest) return inflateRawSync(Buffer.from(packed, 'base64')).toString('utf8');
  throw new HoldfastError('engine-failed', `parts of ${parameterName(context, name)} are missing`, {
    hint: 'It may just be written anew: try again. If it stays so, delete the parameter; what it says begins anew then.',
  });
}

/** Removes the text `name`; none is as good. */
export async function deleteText(context: Store, name: string): Promise<void> {
  const parts = partsOf(await readParameter(context, name));
  await deleteParameter(context, name);
  if (parts !== null) await deleteParts(context, name, parts);
}

/** The digest that the parts of a text are kept under; null where it is in one parameter, or there is none. */
function partsOf(stored: string | null): string | null {
  return reference.exec(stored ?? '')?.[1] ?? null;
}

async function deleteParts(context: Store, name: string, digest: string): Promise<void> {
  for (const part of await listParameters(context, `${name}/${digest}`))
    await deleteParameter(context, `${name}/${digest}/${part.name}`);
}

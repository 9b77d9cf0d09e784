import fs from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod';
import { HoldfastError } from '../core/errors';
import { connection } from '../core/settings/cluster';
import { rds } from '../core/settings/rds';
import type { Environment } from '../core/settings/stack';
import type { Place } from './where';

/** A cluster as the stack files of a project declare it; read without Pulumi, so without its secrets. */
export interface DeclaredCluster {
  readonly name: string;
  /** Of Pulumi: `prod`. */
  readonly stack: string;
  readonly environment: Environment;
  readonly place: Place;
  /** The stack's break-glass setting as it stands there. */
  readonly breakGlass: unknown;
}

const stackFile = /^Pulumi\.(.+)\.ya?ml$/;

/** Where a cluster is, of all its settings. */
const place = z
  .discriminatedUnion('engine', [
    z
      .looseObject({
        engine: z.literal('host').optional(),
        connection: connection.prefault({ type: 'local' }),
      })
      .transform(({ connection }): Place => connection),
    z
      .looseObject({ engine: z.literal('rds'), region: rds.shape.region })
      .transform(({ region }): Place => ({ type: 'aws', region })),
  ])
  .prefault({});

const declared = z.looseObject({
  environment: z.enum(['production', 'staging']),
  clusters: z.record(z.string(), place),
  breakGlass: z.unknown().optional(),
});

/**
 * The clusters that the Pulumi project in `directory` declares, of all its stacks; none where there is no project.
 * @throws HoldfastError `configuration` when a stack file can't be read, naming it
 */
export async function declaredClusters(directory: string): Promise<readonly DeclaredCluster[]> {
  const names = await fs.readdir(directory).catch(() => []);
  const project = names.find(name => name === 'Pulumi.yaml' || name === 'Pulumi.yml');
  if (project === undefined) return [];
  const defaults = projectDefaults(await read(path.join(directory, project)));
  const found = await Promise.all(
    names.flatMap(name => {
      const stack = stackFile.exec(name)?.[1];
      return stack === undefined ? [] : [readStack(path.join(directory, name), stack, defaults)];
    }),
  );
  return found.flat();
}

async function readStack(
  file: string,
  stack: string,
  defaults: Readonly<Record<string, unknown>>,
): Promise<DeclaredCluster[]> {
  const raw = { ...defaults, ...holdfastKeys(await read(file), value => value) };
  // A stack of another project, or one that isn't configured yet.
  if (raw.clusters === undefined) return [];
  const parsed = declared.safeParse(raw);
  if (!parsed.success)
    throw new HoldfastError(
      'configuration',
      `${file} can’t be read: ${parsed.error.issues.map(issue => `holdfast:${issue.path.join('.')}: ${issue.message}`).join('; ')}`,
      { hint: 'Every key is explained in docs/configuration.md.' },
    );
  const { environment, clusters, breakGlass } = parsed.data;
  return Object.entries(clusters).map(([name, place]) => ({ name, stack, environment, place, breakGlass }));
}

/** In Pulumi.yaml a value stands by itself, or under `value`, or under `default`. */
function projectDefaults(document: unknown): Record<string, unknown> {
  return holdfastKeys(document, given => {
    if (typeof given !== 'object' || given === null) return given;
    const { value, default: fallback } = given as { value?: unknown; default?: unknown };
    return value ?? fallback;
  });
}

function holdfastKeys(document: unknown, valueOf: (given: unknown) => unknown): Record<string, unknown> {
  const config = (document as { config?: Record<string, unknown> | null } | null)?.config ?? {};
  return Object.fromEntries(
    Object.entries(config).flatMap(([key, given]) => {
      const value = valueOf(given);
      return key.startsWith('holdfast:') && value !== undefined
        ? [[key.slice('holdfast:'.length), value]]
        : [];
    }),
  );
}

async function read(file: string): Promise<unknown> {
  const { parse } = await import('yaml');
  try {
    return parse(await fs.readFile(file, 'utf8')) as unknown;
  } catch (cause) {
    throw new HoldfastError('configuration', `${file} can’t be read: ${(cause as Error).message}`, { cause });
  }
}

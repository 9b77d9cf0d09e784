import * as z from 'zod';
import { parseCron } from '../cron';
import { parseDuration } from '../durations';

/*
 * The kinds of values that settings are made of. Each carries a description and an example in its metadata: the
 * errors and the reference page (docs/configuration.md) are made from these.
 */

/** The issue of a value that is well by itself, but doesn't go together with another: an example would not help. */
export const conflict = (path: PropertyKey[], message: string) => ({
  code: 'custom' as const,
  path,
  message,
  params: { conflict: true },
});

/**
 * A duration with its unit, read as seconds. A codec, so that parsed settings can be checked and written again: see
 * core/specification.ts.
 */
export const duration = (example: string) =>
  z
    .codec(z.string(), z.number().positive(), {
      decode: (text, context) => {
        const seconds = parseDuration(text);
        if (seconds !== undefined && seconds > 0) return seconds;
        context.issues.push({
          code: 'custom',
          input: text,
          message: `${JSON.stringify(text)} is not a duration with a unit (s, min, h, d)`,
        });
        return z.NEVER;
      },
      encode: seconds => `${seconds} s`,
    })
    .meta({ example, kind: 'duration' });

/** A time of five cron fields, in UTC. */
export const cron = (example: string) => schedule(example, cronProblem);

/** A time of five cron fields in UTC, or `never`. */
export const cronOrNever = (example: string) =>
  schedule(example, text => (text === 'never' ? undefined : cronProblem(text)));

const schedule = (example: string, problem: (text: string) => string | undefined) =>
  z
    .string()
    .superRefine((text, context) => {
      const reason = problem(text);
      if (reason !== undefined)
        context.addIssue({
          code: 'custom',
          message: `${JSON.stringify(text)} is not a cron time: ${reason}`,
        });
    })
    .meta({ example, kind: 'cron time' });

function cronProblem(text: string): string | undefined {
  try {
    parseCron(text);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** A name that is safe as a directory, a stanza, a cron file and a resource: lower case, digits, `-`, at most 40. */
export const name = z
  .string()
  .regex(
    /^[a-z](?:[a-z0-9-]{0,38}[a-z0-9])?$/,
    'a name has lower-case letters, digits and "-" inside, begins with a letter and has at most 40 characters',
  )
  .meta({ example: 'shop', kind: 'name' });

/** A PostgreSQL identifier that never needs quotes and can't be mistaken for a system object. */
export const identifier = z
  .string()
  .regex(
    /^(?!pg_|holdfast_)[a-z_][a-z0-9_]{0,50}$/,
    'an identifier has lower-case letters, digits and "_", at most 51 characters, and begins with neither "pg_" nor "holdfast_"',
  )
  .meta({ example: 'shop', kind: 'name' });

/** A PostgreSQL role: an identifier that is no keyword of GRANT. */
export const role = identifier.refine(
  value => !['public', 'none', 'current_user', 'session_user'].includes(value),
  {
    error: 'this name has a meaning of its own in GRANT',
  },
);

/** A user of the operating system; never mistaken for an option. */
export const systemUser = z
  .string()
  .regex(
    /^[a-z_][a-z0-9_.-]{0,31}$/i,
    'a user has letters, digits, "_", "." and "-", and at most 32 characters',
  );

/** Name or address of a machine; never mistaken for an option or a URL. */
export const host = z
  .string()
  .regex(/^[a-z0-9_[:][a-z0-9_.:%\]-]*$/i, 'a name or an address is needed, without scheme and path');

/** One line of text without spaces around it: what pgBackRest's configuration can carry. */
export const line = z
  .string()
  .regex(/^(?!\s)\P{Cc}+(?<!\s)$/u, 'one line without spaces around it is needed');

/** The passphrase of a repository. */
export const passphrase = line.min(16).meta({ secret: true });

/** An absolute path without `..`, other than the root itself. */
export const absolutePath = z
  .string()
  .regex(
    /^(?!.*\/\.\.(?:\/|$))\/[^\p{Cc}]*[^\p{Cc}/]$/u,
    'an absolute path is needed, without ".." and a "/" at its end',
  )
  .meta({ example: '/srv/postgresql/shop', kind: 'absolute path' });

export const port = z.number().int().min(1024).max(65_535).meta({ example: 5442 });

/** An instant with an offset; without one it would mean another moment on another machine. */
export const instant = z.iso
  .datetime({ offset: true, error: 'an ISO-8601 time with an offset is needed' })
  .meta({ example: '2026-01-02T03:04:05Z', kind: 'time with offset' });

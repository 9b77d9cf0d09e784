import { z } from 'zod';
import { CronExpressionParser } from 'cron-parser';
import { parseDuration } from '../durations';

/*
 * The kinds of values that settings are made of. Each carries a description and an example in its metadata: the
 * errors and the reference page (docs/configuration.md) are made from these.
 */

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
    .meta({ example });

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
    .meta({ example });

function cronProblem(text: string): string | undefined {
  const fields = text.trim().split(/\s+/);
  if (fields.length !== 5) return 'five fields are needed (minute, hour, day of month, month, day of week)';
  try {
    CronExpressionParser.parse(text, { tz: 'UTC' }).next();
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
  .meta({ example: 'shop' });

/** A PostgreSQL identifier that never needs quotes and can't be mistaken for a system object. */
export const identifier = z
  .string()
  .regex(
    /^(?!pg_|holdfast_)[a-z_][a-z0-9_]{0,50}$/,
    'an identifier has lower-case letters, digits and "_", at most 51 characters, and begins with neither "pg_" nor "holdfast_"',
  )
  .meta({ example: 'shop' });

export const absolutePath = z
  .string()
  .regex(/^\/[^\0\n]*$/, 'an absolute path is needed')
  .meta({ example: '/srv/postgresql/shop' });

export const port = z.number().int().min(1024).max(65_535).meta({ example: 5442 });

/** An instant with an offset; without one it would mean another moment on another machine. */
export const instant = z.iso
  .datetime({ offset: true, error: 'an ISO-8601 time with an offset is needed' })
  .meta({ example: '2026-01-02T03:04:05Z' });

import * as z from 'zod';
import { duration } from '../core/settings/values';

/** At least a digit that isn't 0: a limit of nothing would switch the rule off. Pulumi's schema too reads it: no look-ahead. */
const positive = /^([0-9]*[1-9][0-9]*(\.[0-9]+)?|0+\.[0-9]*[1-9][0-9]*) ?(s|min|h|d)$/;

/** A limit in the pack's configuration: a duration with its unit, more than 0, read as seconds. */
export const limit = z
  .string()
  .regex(positive, 'a duration of more than 0 with a unit (s, min, h, d) is needed, like "26 h"')
  .pipe(duration('26 h'));

import * as pulumi from '@pulumi/pulumi';
import { parseStack } from '../core/settings/parse';
import type { StackSettings } from '../core/settings/stack';

const prefix = 'holdfast:';

/**
 * The settings of this stack, in clear: which resources there are depends on them. Whatever of them reaches a resource
 * is part of a document that is secret as a whole.
 * @param configuration The whole configuration by full key, as Pulumi hands it to the program.
 * @throws HoldfastError `configuration`, one for all errors.
 */
export function readSettings(
  configuration: Readonly<Record<string, string>> = ownConfiguration(),
): StackSettings {
  const own = Object.entries(configuration).filter(([key]) => key.startsWith(prefix));
  return parseStack(Object.fromEntries(own.map(([key, value]) => [key.slice(prefix.length), value])));
}

/** All keys, so that unknown ones are noticed; pulumi.Config only answers for keys that one already knows. */
const ownConfiguration = (): Record<string, string> => pulumi.runtime.allConfig();

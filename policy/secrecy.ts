import { isMap } from './stack-file';

/** A setting that has to be secret, and is set: its path below `holdfast:`. */
export type SecretSetting = readonly [string, ...string[]];

/** The settings of `raw` that match patterns like `clusters.*.backups.repositories.*.passphrase`; `*` is any name or index. */
export function secretSettings(
  raw: Readonly<Record<string, unknown>>,
  patterns: readonly string[],
): readonly SecretSetting[] {
  return patterns.flatMap(pattern => {
    const [key, ...rest] = pattern.split('.') as [string, ...string[]];
    return below(structured(raw[key]), rest).map((path): SecretSetting => [key, ...path]);
  });
}

/** The paths below `value` that match, of values that are set. */
function below(value: unknown, [key, ...rest]: readonly string[]): string[][] {
  if (value === undefined || value === null) return [];
  if (key === undefined) return [[]];
  return Object.entries(value)
    .filter(([name]) => key === '*' || name === key)
    .flatMap(([name, child]) => below(child, rest).map(path => [name, ...path]));
}

/** How a setting stands in the stack file: `secure:` itself or something around it, in clear, or not at all. */
export function secrecyOf(
  config: Readonly<Record<string, unknown>>,
  [first, ...rest]: SecretSetting,
): 'secure' | 'clear' | 'absent' {
  let at = structured(config[`holdfast:${first}`]);
  for (const key of rest) {
    if (isSecure(at)) return 'secure';
    if (at === undefined || at === null) return 'absent';
    at = (at as Record<string, unknown>)[key];
  }
  if (isSecure(at)) return 'secure';
  return at === undefined || at === null ? 'absent' : 'clear';
}

function isSecure(value: unknown): boolean {
  return isMap(value) && typeof value.secure === 'string' && Object.keys(value).length === 1;
}

/** A structured value may be written as JSON text. */
function structured(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
}

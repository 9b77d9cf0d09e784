import { isMap } from './stack-file';

/** A setting that has to be secret, and is set. */
export interface SecretSetting {
  /** Path below `holdfast:`. */
  readonly path: readonly string[];
}

/** The settings of `raw` that match patterns like `clusters.*.backups.repositories.*.passphrase`; `*` is any name or index. */
export function secretSettings(
  raw: Readonly<Record<string, unknown>>,
  patterns: readonly string[],
): readonly SecretSetting[] {
  const root = Object.fromEntries(Object.entries(raw).map(([key, value]) => [key, structured(value)]));
  return patterns.flatMap(pattern => matches(root, pattern.split('.'), []));
}

function matches(value: unknown, pattern: readonly string[], path: readonly string[]): SecretSetting[] {
  const [key, ...rest] = pattern;
  if (key === undefined) return value === undefined || value === null ? [] : [{ path }];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value)
    .filter(([name]) => key === '*' || name === key)
    .flatMap(([name, child]) => matches(child, rest, [...path, name]));
}

/** How a setting stands in the stack file: `secure:` itself or something around it, in clear, or not at all. */
export function secrecyOf(
  config: Readonly<Record<string, unknown>>,
  { path }: SecretSetting,
): 'secure' | 'clear' | 'absent' {
  const [first, ...rest] = path;
  let at = structured(config[`holdfast:${first ?? ''}`]);
  for (const key of [...rest, undefined]) {
    if (isSecure(at)) return 'secure';
    if (key === undefined) break;
    at = typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[key] : undefined;
  }
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

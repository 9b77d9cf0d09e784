/*
 * The text of postgresql.conf: written and read back.
 */

/** Settings by name, as text. */
export type Settings = Readonly<Record<string, string>>;

const header = [
  '# Written by Holdfast from the stack’s configuration: set `source.settings` there. What is changed here is drift,',
  '# and undone by the next `pulumi up`.',
];

export function renderSettings(settings: Settings): string {
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${quote(value)}`);
  return [...header, ...lines, ''].join('\n');
}

/** A value as the parser of configuration files (guc-file.l) reads it back. */
function quote(value: string): string {
  const escaped = value.replace(/\\/g, '\\\\').replace(/'/g, "''").replace(/\n/g, '\\n');
  return `'${escaped}'`;
}

const line =
  /^\s*([A-Za-z_][A-Za-z0-9_$]*(?:\.[A-Za-z_][A-Za-z0-9_$]*)?)(?:\s*=\s*|\s+)('(?:[^'\\\n]|''|\\.)*'|[^\s#']+)\s*(?:#.*)?$/;

/**
 * Settings of the text of a configuration file, the last one of each name; `include`s as settings of that name. Lines that
 * PostgreSQL would not understand either are left out.
 */
export function parseSettings(text: string): Settings {
  const settings: Record<string, string> = {};
  for (const one of text.split('\n')) {
    const [, name, value] = line.exec(one) ?? [];
    if (name !== undefined && value !== undefined) settings[name.toLowerCase()] = unquote(value);
  }
  return settings;
}

function unquote(value: string): string {
  if (!value.startsWith("'")) return value;
  return value
    .slice(1, -1)
    .replace(/''|\\(.)/g, (match, escaped: string | undefined) =>
      escaped === undefined ? "'" : escaped === 'n' ? '\n' : escaped === 't' ? '\t' : escaped || match,
    );
}

/** Names whose values differ between two sets of settings, in order. */
export function changedSettings(one: Settings, other: Settings): string[] {
  return [...new Set([...Object.keys(one), ...Object.keys(other)])]
    .filter(name => one[name] !== other[name])
    .sort();
}

/** Variables as lines that a POSIX shell evaluates to exactly these values, whatever is in them. */
export function quoted(variables: Readonly<Record<string, string>>): string {
  return Object.entries(variables)
    .map(([name, value]) => `export ${name}='${value.replaceAll("'", `'\\''`)}'`)
    .join('\n');
}

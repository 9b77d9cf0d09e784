const unitSeconds = { s: 1, min: 60, h: 3600, d: 86_400 } as const;
const pattern = /^(\d+(?:\.\d+)?) ?(s|min|h|d)$/;

/** Seconds of a duration with its unit ("90 s", "5 min", "26 h", "7 d"), or undefined when it isn't one. */
export function parseDuration(text: string): number | undefined {
  const match = pattern.exec(text.trim());
  if (!match) return undefined;
  const [, amount, unit] = match;
  return Number(amount) * unitSeconds[unit as keyof typeof unitSeconds];
}

/** A number of seconds as a person says it: the two largest units that matter ("26 h", "1 d 2 h", "3 min 20 s"). */
export function formatDuration(seconds: number): string {
  const sign = seconds < 0 ? '-' : '';
  let rest = Math.round(Math.abs(seconds));
  if (rest > 0 && rest < 172_800 && rest % 3600 === 0) return `${sign}${rest / 3600} h`;
  const parts: string[] = [];
  for (const [unit, size] of [
    ['d', 86_400],
    ['h', 3600],
    ['min', 60],
    ['s', 1],
  ] as const) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count} ${unit}`);
    if (parts.length > 0 && (count === 0 || parts.length === 2)) break;
  }
  return parts.length === 0 ? '0 s' : sign + parts.join(' ');
}

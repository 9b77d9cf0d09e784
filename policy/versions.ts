/**
 * Whether a declared version (`16`, `16.3`) is lower than the one that runs (`16.4`). What the declared one leaves open is
 * whatever runs.
 */
export function isLower(declared: string, running: string): boolean {
  const [wanted, found] = [numbersOf(declared), numbersOf(running)];
  const differing = wanted.findIndex((number, index) => number !== found[index]);
  return differing !== -1 && differing < found.length && Number(wanted[differing]) < Number(found[differing]);
}

/** `11.22-rds.20240418` is 11.22 with repairs of RDS's own. */
function numbersOf(version: string): number[] {
  return /^\d+(\.\d+)*/.exec(version)?.[0].split('.').map(Number) ?? [];
}

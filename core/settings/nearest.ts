/** The known word that was probably meant; undefined when none is near. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const [best] = known
    .map(candidate => ({ candidate, distance: distance(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(entry => entry.distance <= Math.max(2, Math.floor(word.length / 3)))
    .sort((a, b) => a.distance - b.distance);
  return best?.candidate;
}

/** Levenshtein's distance: how many letters have to be inserted, deleted or replaced. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [index, letter] of a.split('').entries()) {
    let left = index + 1;
    let diagonal = index;
    row = row.map((above, column) => {
      if (column > 0) {
        left = Math.min(above + 1, left + 1, diagonal + (letter === b[column - 1] ? 0 : 1));
        diagonal = above;
      }
      return left;
    });
  }
  return Math.min(...row.slice(-1));
}

/** The candidates that a mistyped word may have meant, nearest first: at most a third of its letters differ. */
export function suggest(word: string, candidates: Iterable<string>): string[] {
  const lower = word.toLowerCase();
  const near: { readonly candidate: string; readonly distance: number }[] = [];
  for (const candidate of new Set(candidates)) {
    const distance = editDistance(lower, candidate.toLowerCase());
    if (distance <= Math.max(1, Math.floor(candidate.length / 3))) near.push({ candidate, distance });
  }
  return near.toSorted((a, b) => a.distance - b.distance).map(({ candidate }) => candidate);
}

/** How many letters must be inserted, dropped, replaced or swapped with their neighbour to turn one word into the other. */
export function editDistance(from: string, to: string): number {
  // A word that long is no slip of the fingers; the table must not grow with what somebody pastes.
  if (Math.abs(from.length - to.length) > 8) return Math.max(from.length, to.length);
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const same = from[row - 1] === to[column - 1];
      let cost = Math.min((last[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, (last[column - 1] ?? 0) + (same ? 0 : 1));
      const swapped = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (swapped) cost = Math.min(cost, (beforeLast[column - 2] ?? 0) + 1);
      current.push(cost);
    }
    beforeLast = last;
    last = current;
  }
  return last[to.length] ?? 0;
}

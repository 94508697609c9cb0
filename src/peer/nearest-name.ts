/** The name that somebody most likely meant, or nothing if none is near. A beginning of a name is nearest of all. */
export function nearestName(typed: string, names: Iterable<string>): string | undefined {
  const wanted = typed.normalize("NFC").toLowerCase();
  let nearest: string | undefined;
  let least = Math.floor(wanted.length / 3) + 1;
  for (const name of names) {
    const folded = name.toLowerCase();
    const steps = wanted !== "" && folded.startsWith(wanted) ? 0 : distance(wanted, folded, least);
    if (steps >= least) continue;
    nearest = name;
    least = steps;
  }
  return nearest;
}

/** Letters to add, leave out, replace or swap with their neighbour to get from one text to the other; at most `most`. */
function distance(from: string, to: string, most: number): number {
  if (Math.abs(from.length - to.length) >= most) return most;
  let twoAgo: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      const swapped = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      current[column] = Math.min(
        (last[column] ?? most) + 1,
        (current[column - 1] ?? most) + 1,
        (last[column - 1] ?? most) + (same ? 0 : 1),
        swapped ? (twoAgo[column - 2] ?? most) + 1 : most,
      );
    }
    twoAgo = last;
    last = current;
  }
  return Math.min(most, last[to.length] ?? most);
}

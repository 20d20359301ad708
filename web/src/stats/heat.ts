const levels = 5;

/**
 * levelsOf shades counts by their rank, 1 to 5, so that one busy hour does not make all
 * others pale: a fifth of the hours in which anything happened have each shade.
 */
export function levelsOf(counts: readonly number[]): (count: number) => number {
  const some = counts.filter((count) => count > 0).sort((a, b) => a - b);
  const ends = Array.from(
    { length: levels - 1 },
    (_, i) => some[Math.ceil((some.length * (i + 1)) / levels) - 1] ?? 0,
  );
  return (count) => (count === 0 ? 0 : 1 + ends.filter((end) => count > end).length);
}

// The vertebrae in their order, to say what lies above and below the one that is asked for.

const row = (letter, count) => Array.from({ length: count }, (_, n) => `${letter}${n + 1}`);

const LEVELS = [...row("C", 7), ...row("T", 12), ...row("L", 5), "S1"];

/** [above, below] of a level; null where there is none, or the name is no level. */
export function neighbours(level) {
  const at = LEVELS.indexOf(level);
  return at === -1 ? [null, null] : [LEVELS[at - 1] ?? null, LEVELS[at + 1] ?? null];
}

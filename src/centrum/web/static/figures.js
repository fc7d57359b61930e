// Numbers of agreement as they are written: with their sign, and their unit where it is not in the head.

export const MINUS = "−";

export const dice = (value) => value.toFixed(3);

/** With its sign; zero has none. */
export function signed(value, digits = 1) {
  const written = Math.abs(value).toFixed(digits);
  if (Number(written) === 0) return written;
  return (value < 0 ? MINUS : "+") + written;
}

/** A distance; a dash where only one has an outline. */
export const distance = (mm) => (mm === null ? "–" : mm.toFixed(2));

export const withUnit = (written, unit) => (written === "–" ? written : `${written} ${unit}`);

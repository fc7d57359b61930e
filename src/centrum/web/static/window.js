// The window that fits the level: other presets are of the whole series, in which fat is so bright
// that marrow is nearly black.

/** Name of that window among the presets. */
export const LEVEL = "level";

/** mm around the marker whose greys count: the body, its discs, the canal. */
const AROUND = 30;

const SHARES = [0.01, 0.99];

/** [low, high] in intensities; of the whole series where no level was placed. */
export function levelWindow({ level, image, rows, columns, seen }) {
  if (!level) return [seen.windows[0].low, seen.windows[0].high];
  const [, dy, dx] = seen.spacing;
  const [top, bottom] = span(level.y, AROUND / dy, rows);
  const [left, right] = span(level.x, AROUND / dx, columns);
  const values = [];
  for (let i = top; i < bottom; i += 1) {
    const start = (level.slice * rows + i) * columns;
    values.push(...image.subarray(start + left, start + right));
  }
  values.sort((a, b) => a - b);
  return SHARES.map((share) =>
    values[Math.floor(share * (values.length - 1))] * seen.scale.slope + seen.scale.intercept);
}

const span = (middle, reach, count) => [Math.max(0, Math.floor(middle - reach)),
  Math.min(count, Math.ceil(middle + reach) + 1)];

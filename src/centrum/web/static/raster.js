// Polygons, runs and masks of one slice: the same rule, in the same order of operations, as
// centrum.reading.raster. The centre of pixel (row i, column j) lies at (j, i). The server's result
// wins; this side is for the hand, which cannot wait for it.

/** Crossings of row `i` by the edges of one polygon. */
function crossings(polygon, i, into) {
  for (let n = 0; n < polygon.length; n += 1) {
    const [x0, y0] = polygon[n];
    const [x1, y1] = polygon[(n + 1) % polygon.length];
    if ((y0 <= i) !== (y1 <= i)) into.push(x0 + (i - y0) * (x1 - x0) / (y1 - y0));
  }
}

/** First pixel centre that is not left of a crossing: pixel j is left of it while j < crossing. */
const firstFrom = (crossing, columns) => Math.min(columns, Math.max(0, Math.ceil(crossing)));

/** Mask (Uint8Array, row-major) of polygons by even-odd, all together. */
export function maskOfPolygons(polygons, rows, columns) {
  const mask = new Uint8Array(rows * columns);
  for (let i = 0; i < rows; i += 1) {
    const found = [];
    for (const polygon of polygons) crossings(polygon, i, found);
    if (found.length) paintRow(mask, i * columns, columns, found);
  }
  return mask;
}

/** A pixel is inside when an odd number of crossings lies to its right. */
function paintRow(mask, start, columns, found) {
  found.sort((a, b) => a - b);
  for (let n = 0; n + 1 < found.length; n += 2) {
    const from = firstFrom(found[n], columns);
    const to = firstFrom(found[n + 1], columns);
    if (to > from) mask.fill(1, start + from, start + to);
  }
}

/** Runs [start, length, ...] of a mask; runs that touch are one, also across the end of a row. */
export function runsOfMask(mask) {
  const runs = [];
  let at = mask.indexOf(1);
  while (at !== -1) {
    let end = mask.indexOf(0, at);
    if (end === -1) end = mask.length;
    runs.push(at, end - at);
    at = mask.indexOf(1, end);
  }
  return runs;
}

export function maskOfRuns(runs, rows, columns) {
  const mask = new Uint8Array(rows * columns);
  for (let n = 0; n < runs.length; n += 2) mask.fill(1, runs[n], runs[n] + runs[n + 1]);
  return mask;
}

/** Mask of a slice's content: polygons, runs, "nobody" or nothing. */
export function maskOf(content, rows, columns) {
  if (content?.kind === "polygons") return maskOfPolygons(content.polygons, rows, columns);
  if (content?.kind === "runs") return maskOfRuns(content.runs, rows, columns);
  return new Uint8Array(rows * columns);
}

export const runsOf = (content, rows, columns) => runsOfMask(maskOf(content, rows, columns));

/** First 16 hexadecimal digits of SHA-256 over "ROWSxCOLUMNS:run,run,...". */
export async function digestOf(runs, rows, columns) {
  const text = new TextEncoder().encode(`${rows}x${columns}:${runs.join(",")}`);
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", text));
  return [...bytes.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Paints every pixel whose centre is at most `radius` mm from the segment a-b (points in pixels).
 * A capsule between two events leaves no gap, however fast the hand was; distances are in mm, so
 * that the brush is round on pixels that are not square.
 */
export function paintCapsule(mask, rows, columns, a, b, radius, spacing, value) {
  const [dy, dx] = spacing;
  const reachX = radius / dx;
  const reachY = radius / dy;
  const top = Math.max(0, Math.ceil(Math.min(a[1], b[1]) - reachY));
  const bottom = Math.min(rows - 1, Math.floor(Math.max(a[1], b[1]) + reachY));
  const left = Math.max(0, Math.ceil(Math.min(a[0], b[0]) - reachX));
  const right = Math.min(columns - 1, Math.floor(Math.max(a[0], b[0]) + reachX));
  for (let i = top; i <= bottom; i += 1) {
    for (let j = left; j <= right; j += 1) {
      if (squaredDistance(j, i, a, b, dx, dy) <= radius * radius) mask[i * columns + j] = value;
    }
  }
}

/** Squared distance in mm of pixel centre (j, i) from the segment a-b. */
function squaredDistance(j, i, a, b, dx, dy) {
  const ux = (b[0] - a[0]) * dx;
  const uy = (b[1] - a[1]) * dy;
  const px = (j - a[0]) * dx;
  const py = (i - a[1]) * dy;
  const length = ux * ux + uy * uy;
  const t = length > 0 ? Math.min(1, Math.max(0, (px * ux + py * uy) / length)) : 0;
  const ex = px - t * ux;
  const ey = py - t * uy;
  return ex * ex + ey * ey;
}

/**
 * Border of a mask along the edges of its pixels: closed loops of corners [x, y], pixels within on
 * their right. Filled by even-odd they are the mask again.
 */
export function loopsOf(mask, rows, columns) {
  const next = edgesOf(mask, rows, columns);
  const loops = [];
  for (const start of next.keys()) {
    while (next.get(start)?.length) loops.push(followed(next, start, columns + 1));
  }
  return loops;
}

/** Unit edges between inside and outside: corner -> corners that follow it. */
function edgesOf(mask, rows, columns) {
  const wide = columns + 1;
  const next = new Map();
  const edge = (from, to) => (next.get(from) ?? next.set(from, []).get(from)).push(to);
  const inside = (i, j) => i >= 0 && j >= 0 && i < rows && j < columns && mask[i * columns + j] === 1;
  for (let at = mask.indexOf(1); at !== -1; at = mask.indexOf(1, at + 1)) {
    const j = at % columns;
    const i = (at - j) / columns;
    const corner = i * wide + j;
    if (!inside(i - 1, j)) edge(corner, corner + 1);
    if (!inside(i, j + 1)) edge(corner + 1, corner + 1 + wide);
    if (!inside(i + 1, j)) edge(corner + 1 + wide, corner + wide);
    if (!inside(i, j - 1)) edge(corner + wide, corner);
  }
  return next;
}

function followed(next, start, wide) {
  const loop = [];
  let corner = start;
  do {
    loop.push([(corner % wide) - 0.5, Math.floor(corner / wide) - 0.5]);
    corner = next.get(corner).pop();
  } while (corner !== start);
  return loop;
}

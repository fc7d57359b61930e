// What the tools that draw outlines share.

import { maskOf, maskOfPolygons, runsOfMask } from "../raster.js";

/** Points closer than this to the one before (in pixels) add nothing to an outline. */
export const NEAREST = 0.25;

export const LONGEST = 2000;

const meet = (a, b) => a.some((value, n) => value && b[n]);

/**
 * Content of a slice after a new outline: it replaces the pieces that it overlaps and leaves those
 * apart from it. Drawing an outline anew is drawing over it; nothing has to be deleted first, and two
 * outlines never cancel each other by even-odd.
 */
export function withOutline(content, outline, rows, columns) {
  const drawn = maskOfPolygons([outline], rows, columns);
  const only = { kind: "polygons", polygons: [outline] };
  if (content?.kind === "polygons") {
    const apart = content.polygons.filter((one) => !meet(maskOfPolygons([one], rows, columns), drawn));
    return { kind: "polygons", polygons: [...apart, outline] };
  }
  if (content?.kind !== "runs") return only;
  const painted = maskOf(content, rows, columns);
  if (meet(painted, drawn)) return only;
  return { kind: "runs", runs: runsOfMask(painted.map((value, n) => value | drawn[n])) };
}

/** Points within what the server takes: at most a pixel outside the slice. */
export const within = ([x, y], rows, columns, least = -1) =>
  [Math.min(columns, Math.max(least, x)), Math.min(rows, Math.max(least, y))];

/** Takes every second point until the outline is short enough. */
export function shortened(points, longest = LONGEST) {
  let kept = points;
  while (kept.length > longest) kept = kept.filter((_, n) => n % 2 === 0);
  return kept;
}

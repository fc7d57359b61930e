// Two signed readings of one case as the study's lead sees them.

import * as api from "./api.js";
import { maskOfRuns } from "./raster.js";

export async function openPair({ a, b }) {
  const [seen, image] = await Promise.all([api.comparedPair(a, b), api.comparedPixels(a, b)]);
  return new Pair(seen, image);
}

/** "anna case 3 · ben case 5": the number of the case on the worklist of each. */
export const pairName = ({ readers, numbers }) =>
  readers.map((name, n) => `${name} case ${numbers[n]}`).join(" · ");

export class Pair {
  constructor(seen, image) {
    const [slices, rows, columns] = seen.shape;
    Object.assign(this, { seen, image, slices, rows, columns, masks: new Map() });
    this.outlines = new Map(seen.outlines.map((one) => [one.slice, one]));
  }

  /** Where the first of them placed the level. */
  get level() {
    return this.seen.marks.find(Boolean) ?? null;
  }

  /** The slice on which they agree least. */
  get worst() {
    return this.seen.outlines.toSorted((one, other) => one.dice - other.dice)[0].slice;
  }

  /** {a, b, onlyA, onlyB} of a slice that either has outlined, counted once. */
  masksOf(k) {
    if (!this.outlines.has(k)) return null;
    if (!this.masks.has(k)) this.masks.set(k, this.counted(this.outlines.get(k)));
    return this.masks.get(k);
  }

  counted(outline) {
    const [a, b] = [outline.a, outline.b].map((runs) => maskOfRuns(runs, this.rows, this.columns));
    const without = (one, other) => one.map((value, n) => value & (1 - other[n]));
    return { a, b, onlyA: without(a, b), onlyB: without(b, a) };
  }

  /** What a slice of the consensus would be. */
  taken(k, take) {
    const masks = this.masksOf(k);
    if (!masks || !take) return null;
    const { a, b } = masks;
    if (take === "union") return a.map((value, n) => value | b[n]);
    if (take === "intersection") return a.map((value, n) => value & b[n]);
    return take === this.seen.readers[0] ? a : b;
  }
}

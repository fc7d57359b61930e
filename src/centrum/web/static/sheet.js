// All slices of a case beside each other with the outlines of both, around what they have outlined.
// The study's lead alone sees it, of cases that two have signed.

import { paintValues, Pen, valuesOf } from "./canvas.js";
import { ask, h } from "./dom.js";
import { dice } from "./figures.js";
import { pairName } from "./pair.js";
import { greys, View } from "./view.js";

/** CSS pixels of a picture, each way. */
const SIDE = 216;

/** mm around all outlines. */
const MARGIN = 10;

/**
 * Answers with the slice that was chosen, null for none. `look` has the window, `style` the colours;
 * `paint(pen, k)` draws the outlines of a slice.
 */
export async function showSheet(pair, look, style, paint) {
  const [a, b] = pair.seen.readers;
  const view = around(pair);
  view.window(look.low, look.high);
  const table = greys(view, pair.seen.scale);
  const pictures = Array.from({ length: pair.slices }, (_, k) => {
    const canvas = picture(pair, k, view, table);
    paint(new Pen(canvas.getContext("2d"), view, style), k);
    return cell(pair, k, canvas);
  });
  const legend = h("p", {}, `${a}: solid. ${b}: dashed. Hatched: of one alone.`);
  const chosen = await ask(`All slices: ${pairName(pair.seen)}`,
    [legend, h("div", { class: "slices" }, pictures)],
    [{ label: "Close", value: "", main: true }], { class: "sheet" });
  return chosen === null ? null : Number(chosen);
}

/** A view of the smallest square around all outlines. */
function around({ seen, rows, columns }) {
  const [, dy, dx] = seen.spacing;
  const box = { left: columns, right: 0, top: rows, bottom: 0 };
  for (const { a, b } of seen.outlines) {
    for (const runs of [a, b]) widen(box, runs, columns);
  }
  const wide = (box.right - box.left + 1) * dx + 2 * MARGIN;
  const high = (box.bottom - box.top + 1) * dy + 2 * MARGIN;
  const view = new View(rows, columns, [dy, dx]);
  const middle = [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
  view.show(middle, SIDE / Math.max(wide, high), SIDE, SIDE);
  return view;
}

/** A run that goes on in the next row, from one edge of the slice to the other, is as wide as the slice. */
function widen(box, runs, columns) {
  for (let n = 0; n < runs.length; n += 2) {
    const [first, last] = [runs[n], runs[n] + runs[n + 1] - 1];
    const [top, bottom] = [first, last].map((at) => Math.floor(at / columns));
    box.top = Math.min(box.top, top);
    box.bottom = Math.max(box.bottom, bottom);
    box.left = Math.min(box.left, top === bottom ? first % columns : 0);
    box.right = Math.max(box.right, top === bottom ? last % columns : columns - 1);
  }
}

function picture(pair, k, view, table) {
  const slice = h("canvas", { width: pair.columns, height: pair.rows });
  paintValues(slice, valuesOf(pair.image, pair, k), table);
  const side = Math.round(SIDE * devicePixelRatio);
  const canvas = h("canvas", { width: side, height: side, "aria-hidden": "true" });
  const context = canvas.getContext("2d");
  context.scale(side / SIDE, side / SIDE);
  context.drawImage(slice, view.panX, view.panY, pair.columns * view.scaleX, pair.rows * view.scaleY);
  return canvas;
}

function cell(pair, k, canvas) {
  const one = pair.outlines.get(k);
  return h("button", { value: String(k), class: "quiet" }, canvas,
    h("span", {}, `Slice ${k + 1} · ${one ? `Dice ${dice(one.dice)}` : "no outline"}`));
}

// The slices beside the slice: a small picture of each, what it is (in words and by a sign), and
// which is shown.

import { h } from "./dom.js";
import { greys } from "./view.js";

const WIDE = 56;

export const STATES = {
  drawn: ["●", "drawn"],
  filled: ["◍", "filled"],
  filled_corrected: ["●", "corrected"],
  proposed: ["◍", "proposed"],
  proposed_corrected: ["●", "corrected"],
  nobody: ["∅", "no body"],
  open: ["○", "to do"],
};

/** Key into STATES of a slice. */
export function stateOf(reading, k) {
  return reading.content(k) === null ? "open" : reading.provenance(k) ?? "drawn";
}

export class Strip {
  constructor(reading, choose) {
    this.reading = reading;
    this.items = Array.from({ length: reading.slices }, (_, k) => this.item(k, choose));
    this.element = h("nav", { class: "strip", "aria-label": "Slices" },
      h("ol", {}, this.items.map(({ row }) => row)));
    this.dirty = new Set(this.items.keys());
  }

  item(k, choose) {
    const [, dy, dx] = this.reading.seen.spacing;
    const { rows, columns } = this.reading;
    const high = Math.max(1, Math.round((WIDE * rows * dy) / (columns * dx)));
    const picture = h("canvas", { width: WIDE, height: high, "aria-hidden": "true" });
    const sign = h("span", { class: "sign", "aria-hidden": "true" });
    const words = h("span", { class: "words" });
    const chosen = h("button", { type: "button", onclick: () => choose(k) }, picture,
      h("span", { class: "caption" },
        h("span", { class: "number" }, h("span", { class: "hidden" }, "slice "), `${k + 1}`),
        " ", sign, " ", words));
    return { row: h("li", {}, chosen), chosen, picture, sign, words };
  }

  /** Pictures in the window of the slice; all of them are drawn anew when it has changed. */
  paint(view, scale) {
    const table = greys(view, scale);
    this.items.forEach(({ picture }, k) => this.picture(picture, k, table));
  }

  picture(canvas, k, table) {
    const { rows, columns, image } = this.reading;
    const { width, height } = canvas;
    const context = canvas.getContext("2d");
    const data = context.createImageData(width, height);
    const pixels = new Uint32Array(data.data.buffer);
    for (let n = 0; n < pixels.length; n += 1) {
      const i = Math.floor(((Math.floor(n / width) + 0.5) * rows) / height);
      const j = Math.floor((((n % width) + 0.5) * columns) / width);
      pixels[n] = table[image[(k * rows + i) * columns + j] + 32768] * 0x010101 + 0xff000000;
    }
    context.putImageData(data, 0, 0);
  }

  /** Scrolls the strip, and not the page around it. */
  reveal(current) {
    const { element } = this;
    const [box, row] = [element.getBoundingClientRect(), this.items[current].row.getBoundingClientRect()];
    element.scrollTop += Math.min(0, row.top - box.top) + Math.max(0, row.bottom - box.bottom);
    element.scrollLeft += Math.min(0, row.left - box.left) + Math.max(0, row.right - box.right);
  }

  /** `marks`: of slices that are not told by their state, another key, or a sign with its words. */
  update(current, marks = new Map()) {
    this.items.forEach(({ row, chosen, sign, words }, k) => {
      const state = marks.get(k) ?? stateOf(this.reading, k);
      const [shape, text] = Array.isArray(state) ? state : STATES[state] ?? ["◇", state];
      row.dataset.state = state;
      sign.textContent = shape;
      words.textContent = text;
      if (k === current) chosen.setAttribute("aria-current", "true");
      else chosen.removeAttribute("aria-current");
    });
    this.reveal(current);
  }
}

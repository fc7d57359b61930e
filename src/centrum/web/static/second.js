// Another sequence beside the slice, where the study shows it: the same slice, linked in view.

import * as api from "./api.js";
import { Pane } from "./canvas.js";
import { h } from "./dom.js";

/** Adds a choice of sequence to an editor whose study allows it. */
export function offer(editor) {
  const { sequences = [] } = editor.reading.seen;
  if (!sequences.length) return;
  const choice = h("select", { id: "sequence", onchange: () => choose(editor, choice.value) },
    h("option", { value: "" }, "none"), sequences.map((name) => h("option", { value: name }, name)));
  editor.element.querySelector(".bar-right").prepend(h("label", { class: "sequence", for: "sequence" }, "Beside it ", choice));
}

async function choose(editor, name) {
  editor.other?.close();
  editor.other = null;
  if (!name) return;
  const values = await editor.attempt(() => api.pixels(editor.reading.token, name));
  if (!values) return;
  editor.other = new Second(editor, name, values);
  editor.other.show(editor.bench.slice);
  editor.focus();
}

class Second {
  constructor(editor, name, values) {
    const { reading } = editor;
    const { seen } = reading;
    Object.assign(this, { editor, values, size: reading.rows * reading.columns });
    this.pane = new Pane({ ...reading, spacing: seen.spacing, scale: { slope: 1, intercept: 0 }, orientation: seen.orientation, label: name }, h);
    this.pane.view.window(...range(values));
    this.pane.overlay.tabIndex = -1;
    this.pane.onresize = () => this.follow();
    this.pane.painter = (pen) => editor.reading.level && pen.marker([editor.reading.level.x, editor.reading.level.y], name, "faint");
    this.element = h("div", { class: "stage beside" }, this.pane.element);
    editor.element.querySelector(".panes").append(this.element);
  }

  show(k) {
    this.pane.show(this.values.subarray(k * this.size, (k + 1) * this.size));
    this.follow();
  }

  /** The same voxel in the middle, at the same zoom. */
  follow() {
    const { view, width, height } = this.editor.pane;
    const middle = [(width / 2 - view.panX) / view.scaleX - 0.5, (height / 2 - view.panY) / view.scaleY - 0.5];
    this.pane.view.show(middle, view.zoom, this.pane.width, this.pane.height);
    this.pane.redraw("image", "overlay");
  }

  close() {
    this.pane.close();
    this.element.remove();
  }
}

/** From the 1st to the 99th percentile of a sample: another sequence has another scale. */
function range(values) {
  const sample = values.filter((_, n) => n % 97 === 0).toSorted();
  return [sample[Math.floor(sample.length * 0.01)], sample[Math.floor(sample.length * 0.99)]];
}

// Another sequence beside the slice, where the study shows it: the same slice, linked in view.

import * as api from "./api.js";
import { Pane } from "./canvas.js";
import { h } from "./dom.js";

/** Adds a choice of sequence to an editor whose study allows it. */
export function offer(editor) {
  const { sequences = [] } = editor.reading.seen;
  if (!sequences.length) return;
  const choice = h("select", { id: "sequence", onchange: () => choose(editor, choice) },
    h("option", { value: "" }, "none"), sequences.map((name) => h("option", { value: name }, name)));
  const label = h("label", { class: "sequence", for: "sequence" }, "Beside it ", choice);
  editor.element.querySelector(".bar-right").prepend(label);
}

/** Unless another one was chosen meanwhile, or the case was left. */
async function choose(editor, choice) {
  const name = choice.value;
  editor.other?.close();
  editor.other = null;
  if (!name) return;
  const { token } = editor.reading;
  const got = await editor.attempt(() => Promise.all([api.sequence(token, name), api.pixels(token, name)]));
  if (choice.value !== name || !choice.isConnected) return;
  if (!got) {
    choice.value = "";
    return;
  }
  editor.other = new Second(editor, ...got);
  editor.other.show(editor.bench.slice);
  editor.focus();
}

class Second {
  /** `view`: {name, scale, windows} of the sequence; its window is the first of its own. */
  constructor(editor, { name, scale, windows }, values) {
    const { reading } = editor;
    const { spacing, orientation } = reading.seen;
    Object.assign(this, { editor, values });
    this.pane = new Pane({ ...reading, spacing, scale, orientation, label: name }, h);
    this.pane.view.window(windows[0].low, windows[0].high);
    this.pane.overlay.tabIndex = -1;
    this.pane.onresize = () => this.follow();
    this.pane.painter = (pen) => {
      const { level } = editor.reading;
      if (level) pen.marker([level.x, level.y], name, "faint");
    };
    this.element = h("div", { class: "stage beside" }, this.pane.element);
    editor.element.querySelector(".panes").append(this.element);
  }

  show(k) {
    this.pane.show(this.values, k);
    this.follow();
  }

  /** The same voxel in the middle, at the same zoom. */
  follow() {
    const { view, width, height } = this.editor.pane;
    const middle = [(width / 2 - view.panX) / view.scaleX - 0.5,
      (height / 2 - view.panY) / view.scaleY - 0.5];
    this.pane.view.show(middle, view.zoom, this.pane.width, this.pane.height);
    this.pane.redraw("image", "overlay");
  }

  close() {
    this.pane.close();
    this.element.remove();
  }
}

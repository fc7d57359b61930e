// After a training case: how far the reader's outline lies from the known truth, as numbers and as
// a picture. Real cases have no such screen.

import { Pane } from "./canvas.js";
import { button, h } from "./dom.js";
import { listen } from "./keys.js";
import { Look, VIEW } from "./look.js";
import { maskOfRuns } from "./raster.js";
import { say } from "./speech.js";
import { Strip } from "./strip.js";
import { levelWindow } from "./window.js";

/** mm within which an outline is said to lie on the true one. */
const ON_THE_LINE = 0.05;

export class Result {
  /** `go`: {next, worklist}. */
  constructor(reading, result, title, go) {
    Object.assign(this, { reading, result, go, slice: 0 });
    const { seen } = reading;
    const { spacing, scale, orientation } = seen;
    this.pane = new Pane({ ...reading, spacing, scale, orientation, label: title }, h);
    this.truth = result.slices.map((runs) => maskOfRuns(runs ?? [], reading.rows, reading.columns));
    this.strip = new Strip(reading, (k) => this.show(k));
    this.lay(title);
    this.listen();
    this.pane.view.window(...levelWindow(reading));
    this.strip.paint(this.pane.view, seen.scale);
    this.show(reading.level?.slice ?? Math.floor(reading.slices / 2));
  }

  lay(title) {
    const { passed, dice, mean_signed_mm: distance, pass_dice: asked } = this.result;
    this.where = h("p", { class: "readout", "aria-hidden": "true" });
    this.element = h("div", { class: "editor result" },
      h("header", { class: "case" }, h("div", { class: "bar-left" },
        button("Worklist", "", this.go.worklist, { class: "quiet" }),
        h("h1", { tabindex: -1 }, `${title}: result`))),
      this.strip.element,
      h("div", { class: "middle" },
        h("div", { class: "panes" }, h("div", { class: "stage" }, this.pane.element, this.where))),
      h("aside", { class: "palette", "aria-label": "Result" },
        h("p", { class: passed ? "verdict passed" : "verdict failed" },
          passed ? "✓ Passed" : "Below the mark"),
        h("dl", { class: "figures" },
          h("div", {}, h("dt", {}, "Dice"), h("dd", {}, dice.toFixed(3))),
          h("div", {}, h("dt", {}, "Mean signed distance"),
            h("dd", {}, `${distance > 0 ? "+" : "−"}${Math.abs(distance).toFixed(2)} mm`))),
        h("p", {}, sense(distance)),
        asked ? h("p", { class: "small" }, `The study asks for a Dice of ${asked.toFixed(2)}.`) : null,
        h("ul", { class: "legend" }, h("li", { class: "own" }, "yours: solid, hatched"),
          h("li", { class: "truth" }, "true: dashed")),
        button("Next case", "N", this.go.next, { class: "main" })));
  }

  listen() {
    const step = (by) => this.show(this.slice + by);
    this.stop = listen([
      { keys: ["PageDown", ".", "ArrowDown"], run: () => step(1) },
      { keys: ["PageUp", ",", "ArrowUp"], run: () => step(-1) },
      { keys: ["N"], run: () => this.go.next() },
    ], () => true);
    this.look = new Look(this.pane, {
      step, window: (dx, dy) => this.windowBy(dx, dy), changed: () => this.pane.redraw("image", "overlay"),
    });
    this.pane.painter = (pen) => this.paint(pen);
    this.pane.onresize = () => this.fit();
  }

  windowBy(dx, dy) {
    const { low, high } = this.reading.seen.windows[0];
    this.pane.view.dragWindow(dx, dy, high - low);
    this.pane.rewindow();
  }

  fit() {
    const { view, width, height } = this.pane;
    view.around(this.reading.level, VIEW, width, height);
  }

  show(k) {
    const { reading } = this;
    this.slice = Math.min(reading.slices - 1, Math.max(0, k));
    this.pane.show(reading.image, this.slice);
    this.strip.update(this.slice);
    this.where.textContent = `Slice ${this.slice + 1} / ${reading.slices}`;
    say(`slice ${this.slice + 1} of ${reading.slices}`);
  }

  paint(pen) {
    pen.mask(this.reading.mask(this.slice), "own", { border: true });
    pen.mask(this.truth[this.slice], "truth", { border: true, dash: [6, 4], leaning: -1 });
  }

  close() {
    this.stop();
    this.pane.close();
    this.reading.close();
  }
}

function sense(distance) {
  if (Math.abs(distance) < ON_THE_LINE) return "On average your outline lies on the true one.";
  return distance > 0 ? "On average your outline lies outside the true one."
    : "On average your outline lies inside the true one.";
}

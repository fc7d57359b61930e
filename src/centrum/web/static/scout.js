// Before the first stroke: on the whole series, the reader shows which body is the one asked for.

import { h } from "./dom.js";
import { say } from "./speech.js";

/** A bar over the slice that asks for the level; `confirm(slice, voxel)` ends it. */
export class Scout {
  constructor(bench, level, confirm) {
    Object.assign(this, { bench, level, done: confirm, marked: null, aimed: false });
    this.text = h("p", {});
    this.yes = h("button", { type: "button", class: "main", onclick: () => this.confirm() },
      `This is ${level} `,
      h("kbd", { "aria-hidden": "true" }, "Enter"));
    this.element = h("section", { class: "bar scout", "aria-label": "Level" }, this.text,
      h("div", { class: "choices" }, this.yes));
    this.update();
  }

  name = "level";
  cursor = "crosshair";

  update() {
    this.yes.hidden = this.marked === null;
    this.text.replaceChildren(...(this.marked
      ? [`Marked on slice ${this.marked.slice + 1}. Look at it on other slices, click again to move it, `
        + "then confirm."]
      : ["Where is ", h("strong", {}, this.level),
        "? Click the middle of its body, on the slice on which you see it best. "
        + "The whole series is shown: count from below and from above."]));
  }

  down(point) {
    if (this.bench.holds(point)) this.mark(point);
    else say("Click on the image.");
  }

  mark(point) {
    this.marked = { slice: this.bench.slice, point };
    this.aimed = false;
    say(`marked on slice ${this.bench.slice + 1}; Enter confirms`);
    this.update();
    this.bench.draw();
  }

  crosshairMoved() {
    this.aimed = true;
  }

  /** Enter sets the marker where the crosshair has been moved to; the next one confirms it. */
  enter(point) {
    if (this.marked && !this.aimed) this.confirm();
    else this.mark(point);
  }

  /** Enter of a hand that holds the mouse confirms where it clicked. */
  conclude() {
    if (!this.marked) return false;
    this.confirm();
    return true;
  }

  confirm() {
    if (this.marked) this.done(this.marked.slice, this.marked.point);
  }

  draw(pen) {
    if (!this.marked) return;
    const here = this.marked.slice === this.bench.slice;
    pen.marker(this.marked.point, here ? this.level : `${this.level} (slice ${this.marked.slice + 1})`,
      "marker");
  }
}

// GrowCut: strokes in the body and strokes around it; the server says which pixels the inner ones win.
// What it says is shown and changes with every stroke; nothing is recorded until it is accepted.

import { button } from "../dom.js";
import { maskOfRuns, paintCapsule, runsOfMask } from "../raster.js";

const KINDS = ["inside", "outside"];

export class GrowCut {
  name = "growcut";
  cursor = "none";

  /** The second button of a mouse strokes outside. */
  second = true;

  constructor(bench) {
    Object.assign(this, { bench, hover: null, visit: 0 });
    this.forget();
  }

  forget() {
    Object.assign(this, {
      strokes: null, past: [], last: null, kind: null, byKey: false, offered: null, asked: 0,
    });
  }

  down(point, event) {
    const blank = () => new Uint8Array(this.bench.rows * this.bench.columns);
    this.past.push(this.strokes);
    this.strokes = Object.fromEntries(KINDS.map((kind) => [kind, this.strokes?.[kind].slice() ?? blank()]));
    this.kind = event?.ctrlKey || event?.metaKey || event?.button === 2 ? "outside" : "inside";
    this.last = point;
    this.paint(point);
    this.bench.setStrokes(true);
  }

  /** A pixel belongs to the stroke that went over it last. */
  paint(point) {
    const { rows, columns, spacing, radius } = this.bench;
    for (const kind of KINDS) {
      paintCapsule(this.strokes[kind], rows, columns, this.last, point, radius, spacing,
        kind === this.kind ? 1 : 0);
    }
    this.last = point;
    this.bench.draw();
  }

  move(points, event) {
    this.hover = points.at(-1);
    this.swapped = event?.ctrlKey || event?.metaKey;
    if (this.last) points.forEach((point) => this.paint(point));
    else this.bench.draw();
  }

  up() {
    if (!this.last) return;
    Object.assign(this, { last: null, byKey: false });
    this.ask();
  }

  runs(kind) {
    return this.strokes ? runsOfMask(this.strokes[kind]) : [];
  }

  /** Asks anew; the answer to an older stroke comes too late. */
  async ask() {
    const [inside, outside] = KINDS.map((kind) => this.runs(kind));
    const asked = this.asked += 1;
    const { visit } = this;
    this.offered = null;
    if (!inside.length) this.wants("in the body");
    else if (!outside.length) this.wants("around the body: Ctrl, or the second button");
    else {
      const content = await this.bench.suggest({ tool: "growcut", inside, outside });
      if (asked === this.asked && visit === this.visit && content) this.offer(content.runs);
    }
    this.bench.tell("draft");
    this.bench.draw();
  }

  wants(where) {
    this.bench.say(this.strokes ? `Now a stroke ${where}.` : "No strokes.");
  }

  offer(runs) {
    const { bench } = this;
    if (!runs.length) {
      bench.say("The strokes win no pixel: draw on.");
      return;
    }
    this.offered = { runs, mask: maskOfRuns(runs, bench.rows, bench.columns) };
    const pixel = bench.spacing[0] * bench.spacing[1];
    const area = runs.reduce((sum, value, n) => sum + (n % 2 ? value : 0), 0) * pixel;
    bench.say(`GrowCut offers ${area.toFixed(0)} square millimetres. Enter accepts, Escape rejects; `
      + "more strokes mend it.");
  }

  accept() {
    const { runs } = this.offered;
    this.forget();
    this.bench.setStrokes(false);
    this.bench.commit({ kind: "runs", runs }, this.name);
  }

  /** By keyboard: Enter puts the pen down, with Ctrl outside, Enter lifts it; Shift+Enter accepts. */
  enter(point, event) {
    if (event.shiftKey) this.conclude();
    else if (this.last) this.up();
    else {
      this.down(point, event);
      this.byKey = true;
      this.bench.say(`pen down, ${this.kind}`);
    }
  }

  /** Enter of a hand that holds the mouse accepts. */
  conclude() {
    if (!this.offered) return false;
    this.accept();
    return true;
  }

  crosshairMoved(point) {
    if (this.byKey) this.paint(point);
  }

  escape() {
    if (!this.strokes) return false;
    this.forget();
    this.visit += 1;
    this.bench.say("Strokes dropped: nothing was recorded.");
    this.bench.setStrokes(false);
    return true;
  }

  /** Takes the last stroke back. */
  undo() {
    if (!this.past.length) return false;
    this.strokes = this.past.pop();
    this.last = null;
    this.bench.setStrokes(this.strokes !== null);
    this.ask();
    return true;
  }

  leave() {
    this.visit += 1;
    this.forget();
    this.hover = null;
    this.bench.dropStrokes();
  }

  /** What is decided above the slice: accept or reject. */
  bar(frame) {
    if (!this.strokes) return null;
    const text = this.offered
      ? "GrowCut offers what is hatched; it takes the place of what lies on this slice. More strokes mend it."
      : "Stroke in the body, and around it with Ctrl or the second button.";
    const key = this.bench.crosshair ? "Shift+Enter" : "Enter";
    return frame("fill", text,
      this.offered ? button("Accept", key, () => this.accept(), { class: "main" }) : null,
      button("Reject", "Esc", () => this.escape(), { class: "quiet" }));
  }

  draw(pen) {
    if (this.offered) pen.mask(this.offered.mask, "fill", { border: true, dash: [6, 4], leaning: -1 });
    if (this.strokes) {
      pen.border(this.strokes.inside, "own");
      pen.border(this.strokes.outside, "erase", { dash: [4, 3] });
    }
    const at = this.byKey || !this.hover ? this.bench.crosshair : this.hover;
    const outside = this.last ? this.kind === "outside" : Boolean(this.swapped);
    if (at) pen.ring(at, this.bench.radius, outside ? "erase" : "own", outside ? [4, 3] : []);
  }
}

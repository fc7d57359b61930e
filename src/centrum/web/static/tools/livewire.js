// Live wire: clicks as of a polygon, between which the line follows the dark rim. The server finds
// the way (it has the intensities); the page only shows it. The line is an outline that is not closed
// yet, as the polygon's, and either tool goes on with it.

import { plural } from "../dom.js";
import { withOutline, within } from "./shared.js";

/** CSS pixels within which the first point is meant. */
const REACH = 8;

/** Digits that the server keeps of a point. */
const rounded = (value) => Math.round(value * 1000) / 1000;

export class LiveWire {
  name = "livewire";
  cursor = "crosshair";

  /** It draws the open outline itself. */
  drafts = true;

  constructor(bench) {
    Object.assign(this, { bench, hover: null, order: Promise.resolve(), visit: 0, waiting: 0 });
  }

  get open() {
    return this.bench.draft;
  }

  /** Length of the line at each click; each point that a polygon set is one. */
  get clicks() {
    const { length } = this.open;
    const wired = (this.bench.wired.get(this.bench.slice) ?? []).filter((at) => at <= length);
    const from = wired.at(-1) ?? 0;
    return [...wired, ...Array.from({ length: length - from }, (_, n) => from + n + 1)];
  }

  down(point) {
    if (this.open.length && this.bench.near(point, this.open[0], REACH)) this.close();
    else this.extend(point);
  }

  extend(point) {
    const { rows, columns } = this.bench;
    const to = within(point, rows - 0.5, columns - 0.5, -0.5).map(rounded);
    this.queued(() => this.reach(to));
  }

  close() {
    this.queued(() => this.joined());
  }

  /** One answer after the other, in the order of the clicks; those of a slice that was left are dropped. */
  queued(act) {
    const { visit } = this;
    this.waiting += 1;
    this.order = this.order.then(() => (visit === this.visit ? act() : null)).finally(() => {
      this.waiting -= 1;
      this.bench.draw();
    });
  }

  async reach(to) {
    const { open, clicks } = this;
    const line = open.length ? await this.way(open.at(-1), to) : [to];
    if (!line) return;
    const grown = open.length ? [...open, ...line.slice(1)] : line;
    this.bench.wire(grown, [...clicks, grown.length]);
    this.bench.say(plural(this.clicks.length, "click"));
  }

  async joined() {
    const { open, bench } = this;
    const line = this.clicks.length < 2 ? null : await this.way(open.at(-1), open[0]);
    if (this.clicks.length < 2) bench.say("A live wire needs at least two clicks.");
    if (!line) return;
    const outline = [...open, ...line.slice(1, -1)];
    if (outline.length < 3) {
      bench.say("The wire encloses nothing yet: click farther along the rim.");
      return;
    }
    bench.setDraft([]);
    bench.commit(withOutline(bench.content, outline, bench.rows, bench.columns), this.name);
  }

  /** The points from one to the other, both with them; null where the slice was left or nothing came. */
  async way(from, to) {
    const { visit } = this;
    if (from[0] === to[0] && from[1] === to[1]) return null;
    const content = await this.bench.suggest({ tool: "livewire", points: [from, to], closed: false });
    return content && visit === this.visit ? content.polygons[0] : null;
  }

  move(points) {
    this.hover = points.at(-1);
    this.bench.draw();
  }

  enter(point, event) {
    if (event.shiftKey && this.open.length) this.close();
    else this.down(point);
  }

  /** Enter of a hand that holds the mouse closes. */
  conclude() {
    if (!this.open.length) return false;
    this.close();
    return true;
  }

  /** Takes the last click back, and the line to it. */
  remove() {
    const kept = this.clicks.slice(0, -1);
    if (!this.open.length) return false;
    this.bench.wire(this.open.slice(0, kept.at(-1) ?? 0), kept);
    this.bench.say(plural(kept.length, "click"));
    return true;
  }

  undo() {
    return this.remove();
  }

  escape() {
    if (!this.open.length && !this.waiting) return false;
    this.visit += 1;
    this.bench.setDraft([]);
    return true;
  }

  leave() {
    this.visit += 1;
    this.hover = null;
  }

  draw(pen) {
    const { open, bench } = this;
    const reaching = this.hover ?? bench.crosshair;
    if (!open.length) return;
    pen.polygon(open, "own", { closed: false });
    for (const length of this.clicks) pen.handle(open[length - 1], "own", false);
    const dash = this.waiting ? [1, 5] : [4, 4];
    if (reaching) pen.polygon([open.at(-1), reaching], "own", { closed: false, dash });
  }
}

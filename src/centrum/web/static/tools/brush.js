// Brush and eraser: round in mm, without gaps between events. From the first stroke on the slice is
// a set of pixels; undo brings the polygon back.

import { paintCapsule, runsOfMask } from "../raster.js";

export class Brush {
  cursor = "none";

  constructor(bench, erases) {
    Object.assign(this, { bench, erases, mask: null, last: null, hover: null, byKey: false });
  }

  get name() {
    return this.erases ? "eraser" : "brush";
  }

  down(point, event) {
    this.mask = this.bench.mask.slice();
    this.stroke = this.erases !== (event?.ctrlKey || event?.metaKey) ? 0 : 1;
    this.last = point;
    this.paint(point);
  }

  paint(point) {
    const { rows, columns, spacing, radius } = this.bench;
    paintCapsule(this.mask, rows, columns, this.last, point, radius, spacing, this.stroke);
    this.last = point;
    this.bench.draw();
  }

  move(points, event) {
    this.hover = points.at(-1);
    this.swapped = event?.ctrlKey || event?.metaKey;
    if (this.mask) points.forEach((point) => this.paint(point));
    else this.bench.draw();
  }

  up() {
    const { mask, stroke, bench } = this;
    this.lift();
    if (!mask) return;
    if (mask.every((value, n) => value === bench.mask[n])) return;
    const runs = runsOfMask(mask);
    const tool = stroke ? "brush" : "eraser";
    bench.commit(runs.length ? { kind: "runs", runs } : null, runs.length ? tool : "clear");
  }

  enter(point, event) {
    if (this.mask) this.up();
    else {
      this.down(point, event);
      this.byKey = true;
      this.bench.say(`${this.name} down`);
    }
  }

  crosshairMoved(point) {
    if (this.byKey) this.paint(point);
  }

  escape() {
    const had = this.mask !== null;
    this.lift();
    this.bench.draw();
    return had;
  }

  lift() {
    Object.assign(this, { mask: null, last: null, byKey: false });
  }

  leave() {
    this.lift();
    this.hover = null;
  }

  draw(pen) {
    const at = this.byKey || !this.hover ? this.bench.crosshair : this.hover;
    const erases = this.mask ? !this.stroke : this.erases !== Boolean(this.swapped);
    if (at) pen.ring(at, this.bench.radius, erases ? "erase" : "own", erases ? [4, 3] : []);
  }
}

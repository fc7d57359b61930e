// Freehand: the outline is the way of the hand, every event of it, and stays a polygon.

import { LONGEST, NEAREST, shortened, within, withOutline } from "./shared.js";

export class Freehand {
  name = "freehand";
  cursor = "crosshair";

  constructor(bench) {
    Object.assign(this, { bench, path: null, byKey: false });
  }

  down(point) {
    this.path = [this.held(point)];
  }

  held(point) {
    return within(point, this.bench.rows, this.bench.columns);
  }

  move(points) {
    if (!this.path) return;
    for (const point of points.map((one) => this.held(one))) {
      const [x, y] = this.path.at(-1);
      if (Math.hypot(point[0] - x, point[1] - y) >= NEAREST) this.path.push(point);
    }
    this.bench.draw();
  }

  up() {
    const path = this.path;
    this.leave();
    if (path?.length >= 3) {
      const { bench } = this;
      const outline = shortened(path, LONGEST);
      bench.commit(withOutline(bench.content, outline, bench.rows, bench.columns), this.name);
    } else this.bench.draw();
  }

  /** By keyboard: Enter puts the pen down, arrows draw, Enter closes. */
  enter(point) {
    if (this.path) this.up();
    else {
      this.down(point);
      this.byKey = true;
      this.bench.say("pen down");
    }
  }

  crosshairMoved(point) {
    if (this.byKey) this.move([point]);
  }

  escape() {
    const had = this.path !== null;
    this.leave();
    this.bench.draw();
    return had;
  }

  leave() {
    this.path = null;
    this.byKey = false;
  }

  draw(pen) {
    if (this.path) pen.polygon(this.path, "own", { closed: false });
    if (this.path) pen.polygon([this.path.at(-1), this.path[0]], "own", { closed: false, dash: [4, 4] });
  }
}

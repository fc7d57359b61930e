// Polygon: a click sets a point; the first point, Enter or a double click closes. Closed polygons
// stay polygons: their vertices can be dragged, added, deleted and nudged until the slice is painted.

import { plural } from "../dom.js";
import { within, withOutline } from "./shared.js";

/** CSS pixels within which a vertex or an edge is meant. */
const REACH = 8;
const EDGE_REACH = 6;
const NUDGE = 0.25;

export class Polygon {
  name = "polygon";
  cursor = "crosshair";

  constructor(bench) {
    Object.assign(this, { bench, chosen: null, dragged: null, hover: null, pressed: null });
  }

  get open() {
    return this.bench.draft;
  }

  get polygons() {
    const content = this.dragged?.content ?? this.bench.content;
    return content?.kind === "polygons" ? content.polygons : [];
  }

  down(point, event) {
    this.pressed = point;
    if (this.open.length) this.extend(point);
    else if (!this.grab(point) && !this.edgeAt(point, event)) this.extend(point);
  }

  /** Sets a point, or closes where the outline began or where the last point lies. */
  extend(point) {
    const { open, bench } = this;
    const again = open.length >= 3 && (bench.near(point, open[0], REACH)
      || bench.near(point, open.at(-1), 3));
    if (again) this.close();
    else if (!open.length || !bench.near(point, open.at(-1), 1)) {
      bench.setDraft([...open, within(point, bench.rows, bench.columns)]);
      bench.say(plural(this.open.length, "point"));
    }
  }

  close() {
    const { open, bench } = this;
    if (open.length < 3) {
      bench.say("An outline needs at least three points.");
      return;
    }
    const tool = bench.wired.has(bench.slice) ? "livewire" : this.name;
    bench.setDraft([]);
    bench.commit(withOutline(bench.content, open, bench.rows, bench.columns), tool);
  }

  grab(point) {
    this.chosen = this.vertexAt(point);
    if (this.chosen) this.dragged = { from: point, moved: false };
    this.bench.draw();
    return this.chosen !== null;
  }

  vertexAt(point) {
    let best = null;
    this.polygons.forEach((polygon, p) => polygon.forEach((vertex, v) => {
      const away = this.bench.away(point, vertex);
      if (away <= REACH && away < (best?.away ?? Infinity)) best = { p, v, away };
    }));
    return best;
  }

  edgeAt(point) {
    let best = null;
    this.polygons.forEach((polygon, p) => polygon.forEach((vertex, v) => {
      const away = this.bench.awayFromEdge(point, vertex, polygon[(v + 1) % polygon.length]);
      if (away <= EDGE_REACH && away < (best?.away ?? Infinity)) best = { p, v: v + 1, away };
    }));
    return best;
  }

  move(points) {
    const point = points.at(-1);
    this.hover = point;
    if (this.dragged) this.drag(point);
    this.bench.draw();
  }

  drag(point) {
    const { from, moved } = this.dragged;
    if (!moved && this.bench.near(point, from, 2)) return;
    const content = this.moved(() => within(point, this.bench.rows, this.bench.columns));
    this.dragged = { from, moved: true, content };
  }

  /** Content with the chosen vertex where `put` says. */
  moved(put) {
    const { p, v } = this.chosen;
    const { polygons } = this.bench.content;
    return { kind: "polygons", polygons: polygons.map((polygon, n) =>
      (n === p ? polygon.map((vertex, m) => (m === v ? put(vertex) : vertex)) : polygon)) };
  }

  up() {
    const content = this.dragged?.content;
    this.dragged = null;
    if (content) this.bench.commit(content, this.name);
    else this.bench.draw();
  }

  /** A double click on an edge adds a vertex there. */
  twice() {
    const at = this.open.length || this.vertexAt(this.pressed) ? null : this.edgeAt(this.pressed);
    if (!at) return;
    const { polygons } = this.bench.content;
    this.chosen = at;
    this.bench.commit({ kind: "polygons", polygons: polygons.map((polygon, n) =>
      (n === at.p ? polygon.toSpliced(at.v, 0, this.pressed) : polygon)) }, this.name);
  }

  /** Tab walks the vertices and leaves the slice after the last. */
  walk(step) {
    const all = this.polygons.flatMap((polygon, p) => polygon.map((_, v) => ({ p, v })));
    const at = this.chosen ? all.findIndex(({ p, v }) => p === this.chosen.p && v === this.chosen.v) : -1;
    const next = at === -1 && step < 0 ? all.length - 1 : at + step;
    this.chosen = all[next] ?? null;
    this.bench.draw();
    if (this.chosen) this.bench.say(`point ${next + 1} of ${all.length}`);
    return this.chosen !== null;
  }

  remove() {
    if (this.open.length) this.bench.setDraft(this.open.slice(0, -1));
    else if (this.chosen) this.removeChosen();
    else return false;
    return true;
  }

  removeChosen() {
    const { p, v } = this.chosen;
    const { polygons } = this.bench.content;
    const left = polygons[p].length > 3 ? [polygons[p].toSpliced(v, 1)] : [];
    const rest = polygons.toSpliced(p, 1, ...left);
    this.chosen = null;
    if (rest.length) this.bench.commit({ kind: "polygons", polygons: rest }, this.name);
    else this.bench.commit(null, "clear");
  }

  /** Arrows nudge the chosen vertex; without one they are the crosshair's. */
  arrow(dx, dy, far) {
    if (!this.chosen) return false;
    const by = far ? 1 : NUDGE;
    const { rows, columns } = this.bench;
    this.bench.commit(this.moved(([x, y]) => within([x + by * dx, y + by * dy], rows, columns)), this.name);
    return true;
  }

  enter(point, event) {
    if (event.shiftKey && this.open.length) this.close();
    else if (this.open.length) this.extend(point);
    else if (!this.grab(point)) this.extend(point);
    this.dragged = null;
  }

  escape() {
    if (this.chosen) this.chosen = null;
    else if (this.open.length) this.bench.setDraft([]);
    else return false;
    this.bench.draw();
    return true;
  }

  /** Undo takes back the last point of an outline that is still open. */
  undo() {
    return this.open.length > 0 && this.remove();
  }

  leave() {
    Object.assign(this, { chosen: null, dragged: null, hover: null });
  }

  get content() {
    return this.dragged?.content ?? null;
  }

  draw(pen) {
    this.polygons.forEach((polygon, p) => pen.polygon(polygon, "own", {
      handles: true, chosen: this.chosen?.p === p ? this.chosen.v : -1,
    }));
    if (!this.open.length) return;
    const reaching = this.hover ?? this.bench.crosshair;
    pen.polygon(this.open, "own", { closed: false, handles: true });
    if (reaching) pen.polygon([this.open.at(-1), reaching, this.open[0]], "own",
      { closed: false, dash: [4, 4] });
  }
}

// Where the hand meets the slice: pointer events become voxels and go to the tool that is held.

import { Brush } from "./tools/brush.js";
import { GrowCut } from "./tools/growcut.js";
import { LiveWire } from "./tools/livewire.js";
import { Freehand } from "./tools/freehand.js";
import { Polygon } from "./tools/polygon.js";
import { LONGEST } from "./tools/shared.js";
import { onPointer } from "./pointer.js";
import { maskOf, runsOf } from "./raster.js";
import { say } from "./speech.js";
import { keepUnfinished, unfinished } from "./unfinished.js";
import { onWheel } from "./wheel.js";

/** mm: a radius from a cortex's width to half a body. */
const RADII = { smallest: 0.5, largest: 20, step: 1.2 };

export class Bench extends EventTarget {
  constructor(reading, pane) {
    super();
    Object.assign(this, {
      reading, pane, slice: 0, crosshair: null, radius: 3, held: null, panning: false,
      ...unfinished(reading.token),
    });
    this.tools = {
      polygon: new Polygon(this), freehand: new Freehand(this),
      brush: new Brush(this, false), eraser: new Brush(this, true),
      window: { name: "window", cursor: "move" },
      ...this.smart(),
    };
    this.tool = this.tools.polygon;
    this.spacing = [reading.seen.spacing[1], reading.seen.spacing[2]];
    this.rows = reading.rows;
    this.columns = reading.columns;
    this.listen();
  }

  /** Tools that ask the server, where the study allows them. */
  smart() {
    const { livewire, growcut } = this.reading.seen.assistance;
    return {
      ...(livewire && { livewire: new LiveWire(this) }), ...(growcut && { growcut: new GrowCut(this) }),
    };
  }

  /** Told by whoever owns the bench: what the server offers for what a smart tool asks, or null. */
  suggest = async () => null;

  listen() {
    const { overlay } = this.pane;
    const on = (name, act) => overlay.addEventListener(name, act);
    onPointer(overlay, {
      down: (event) => this.down(event), move: (event) => this.move(event), up: () => this.up(),
      cancel: () => this.cancel(), leave: () => this.left(),
    });
    on("dblclick", () => this.free && this.tool.twice?.());
    on("contextmenu", (event) => event.preventDefault());
    onWheel(overlay, {
      step: (by) => this.tell("scroll", by), zoom: (steps, at) => this.tell("zoom", { steps, at }),
    });
  }

  tell(name, detail = null) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  say = (text) => say(text);

  get content() {
    return this.reading.content(this.slice);
  }

  get mask() {
    return this.reading.mask(this.slice);
  }

  /** What the tool shows in place of the record while the hand is at it. */
  get shownMask() {
    if (this.tool.mask) return this.tool.mask;
    return this.tool.content ? maskOf(this.tool.content, this.rows, this.columns) : this.mask;
  }

  /** Points of the outline that is not closed yet; they stay with their slice and outlive the page. */
  get draft() {
    return this.drafts.get(this.slice) ?? [];
  }

  setDraft(points) {
    if (points.length) this.drafts.set(this.slice, points);
    else {
      this.drafts.delete(this.slice);
      this.wired.delete(this.slice);
    }
    keepUnfinished(this);
    this.tell("draft");
    this.draw();
  }

  /**
   * An outline that a live wire drew part of, with its length at each click; it is recorded as such,
   * whichever tool closes it.
   */
  wire(points, clicks) {
    this.wired.set(this.slice, clicks);
    this.setDraft(points);
  }

  /** Strokes that ask for an outline are begun on this slice, or are over. */
  setStrokes(begun) {
    this.strokesOn = begun ? this.slice : null;
    keepUnfinished(this);
    this.tell("draft");
    this.draw();
  }

  /** Strokes that nobody accepted are gone, here or with a page that was left: that is told. */
  dropStrokes() {
    if (this.strokesOn === null) return;
    const slice = this.strokesOn;
    this.setStrokes(false);
    this.tell("dropped", { slice });
  }

  commit(content, tool) {
    const kept = this.storable(content);
    if (kept !== null && kept.kind !== "nobody" && !runsOf(kept, this.rows, this.columns).length) {
      say("The outline holds no pixel: nothing was recorded.");
      this.draw();
      return;
    }
    const outlined = tool === "polygon" && kept?.kind === "runs";
    this.tell("commit", { slice: this.slice, content: kept, tool: outlined ? "correct" : tool });
  }

  /** The record takes so many points of a slice; more become pixels. */
  storable(content) {
    if (content?.kind !== "polygons") return content;
    const points = content.polygons.reduce((sum, polygon) => sum + polygon.length, 0);
    if (points <= LONGEST) return content;
    return { kind: "runs", runs: runsOf(content, this.rows, this.columns) };
  }

  draw() {
    this.pane.redraw("overlay");
  }

  /** CSS pixels between two voxels on the screen. */
  away(a, b) {
    const [ax, ay] = this.pane.view.place(a);
    const [bx, by] = this.pane.view.place(b);
    return Math.hypot(ax - bx, ay - by);
  }

  near = (a, b, reach) => this.away(a, b) <= reach;

  awayFromEdge(point, a, b) {
    const [[px, py], [ax, ay], [bx, by]] = [point, a, b].map((one) => this.pane.view.place(one));
    const [ux, uy] = [bx - ax, by - ay];
    const squared = ux * ux + uy * uy;
    const t = squared ? Math.min(1, Math.max(0, ((px - ax) * ux + (py - ay) * uy) / squared)) : 0;
    return Math.hypot(px - ax - t * ux, py - ay - t * uy);
  }

  take(name) {
    this.tool.leave?.();
    this.tool = this.tools[name];
    this.cursor();
    this.tell("tool");
    this.draw();
  }

  cursor() {
    this.pane.overlay.dataset.cursor = this.panning ? "grab" : this.tool.cursor;
  }

  resize(larger) {
    const next = larger ? this.radius * RADII.step : this.radius / RADII.step;
    this.radius = Math.min(RADII.largest, Math.max(RADII.smallest, Math.round(next * 10) / 10));
    say(`brush ${(2 * this.radius).toFixed(1)} millimetres wide`);
    this.tell("tool");
    this.draw();
  }

  /** Whether a point lies on the slice. */
  holds([x, y]) {
    return x >= -0.5 && y >= -0.5 && x <= this.columns - 0.5 && y <= this.rows - 0.5;
  }

  /** False while something else has to be decided first; told by whoever owns the bench. */
  get free() {
    return this.hindrance() === null;
  }

  hindrance = () => null;

  voxel = (event) => this.pane.view.voxel(event, this.pane.overlay);

  down(event) {
    this.pane.overlay.focus({ preventScroll: true });
    event.preventDefault();
    this.pane.overlay.setPointerCapture(event.pointerId);
    this.held = { how: this.meaning(event), x: event.clientX, y: event.clientY };
    if (this.held.how !== "tool") return;
    this.crosshair = null;
    if (this.free) this.tool.down(this.voxel(event), event);
    else this.refuse();
  }

  refuse() {
    this.held = null;
    this.tell("hindered", this.hindrance());
  }

  meaning(event) {
    if (this.panning || event.button === 1) return "pan";
    if ((event.button === 2 && !this.tool.second) || this.tool.name === "window") return "window";
    return "tool";
  }

  move(event) {
    if (this.held && this.held.how !== "tool") this.shift(event);
    else if (this.free && this.tool.move) this.tool.move(this.voxels(event), event);
  }

  /** All places since the last frame, not the last alone. */
  voxels(event) {
    const all = event.getCoalescedEvents?.() ?? [];
    return (all.length ? all : [event]).map(this.voxel);
  }

  shift(event) {
    const [dx, dy] = [event.clientX - this.held.x, event.clientY - this.held.y];
    Object.assign(this.held, { x: event.clientX, y: event.clientY });
    this.tell(this.held.how, { dx, dy });
  }

  up() {
    const how = this.held?.how;
    this.held = null;
    if (how === "tool") this.tool.up?.();
  }

  cancel() {
    this.held = null;
    this.tool.escape?.();
  }

  left() {
    if (this.held) return;
    this.tool.hover = null;
    this.draw();
  }

  /** The keyboard's crosshair begins where the eye is: the middle of what is shown. */
  aim() {
    const { view, width, height } = this.pane;
    this.crosshair ??= [
      Math.round((width / 2 - view.panX) / view.scaleX - 0.5),
      Math.round((height / 2 - view.panY) / view.scaleY - 0.5),
    ];
    return this.crosshair;
  }

  arrow(dx, dy, far) {
    if (this.free && this.tool.arrow?.(dx, dy, far)) return;
    const [x, y] = this.aim();
    const by = far ? 5 : 1;
    this.crosshair = [
      Math.min(this.columns - 1, Math.max(0, x + by * dx)), Math.min(this.rows - 1, Math.max(0, y + by * dy)),
    ];
    this.tool.hover = null;
    this.tool.crosshairMoved?.(this.crosshair);
    say(`row ${this.crosshair[1] + 1}, column ${this.crosshair[0] + 1}`);
    this.tell("aimed");
    this.draw();
  }

  enter(event) {
    if (!this.free) this.refuse();
    else if (this.crosshair || !this.tool.conclude?.()) this.tool.enter?.(this.aim(), event);
    this.draw();
  }
}

// One slice on the screen: the image on one canvas, what is drawn on another above it, so that a
// stroke does not paint the image again.

import { greys, View } from "./view.js";
import { loopsOf } from "./raster.js";

const HANDLE = 3.5;
const HATCH = 7;

/** Stored values of slice `k` of all slices. */
export const valuesOf = (image, { rows, columns }, k) =>
  image.subarray(k * rows * columns, (k + 1) * rows * columns);

export class Pane {
  constructor({ rows, columns, spacing, scale, orientation, label }, make) {
    this.view = new View(rows, columns, [spacing[1], spacing[2]]);
    Object.assign(this, {
      rows, columns, scale, smooth: true, values: null, painter: () => {}, due: new Set(),
    });
    this.image = make("canvas", { class: "image", "aria-hidden": "true" });
    this.overlay = make("canvas",
      { class: "overlay", tabindex: 0, role: "application", "aria-label": label });
    const letters = Object.entries(orientation).map(([side, letter]) =>
      make("span", { class: `letter ${side}`, "aria-hidden": "true" }, letter));
    this.element = make("div", { class: "pane" }, this.image, this.overlay, letters);
    this.slice = make("canvas", { width: columns, height: rows });
    this.watch = new ResizeObserver(() => this.resized());
    this.watch.observe(this.element);
    this.onresize = () => {};
  }

  get width() {
    return this.overlay.getBoundingClientRect().width;
  }

  get height() {
    return this.overlay.getBoundingClientRect().height;
  }

  /** As many device pixels as the element covers; the browser's zoom is in devicePixelRatio. */
  resized() {
    const { width, height } = this.overlay.getBoundingClientRect();
    for (const canvas of [this.image, this.overlay]) {
      canvas.width = Math.max(1, Math.round(width * devicePixelRatio));
      canvas.height = Math.max(1, Math.round(height * devicePixelRatio));
    }
    this.onresize();
    this.redraw("image", "overlay");
  }

  /** Slice `k` of all slices. */
  show(image, k) {
    this.values = valuesOf(image, this, k);
    this.redraw("slice", "image", "overlay");
  }

  rewindow() {
    this.table = null;
    this.redraw("slice", "image");
  }

  /** At most once a frame. */
  redraw(...parts) {
    if (!this.due.size) requestAnimationFrame(() => this.draw());
    for (const part of parts) this.due.add(part);
  }

  draw() {
    const due = this.due;
    this.due = new Set();
    if (due.has("slice") && this.values) this.drawSlice();
    if (due.has("image")) this.drawImage();
    if (due.has("image") || due.has("overlay")) this.drawOverlay();
  }

  drawSlice() {
    this.table ??= greys(this.view, this.scale);
    paintValues(this.slice, this.values, this.table);
  }

  /**
   * Smooth unless the reader asks for pixels (I): the steps of a pixel of .5-1 mm, ten screen pixels
   * wide, are edges that the body does not have, and the eye follows them instead of the cortex. The
   * picture is only looked at: the hatch of what is drawn always ends at the pixels' own edges, so
   * that what is counted stays in sight.
   */
  drawImage() {
    const context = this.image.getContext("2d");
    const { view } = this;
    this.tell();
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.image.width, this.image.height);
    context.scale(this.image.width / this.width, this.image.height / this.height);
    context.imageSmoothingEnabled = this.smooth;
    context.drawImage(this.slice, view.panX, view.panY, this.columns * view.scaleX, this.rows * view.scaleY);
  }

  /** Where the slice lies on the canvas, for whoever looks at the page from outside. */
  tell() {
    const { scaleX, scaleY, panX, panY } = this.view;
    this.overlay.dataset.view = [scaleX, scaleY, panX, panY].join(" ");
  }

  drawOverlay() {
    const context = this.overlay.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.overlay.width, this.overlay.height);
    context.scale(this.overlay.width / this.width, this.overlay.height / this.height);
    this.painter(new Pen(context, this.view, getComputedStyle(this.element)));
  }

  close() {
    this.watch.disconnect();
  }
}

/** Stored values as greys, a pixel each, on a canvas of the size of the slice. */
export function paintValues(canvas, values, table) {
  const context = canvas.getContext("2d");
  const picture = context.createImageData(canvas.width, canvas.height);
  const pixels = new Uint32Array(picture.data.buffer);
  for (let n = 0; n < pixels.length; n += 1) {
    pixels[n] = table[values[n] + 32768] * 0x010101 + 0xff000000;
  }
  context.putImageData(picture, 0, 0);
}

/** Hatches, drawn once for each colour and way of leaning. */
const tiles = new Map();

function tileOf(colour, leaning) {
  const tile = new OffscreenCanvas(HATCH, HATCH);
  const pen = tile.getContext("2d");
  pen.strokeStyle = colour;
  pen.globalAlpha = 0.45;
  for (const shift of [-HATCH, 0, HATCH]) {
    pen.moveTo(shift, leaning > 0 ? HATCH : 0);
    pen.lineTo(shift + HATCH, leaning > 0 ? 0 : HATCH);
  }
  pen.stroke();
  return tile;
}

/** Draws voxels' coordinates in CSS pixels; colours are the style sheet's. */
export class Pen {
  constructor(context, view, style) {
    Object.assign(this, { context, view, style });
  }

  colour(name) {
    return this.style.getPropertyValue(`--${name}`).trim();
  }

  path(points, closed) {
    const path = new Path2D();
    points.forEach((point, n) => path[n ? "lineTo" : "moveTo"](...this.view.place(point)));
    if (closed) path.closePath();
    return path;
  }

  /** Dark below, colour above: a line is seen on bone and on fluid. */
  stroke(path, name, width = 1.5, dash = []) {
    const { context } = this;
    context.setLineDash(dash);
    context.lineJoin = "round";
    for (const [colour, wide] of [[this.colour("halo"), width + 2], [this.colour(name), width]]) {
      context.strokeStyle = colour;
      context.lineWidth = wide;
      context.stroke(path);
    }
    context.setLineDash([]);
  }

  /** A mask hatched pixel by pixel; its border too, where no polygon says it. */
  mask(mask, name, { border = false, dash = [], leaning = 1 } = {}) {
    const path = this.loops(mask);
    this.context.fillStyle = this.hatch(name, leaning);
    this.context.fill(path, "evenodd");
    if (border) this.stroke(path, name, 1.25, dash);
  }

  /** The border of a mask alone, along the edges of its pixels. */
  border(mask, name, { width = 1.5, dash = [] } = {}) {
    this.stroke(this.loops(mask), name, width, dash);
  }

  loops(mask) {
    const path = new Path2D();
    for (const loop of loopsOf(mask, this.view.rows, this.view.columns)) path.addPath(this.path(loop, true));
    return path;
  }

  hatch(name, leaning) {
    const key = `${this.colour(name)} ${leaning}`;
    if (!tiles.has(key)) tiles.set(key, tileOf(this.colour(name), leaning));
    return this.context.createPattern(tiles.get(key), "repeat");
  }

  polygon(points, name, { closed = true, handles = false, chosen = -1, dash = [] } = {}) {
    this.stroke(this.path(points, closed), name, 1.5, dash);
    if (handles) points.forEach((point, n) => this.handle(point, name, n === chosen));
  }

  handle(point, name, chosen) {
    const [x, y] = this.view.place(point);
    const half = chosen ? HANDLE + 2 : HANDLE;
    const { context } = this;
    context.fillStyle = chosen ? this.colour(name) : this.colour("halo");
    context.strokeStyle = this.colour(name);
    context.lineWidth = 1.5;
    context.fillRect(x - half, y - half, 2 * half, 2 * half);
    context.strokeRect(x - half, y - half, 2 * half, 2 * half);
  }

  /** A brush: round in mm. */
  ring(point, radius, name, dash = []) {
    const path = new Path2D();
    path.arc(...this.view.place(point), radius * this.view.zoom, 0, 2 * Math.PI);
    this.stroke(path, name, 1, dash);
  }

  cross(point, name) {
    const [x, y] = this.view.place(point);
    const path = new Path2D();
    for (const [ux, uy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      path.moveTo(x + 5 * ux, y + 5 * uy);
      path.lineTo(x + 18 * ux, y + 18 * uy);
    }
    this.stroke(path, name, 1);
  }

  /** The level's marker: a ring with a tick, its name beside it, so many CSS pixels lower. */
  marker(point, label, name, lower = 0) {
    const [x, y] = this.view.place(point);
    const path = new Path2D();
    path.arc(x, y, 5, 0, 2 * Math.PI);
    path.moveTo(x + 5, y);
    path.lineTo(x + 11, y);
    this.stroke(path, name, 1.25);
    this.text([x + 15, y + lower], label, name);
  }

  text([x, y], label, name) {
    const { context } = this;
    context.font = "600 13px system-ui, sans-serif";
    context.textBaseline = "middle";
    context.lineWidth = 3;
    context.strokeStyle = this.colour("halo");
    context.strokeText(label, x, y);
    context.fillStyle = this.colour(name);
    context.fillText(label, x, y);
  }
}

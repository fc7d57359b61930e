// Where a voxel lies on the screen, and which grey it has. Everything in CSS pixels of the canvas's
// bounding rectangle: `offsetX` is not used, under a zoomed page it made masks 22-125 % too large.

const ZOOM_STEP = 1.2;
const SMALLEST = 0.25;
const LARGEST = 64;

export class View {
  /** `spacing`: mm between rows and between columns. */
  constructor(rows, columns, spacing) {
    Object.assign(this, { rows, columns, spacing, zoom: 1, panX: 0, panY: 0, low: 0, high: 1 });
  }

  /** CSS pixels of one column: pixels are shown as wide as they are, they need not be square. */
  get scaleX() {
    return this.zoom * this.spacing[1];
  }

  get scaleY() {
    return this.zoom * this.spacing[0];
  }

  /** Voxel [x, y] under a pointer. */
  voxel(event, element) {
    const box = element.getBoundingClientRect();
    return [
      (event.clientX - box.left - this.panX) / this.scaleX - 0.5,
      (event.clientY - box.top - this.panY) / this.scaleY - 0.5,
    ];
  }

  /** Place on the canvas of voxel [x, y]. */
  place([x, y]) {
    return [(x + 0.5) * this.scaleX + this.panX, (y + 0.5) * this.scaleY + this.panY];
  }

  /** The whole slice, centred. */
  fit(width, height) {
    this.show([(this.columns - 1) / 2, (this.rows - 1) / 2],
      Math.min(width / (this.columns * this.spacing[1]), height / (this.rows * this.spacing[0])),
      width, height);
  }

  /** So many mm of height around a place {x, y}, or around the middle of the slice. */
  around(place, mm, width, height) {
    const { x, y } = place ?? { x: (this.columns - 1) / 2, y: (this.rows - 1) / 2 };
    this.show([x, y], Math.min(width, height) / mm, width, height);
  }

  /** A voxel in the middle, at a zoom in CSS pixels a mm. */
  show([x, y], zoom, width, height) {
    this.zoom = Math.min(LARGEST, Math.max(SMALLEST, zoom));
    this.panX = width / 2 - (x + 0.5) * this.scaleX;
    this.panY = height / 2 - (y + 0.5) * this.scaleY;
  }

  pan(dx, dy) {
    this.panX += dx;
    this.panY += dy;
  }

  /** Zooms by steps; what lies at [x, y] of the canvas stays there. */
  zoomAt(steps, [x, y]) {
    const before = this.zoom;
    this.zoom = Math.min(LARGEST, Math.max(SMALLEST, before * ZOOM_STEP ** steps));
    const ratio = this.zoom / before;
    this.panX = x - (x - this.panX) * ratio;
    this.panY = y - (y - this.panY) * ratio;
  }

  window(low, high) {
    this.low = low;
    this.high = Math.max(low + 1e-6, high);
  }

  /** Drag to the right widens, drag downwards darkens, as at a workstation. */
  dragWindow(dx, dy, range) {
    const width = Math.max(range / 1000, (this.high - this.low) + (dx * range) / 500);
    const centre = (this.low + this.high) / 2 + (dy * range) / 500;
    this.window(centre - width / 2, centre + width / 2);
  }
}

/** Grey of each stored value (int16, offset 32768) in a window of intensities. */
export function greys(view, scale) {
  const table = new Uint8ClampedArray(65536);
  const width = view.high - view.low;
  for (let n = 0; n < table.length; n += 1) {
    table[n] = (255 * ((n - 32768) * scale.slope + scale.intercept - view.low)) / width;
  }
  return table;
}

// Looking at a pane without drawing on it: wheel, drag and keys for slice, place, zoom and window.

import { onPointer } from "./pointer.js";
import { onWheel } from "./wheel.js";

/** CSS pixels of an arrow while panning. */
export const PAN = 40;

/** mm of height around the level that is looked at. */
export const VIEW = 90;

export class Look {
  /** `on`: {step(by), window(dx, dy), changed()}. */
  constructor(pane, on) {
    Object.assign(this, { pane, on, held: null });
    const letGo = () => this.letGo();
    onPointer(pane.overlay, {
      down: (event) => this.down(event), move: (event) => this.move(event), up: letGo, cancel: letGo,
    });
    onWheel(pane.overlay, { step: on.step, zoom: (steps, at) => this.zoom(steps, at) });
    pane.overlay.addEventListener("contextmenu", (event) => event.preventDefault());
  }

  zoom(steps, at = [this.pane.width / 2, this.pane.height / 2]) {
    this.pane.view.zoomAt(steps, at);
    this.on.changed();
  }

  down(event) {
    this.pane.overlay.focus({ preventScroll: true });
    this.pane.overlay.setPointerCapture(event.pointerId);
    this.held = { window: event.button === 2, x: event.clientX, y: event.clientY };
  }

  move(event) {
    if (!this.held) return;
    const [dx, dy] = [event.clientX - this.held.x, event.clientY - this.held.y];
    Object.assign(this.held, { x: event.clientX, y: event.clientY });
    if (this.held.window) this.on.window(dx, dy);
    else this.pan(dx, dy);
  }

  pan(dx, dy) {
    this.pane.view.pan(dx, dy);
    this.on.changed();
  }

  /** An arrow key moves the slice under the eye. */
  arrow = (dx, dy) => this.pan(-PAN * dx, -PAN * dy);

  letGo() {
    this.held = null;
  }
}

// Looking at a pane without drawing on it: wheel, drag and keys for slice, place, zoom and window.

const PAN = 40;

export class Look {
  /** `on`: {step(by), window(dx, dy), changed()}. */
  constructor(pane, on) {
    Object.assign(this, { pane, on, held: null });
    const listen = (name, act) => pane.overlay.addEventListener(name, act);
    listen("wheel", (event) => this.wheel(event));
    listen("pointerdown", (event) => this.down(event));
    listen("pointermove", (event) => this.move(event));
    for (const end of ["pointerup", "pointercancel"]) listen(end, () => this.letGo());
    listen("contextmenu", (event) => event.preventDefault());
  }

  wheel(event) {
    event.preventDefault();
    const box = this.pane.overlay.getBoundingClientRect();
    const at = [event.clientX - box.left, event.clientY - box.top];
    if (event.ctrlKey) this.zoom(-Math.sign(event.deltaY), at);
    else this.on.step(Math.sign(event.deltaY));
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

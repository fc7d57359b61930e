// Active time: seconds in which the page is seen and a hand was there within the last minute.

const IDLE = 60;

const SIGNS = ["pointermove", "pointerdown", "keydown", "wheel"];

export class Timer {
  constructor(before = 0) {
    Object.assign(this, { before, active: 0, last: performance.now(), seen: performance.now() });
    for (const sign of SIGNS) addEventListener(sign, this.touch, { passive: true });
    this.ticking = setInterval(() => this.count(), 1000);
  }

  touch = () => {
    this.seen = performance.now();
  };

  count() {
    const now = performance.now();
    if (!document.hidden && now - this.seen < IDLE * 1000) this.active += (now - this.last) / 1000;
    this.last = now;
  }

  /** Seconds since the case was first opened, those of earlier visits included. */
  get seconds() {
    return Math.round((this.before + this.active) * 10) / 10;
  }

  close() {
    clearInterval(this.ticking);
    for (const sign of SIGNS) removeEventListener(sign, this.touch);
  }
}

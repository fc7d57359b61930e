// Changes on their way to the server, one at a time and in order. "Saved" is said when the server
// has answered each with the digest that this side computed, and at no other time.

import { Offline, Refused, write } from "./api.js";
import * as queue from "./queue.js";

/** Milliseconds before the next try: soon at first, never longer than a reader would wait. */
const PAUSES = [300, 700, 1500, 3000, 5000];

/** The server is there and cannot answer now: it is asked again. */
const LATER = [429, 500];

/** States that only the reader ends. */
const STUCK = ["conflict", "closed"];

/** The outbox of each case. One that was left with changes goes on; its case opened anew takes over. */
const live = new Map();

/** Somebody has entered again: what waited behind the lock is sent, whichever screen is shown. */
export const resume = () => live.forEach((outbox) => outbox.again());

export class Outbox extends EventTarget {
  constructor(token, revision, changes = []) {
    super();
    Object.assign(this, {
      token, revision, changes, kind: changes.length ? "saving" : "saved", tries: 0, timer: null,
      running: false, resting: false, expected: 0,
    });
    live.get(token)?.close();
    live.set(token, this);
    addEventListener("online", this.again);
  }

  close() {
    removeEventListener("online", this.again);
    clearTimeout(this.timer);
    this.kind = "closed";
    if (live.get(this.token) === this) live.delete(this.token);
  }

  /** Nobody looks any more: what waits is sent all the same. */
  rest() {
    this.resting = true;
    if (this.empty) this.close();
  }

  /** Nothing of the hand is on its way, nor about to be. */
  get empty() {
    return this.waiting === 0;
  }

  get waiting() {
    return this.changes.length + this.expected;
  }

  /** The hand has made a change that will be pushed: what is seen is not saved any more. */
  expect() {
    this.expected += 1;
    if (this.kind !== "closed") this.tell(this.kind === "saved" ? "saving" : this.kind);
  }

  /** The change that was expected, kept on this computer before it is sent. */
  async push(change) {
    const whole = { ...change, token: this.token, base: this.changes.length ? null : this.revision };
    this.changes.push(whole);
    this.expected -= 1;
    const { base } = whole;
    whole.order = await queue.keep({ ...whole });
    if (whole.base !== base) await queue.renew(whole);
    this.drain();
  }

  again = () => {
    this.tries = 0;
    this.drain();
  };

  async drain() {
    clearTimeout(this.timer);
    if (this.running || STUCK.includes(this.kind)) return;
    this.running = true;
    try {
      while (this.kind !== "closed" && this.changes[0]?.order !== undefined) await this.send(this.changes[0]);
      if (this.empty && this.kind !== "closed") this.tell("saved");
      if (this.empty && this.resting) this.close();
    } catch (error) {
      this.hinder(error);
    } finally {
      this.running = false;
    }
  }

  async send(change) {
    const { method, path, body } = change;
    const answer = await write(method, path, body, change.base ?? this.revision);
    if (this.kind === "closed") return;
    if (body.after && answer.digest !== body.after) throw new Refused(0, unequal);
    this.revision = answer.revision;
    this.tries = 0;
    this.changes.shift();
    await queue.done(change.order, this.changes[0], this.revision);
    if (this.changes[0]) this.changes[0].base = this.revision;
    if (this.kind === "offline") this.tell("saving");
    this.dispatchEvent(new CustomEvent("answer", { detail: { change, answer } }));
  }

  hinder(error) {
    if (this.kind === "closed") return;
    if (error instanceof Refused && !LATER.includes(error.status)) this.refused(error);
    else if (error instanceof Offline || error instanceof Refused) this.retry();
    else throw error;
  }

  retry() {
    const pause = PAUSES[Math.min(this.tries, PAUSES.length - 1)];
    this.tries += 1;
    this.timer = setTimeout(() => this.drain(), pause);
    this.tell("offline");
  }

  refused(error) {
    if (error.status === 409) this.tell("conflict", error);
    else if (error.status === 401) this.tell("locked", error);
    else this.setAside(error);
  }

  /** A change that the server will never take must not stop those behind it. */
  async setAside(error) {
    const [change] = this.changes.splice(0, 1);
    if (this.changes[0]) this.changes[0].base = this.revision;
    await queue.done(change.order, this.changes[0], this.revision);
    this.dispatchEvent(new CustomEvent("refused", { detail: { change, error } }));
    this.tell("refused", error);
    this.drain();
  }

  /** Takes all waiting changes out: they are offered to the reader again by another way. */
  async surrender(revision) {
    const taken = this.changes.splice(0);
    await queue.drop(taken.map((change) => change.order));
    this.revision = revision;
    this.tell("saved");
    return taken;
  }

  tell(kind, error = null) {
    this.kind = kind;
    this.dispatchEvent(new CustomEvent("status", { detail: { kind, error, waiting: this.waiting } }));
  }

  /** Resolves when nothing waits; rejects when that cannot come by itself. */
  settled() {
    if (this.empty) return Promise.resolve();
    if (STUCK.includes(this.kind)) return Promise.reject(new Offline(this.kind));
    return new Promise((resolve, reject) => {
      const look = ({ detail }) => {
        if (detail.kind === "saving") return;
        this.removeEventListener("status", look);
        if (detail.kind === "saved") resolve();
        else reject(new Offline(detail.kind));
      };
      this.addEventListener("status", look);
      this.drain();
    });
  }
}

const unequal = {
  message: "The server's mask of this slice is not the one on the screen.",
  remedy: "The server's counts: open the case again, look at the slice and correct it there.",
};

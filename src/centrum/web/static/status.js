// Whether the work is safe, in one place and in words: "Saved" only when the server has answered
// every change with the digest computed here.

import { h, plural } from "./dom.js";
import { outlivesReload } from "./queue.js";

const place = () => (outlivesReload() ? "kept here" : "kept in this tab only: leave it open");

const TEXTS = {
  saved: () => ["✓", "Saved"],
  saving: (waiting) => ["…", `Saving ${plural(waiting, "change")}`],
  offline: (waiting) => ["▲", `Offline: ${plural(waiting, "change")} ${place()}`],
  locked: (waiting) => ["▲", `Locked: ${plural(waiting, "change")} ${place()}`],
  conflict: () => ["⇄", "Changed in another window"],
  refused: () => ["✕", "A change was not taken"],
};

export class Status {
  constructor() {
    this.sign = h("span", { class: "sign", "aria-hidden": "true" });
    this.words = h("span", {});
    this.element = h("span", { class: "status" }, this.sign, this.words);
    this.show({ kind: "saved", waiting: 0 });
  }

  /** What is wrong, with its sign; nothing where nothing is. */
  get warning() {
    const fine = ["saved", "saving"].includes(this.element.dataset.kind);
    return fine ? [] : [this.element.textContent];
  }

  show({ kind, waiting }) {
    const [sign, words] = TEXTS[kind](waiting);
    this.element.dataset.kind = kind;
    this.sign.textContent = sign;
    this.words.textContent = words;
  }
}

// What the consensus of a case is: one of two outlines, what is made of them, or one drawn anew that
// begins with such an outline. It wants a reason, which stays in the record.

import * as api from "./api.js";
import { button, h } from "./dom.js";
import { say } from "./speech.js";

const KEYS = { union: "U", intersection: "J" };

/** Key of a choice: A and B are the two readers. */
export const keyOf = (take, readers) => KEYS[take] ?? "AB"[readers.indexOf(take)];

/** What a choice is called. */
export const nameOf = (take) => ({
  union: "Union of both", intersection: "Intersection of both",
}[take] ?? `Outline of ${take}`);

export class Decision {
  /** `on`: {chosen, signed, draw(token), again}. */
  constructor(pair, on) {
    Object.assign(this, { pair, on, take: null, busy: false });
    this.said = h("p", { class: "said", role: "alert" });
    this.element = h("section", { class: "decision", "aria-label": "Consensus" });
    this.lay();
  }

  lay() {
    const { takes } = this.pair.seen;
    this.state = h("p", {}, this.stateText());
    this.element.replaceChildren(h("h2", {}, "Consensus"), this.state, ...this.goOn(),
      takes.length ? this.form() : h("p", { class: "small" }, this.whyNot()), this.said);
  }

  stateText() {
    const { decided, drawing } = this.pair.seen;
    if (drawing) return "◐ It is being drawn and not signed yet.";
    if (decided === null) return "○ Not decided.";
    return `● ${decided ? nameOf(decided) : "Drawn anew"}, signed.`;
  }

  goOn() {
    const { drawing } = this.pair.seen;
    return drawing ? [button("Go on drawing", "", () => this.on.draw(drawing), { class: "main" })] : [];
  }

  whyNot() {
    if (this.pair.seen.intra) return "One reader read it twice: a consensus is decided between readers.";
    return "It is decided from the readings of the first session, once all readers have signed this case.";
  }

  form() {
    const { takes, readers, decided, drawing } = this.pair.seen;
    this.radios = takes.map((take) => h("input",
      { type: "radio", name: "take", value: take, required: true, onchange: () => this.choose(take) }));
    this.reason = h("textarea",
      { id: "why", rows: 2, maxlength: 2000, required: true, placeholder: "No names, no dates" });
    this.sign = button("Sign this", "", null, { class: "main", type: "submit" });
    this.anew = button("Draw anew from this…", "", () => this.send(false), { class: "quiet" });
    const again = decided === null && !drawing ? null
      : "Deciding again lies over it, and keeps both in the record.";
    return h("form", { novalidate: true, onsubmit: (event) => this.submitted(event) },
      h("fieldset", {}, h("legend", { class: "hidden" }, "Take"),
        takes.map((take, n) => h("label", { "aria-keyshortcuts": keyOf(take, readers) }, this.radios[n],
          h("span", { class: "label" }, nameOf(take)),
          h("kbd", { "aria-hidden": "true" }, keyOf(take, readers))))),
      h("label", { for: "why" }, "Reason"), this.reason, again && h("p", { class: "small" }, again),
      h("div", { class: "choices" }, this.sign, this.anew));
  }

  submitted(event) {
    event.preventDefault();
    this.send(true);
  }

  /** By its key or by hand. */
  choose(take) {
    const radio = this.radios?.find(({ value }) => value === take);
    if (!radio || this.busy) return;
    radio.checked = true;
    this.take = take;
    say(`${nameOf(take)} chosen`);
    this.on.chosen(take);
  }

  async send(sign) {
    if (this.busy || !this.complete()) return;
    this.wait(true);
    const { a, b } = this.pair.seen;
    try {
      const decided = await api.decide(a, b, { take: this.take, reason: this.reason.value.trim(), sign });
      if (sign) this.signed();
      else this.on.draw(decided.token);
    } catch (error) {
      this.refused(error);
    } finally {
      this.wait(false);
    }
  }

  /** Says what is missing, and goes there. */
  complete() {
    const missing = this.take ? (this.reason.value.trim() ? null : this.reason) : this.radios[0];
    this.said.textContent = missing ? (this.take ? "Say why." : "Choose an outline first.") : "";
    missing?.focus();
    return !missing;
  }

  wait(busy) {
    this.busy = busy;
    this.element.setAttribute("aria-busy", busy);
    for (const one of [this.sign, this.anew]) one.disabled = busy;
  }

  signed() {
    Object.assign(this.pair.seen, { decided: this.take, drawing: null });
    this.take = null;
    this.lay();
    say(`Signed: ${this.stateText()}`);
    this.on.signed();
  }

  refused(error) {
    if (error.status === 401) dispatchEvent(new Event("locked"));
    this.said.textContent = error.status ? `${error.message} ${error.remedy ?? ""}`
      : "The server cannot be reached: nothing was decided. Try again.";
  }
}

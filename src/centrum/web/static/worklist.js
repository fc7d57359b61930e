// The worklist: what is to do, what is begun, what is signed; nobody else's work.

import { clock, h, plural } from "./dom.js";

const STATES = {
  new: ["○", "to do"],
  begun: ["◐", "begun"],
  signed: ["●", "signed"],
};

/** The next case that is not signed, after one or from the first on; practice comes first. */
export function nextCase(cases, after = null) {
  const open = cases.filter(({ state, token }) => state !== "signed" && token !== after);
  const place = cases.find(({ token }) => token === after)?.place ?? 0;
  return open.find((one) => one.place > place) ?? open[0] ?? null;
}

/** "Case 3": practice and cases are counted apart. */
export const titleOf = ({ training, number }) => `${training ? "Training" : "Case"} ${number}`;

/** Cases in their order, with their number among those of their kind. */
export function numbered(cases) {
  const count = { true: 0, false: 0 };
  return cases.toSorted((a, b) => a.place - b.place).map((one) => {
    count[one.training] += 1;
    return { ...one, number: count[one.training] };
  });
}

function row(one, waits, choose) {
  const [sign, words] = STATES[one.state];
  const title = titleOf(one);
  return h("tr", { class: one.state },
    h("th", { scope: "row" },
      h("button", { type: "button", class: "link", onclick: () => choose(one) }, title)),
    h("td", { class: "level" }, one.level || "–"),
    h("td", {}, h("span", { class: "sign", "aria-hidden": "true" }, sign), ` ${passed(one) ?? words}`,
      waits ? h("span", { class: "waits" }, `${plural(waits, "change")} not yet sent`) : null),
    h("td", {}, h("progress", { max: one.slices ?? 1, value: one.done, "aria-label": "slices done" }),
      h("span", { class: "count" }, one.slices ? `${one.done} of ${one.slices}` : "not opened yet")),
    h("td", { class: "time" }, one.seconds ? clock(one.seconds) : "–"));
}

function passed(one) {
  if (!one.training || one.state !== "signed") return null;
  return one.passed ? "passed" : "below the mark";
}

const HEADS = ["Case", "Level", "State", "Slices", "Time"];

const table = (title, cases, waiting, choose) => (cases.length ? h("section", { "aria-label": title },
  h("h2", {}, title),
  h("table", {}, h("thead", {}, h("tr", {}, HEADS.map((head) => h("th", { scope: "col" }, head)))),
    h("tbody", {}, cases.map((one) => row(one, waiting[one.token], choose))))) : null);

function summary(cases) {
  const real = cases.filter(({ training }) => !training);
  const signed = real.filter(({ state }) => state === "signed").length;
  return h("p", { class: "summary" }, `${signed} of ${plural(real.length, "case")} signed`,
    h("progress", { max: real.length || 1, value: signed, "aria-label": "cases signed" }));
}

export class Worklist {
  /** `waiting`: how many changes of each case are not yet sent. */
  constructor(cases, waiting, choose) {
    this.choose = choose;
    this.element = h("div", { class: "worklist" });
    this.show(cases, waiting);
  }

  get waits() {
    return Object.keys(this.waiting).length > 0;
  }

  /** Whether it shows exactly these. */
  tells(waiting) {
    return JSON.stringify(waiting) === JSON.stringify(this.waiting);
  }

  /** What had the focus has it again. */
  show(cases, waiting) {
    const buttons = () => [...this.element.querySelectorAll("button")];
    const at = buttons().indexOf(document.activeElement);
    this.waiting = waiting;
    this.element.replaceChildren(...(cases.length ? this.tables(cases) : [empty()]));
    if (at >= 0) buttons()[at]?.focus();
  }

  tables(cases) {
    const { waiting, choose } = this;
    const next = nextCase(cases);
    return [
      h("header", {}, h("h1", { tabindex: -1 }, "Worklist"), summary(cases),
        next ? begin(next, choose) : finished()),
      table("Training", cases.filter(({ training }) => training), waiting, choose),
      table("Cases", cases.filter(({ training }) => !training), waiting, choose),
    ].filter(Boolean);
  }
}

const begin = (next, choose) => h("button",
  { type: "button", class: "main", "aria-keyshortcuts": "N", onclick: () => choose(next) },
  `${next.state === "begun" ? "Go on with" : "Read"} ${titleOf(next).toLowerCase()}`,
  next.level ? ` · ${next.level} ` : " ",
  h("kbd", { "aria-hidden": "true" }, "N"));

const finished = () => h("p", { class: "finished" },
  "Everything is signed. Thank you. A signed case can be opened, and reopened with a reason.");

const empty = () => h("div", { class: "empty" }, h("h1", { tabindex: -1 }, "Nothing to read"),
  h("p", {}, "No case is waiting for you. Whoever leads the study adds cases with images to its cases.csv; "
    + "they appear here when the reading room has been started again."));

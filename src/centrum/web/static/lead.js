// What the study's lead sees: how far each reader is. Nobody's outlines.

import { h } from "./dom.js";

const HEADS = ["Reader", "Cases", "Begun", "Signed"];

/** `progress`: {reader: {cases, begun, signed}} of the current session. */
export function leadScreen(progress) {
  const rows = Object.entries(progress).map(([reader, { cases, begun, signed }]) => h("tr", {},
    h("th", { scope: "row" }, reader), [cases, begun, signed].map((count) => h("td", {}, String(count)))));
  return h("div", { class: "worklist" }, h("header", {}, h("h1", { tabindex: -1 }, "Progress")),
    h("section", {}, h("table", {}, h("thead", {}, h("tr", {}, HEADS.map((head) => h("th", { scope: "col" }, head)))), h("tbody", {}, rows))),
    h("p", { class: "small" }, "Outlines are compared when the room is closed: centrum read STUDY --compare."));
}

// Help: the table of keys, and what the mouse does.

import { ask, h } from "./dom.js";

const MOUSE = [
  ["Click", "set a point; on the first point: close"],
  ["Drag a point", "move it"],
  ["Double click an edge", "add a point"],
  ["Wheel", "slice"],
  ["Ctrl + wheel", "zoom"],
  ["Space + drag, middle button", "pan"],
  ["Right button + drag", "window: across width, down level"],
];

const list = (title, pairs) => h("section", {}, h("h3", {}, title),
  h("dl", {}, pairs.map(([keys, text]) => h("div", {}, h("dt", {}, keys), h("dd", {}, text)))));

const caps = (keys) => keys.map((key, n) => [n ? " " : "", h("kbd", {}, key)]).flat();

export function showHelp(bindings) {
  const sections = [...new Set(bindings.map(({ section }) => section))];
  const tables = sections.map((section) => list(section,
    bindings.filter((one) => one.section === section).map(({ keys, shown, text }) => [caps(shown ?? keys), text])));
  const mouse = list("Mouse and pen", MOUSE);
  return ask("Keys", [h("div", { class: "help" }, ...tables, mouse)], [{ label: "Close", value: "", main: true }], { class: "wide" });
}

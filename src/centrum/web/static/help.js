// Help: the table of keys, and what the mouse does.

import { ask, h } from "./dom.js";
import { setSingleKeys, singleKeys } from "./keys.js";

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

/** For hands and voices that press a letter without meaning it. */
function choice() {
  const box = h("input", { type: "checkbox", onchange: () => setSingleKeys(box.checked) });
  box.checked = singleKeys();
  return h("label", { class: "single-keys" }, box,
    h("span", {}, "Letters, digits and signs act without Ctrl. Switched off, the buttons and the other keys "
      + "remain."));
}

export function showHelp(bindings, mouse = MOUSE) {
  const sections = [...new Set(bindings.map(({ section }) => section))];
  const keysOf = (section) => bindings.filter((one) => one.section === section)
    .map(({ keys, shown, text }) => [caps(shown ?? keys), text]);
  const tables = sections.map((section) => list(section, keysOf(section)));
  const body = [choice(), h("div", { class: "help" }, ...tables, list("Mouse and pen", mouse))];
  return ask("Keys", body, [{ label: "Close", value: "", main: true }], { class: "wide" });
}

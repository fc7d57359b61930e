// The side of the editor: tools, window, quality, and what is left to do.

import { button, h } from "./dom.js";
import { icon } from "./icons.js";
import { FLAGS } from "./reading.js";
import { LEVEL } from "./window.js";

const TOOLS = [
  ["polygon", "Polygon", "P"],
  ["freehand", "Freehand", "H"],
  ["brush", "Brush", "B"],
  ["eraser", "Eraser", "E"],
  ["livewire", "Live wire", "L"],
  ["growcut", "GrowCut", "C"],
  ["window", "Window", "W"],
];

const SMART = ["livewire", "growcut"];

/** Hand of the tools; `act` is {take, fill, nobody, clear, undo, redo, resize, preset, submit, judge}. */
export class Palette {
  constructor(reading, act) {
    this.reading = reading;
    const allowed = TOOLS.filter(([name]) => !SMART.includes(name) || reading.seen.assistance[name]);
    this.tools = new Map(allowed.map(([name, label, key]) =>
      [name, pick(name, label, key, () => act.take(name))]));
    this.nobody = pick("nobody", "No body on this slice", "X", act.nobody);
    this.fill = pick("fill", "Fill between", "F", act.fill);
    this.clear = pick("clear", "Clear", "", act.clear);
    this.undo = pick("undo", "Undo", "Ctrl+Z", act.undo);
    this.redo = pick("redo", "Redo", "Ctrl+Shift+Z", act.redo);
    this.size = h("output", { class: "size" });
    this.flags = FLAGS.map(([name, label]) => flag(name, label, act.judge));
    this.comment = h("textarea",
      { id: "comment", rows: 2, maxlength: 2000, oninput: act.judge, placeholder: "No names, no dates" });
    this.submit = button("Sign this case", "S", act.submit, { class: "main conclude" });
    this.left = h("p", { class: "todo" });
    this.presets = [preset("level", "0", () => act.preset(LEVEL)),
      ...reading.seen.windows.map(({ name }, n) => preset(name, String(n + 1), () => act.preset(n)))];
    this.proposal = act.proposal && pick("fill", "Take over the proposal", "", act.proposal);
    for (const wide of [this.nobody, this.fill, this.proposal]) wide?.classList.add("wide");
    this.element = this.lay(act);
    this.fillIn();
  }

  lay(act) {
    const group = (title, ...children) =>
      h("section", { "aria-label": title }, h("h2", {}, title), ...children);
    const { assistance } = this.reading.seen;
    return h("aside", { class: "palette", "aria-label": "Tools" },
      group("Draw", h("div", { class: "tools pair" }, [...this.tools.values()]),
        h("div", { class: "brush-size" }, h("span", {}, "Brush"),
          small("smaller brush", "[", () => act.resize(false)), this.size,
          small("larger brush", "]", () => act.resize(true)))),
      group("This slice",
        h("div", { class: "tools pair" }, this.nobody, assistance.fill === false ? null : this.fill,
          this.proposal),
        h("div", { class: "tools undo" }, this.undo, this.redo, this.clear)),
      group("Window", h("div", { class: "presets" }, this.presets)),
      group("Quality", h("div", { class: "flags" }, this.flags.map(({ label }) => label)),
        h("label", { for: "comment" }, "Comment"), this.comment),
      h("section", { class: "finish", "aria-label": "Sign" }, this.left, this.submit));
  }

  /** The quality as the server has it; what is being typed stays. */
  fillIn() {
    const { flags, comment } = this.reading.state.quality;
    for (const { box, name } of this.flags) box.checked = flags.includes(name);
    if (document.activeElement !== this.comment) this.comment.value = comment ?? "";
  }

  get quality() {
    return {
      flags: this.flags.filter(({ box }) => box.checked).map(({ name }) => name),
      comment: this.comment.value.replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, " "),
    };
  }

  update(bench, left) {
    const { reading } = this;
    for (const [name, tool] of this.tools) tool.setAttribute("aria-pressed", bench.tool.name === name);
    this.nobody.setAttribute("aria-pressed", bench.content?.kind === "nobody");
    this.size.textContent = `${(2 * bench.radius).toFixed(1)} mm`;
    this.undo.disabled = !(reading.canUndo || bench.draft.length || bench.tool.past?.length);
    this.redo.disabled = !reading.canRedo;
    this.clear.disabled = reading.signed || bench.content === null;
    const boxes = this.flags.map(({ box }) => box);
    for (const one of [...this.tools.values(), this.nobody, this.fill, this.comment, ...boxes]) {
      one.disabled = reading.signed;
    }
    if (this.proposal) this.proposal.disabled = reading.signed || !reading.untouched;
    this.tools.get("window").disabled = false;
    this.submit.hidden = reading.signed;
    this.left.textContent = left;
  }
}

const preset = (name, key, onclick) => button(name, key, onclick, { class: "preset" });

const pick = (name, label, key, onclick) => {
  const made = button(label, key, onclick, { class: "tool", "aria-label": label });
  made.prepend(icon(name));
  return made;
};

const small = (label, key, onclick) => h("button",
  { type: "button", class: "small", "aria-label": label, "aria-keyshortcuts": key, onclick },
  h("kbd", { "aria-hidden": "true" }, key));

function flag(name, text, onchange) {
  const box = h("input", { type: "checkbox", onchange });
  return { name, box, label: h("label", {}, box, ` ${text}`) };
}

// Keys and what they do, once: the table that runs them is the table that help shows.

import { LEVEL } from "./window.js";

/**
 * A key as help writes it and as the table has it: "Ctrl+Shift+Z", "?", "F". AltGr is no key of its own:
 * many keyboards have "[" behind it, and some browsers tell it as Ctrl and Alt.
 */
export function pressed(event) {
  const parts = [];
  const composed = event.getModifierState("AltGraph");
  if ((event.ctrlKey && !composed) || event.metaKey) parts.push("Ctrl");
  if (event.altKey && !composed) parts.push("Alt");
  if (event.shiftKey && (event.key.length > 1 || /[a-z]/i.test(event.key))) parts.push("Shift");
  parts.push(event.key === " " ? "Space" : event.key.length === 1 ? event.key.toUpperCase() : event.key);
  return parts.join("+");
}

const SINGLE = "single-keys";

/** Whether a letter, digit or sign acts by itself; who speaks to the computer may want that it does not. */
export const singleKeys = () => localStorage.getItem(SINGLE) !== "off";

export const setSingleKeys = (act) => localStorage.setItem(SINGLE, act ? "on" : "off");

/** True of a key that is switched off: a character without Ctrl or Alt, unless it belongs to the slice. */
const isOff = (event, local) => !local && event.key.length === 1 && !event.ctrlKey && !event.metaKey
  && !event.altKey && !singleKeys();

const TYPING = "textarea, select, dialog, input:not([type=checkbox], [type=radio])";

/**
 * Runs the binding of a key. Keys belong to a field while one is typed in, and to a dialogue; those
 * of the slice (`local`) to the slice alone, so that Enter on a button presses the button.
 */
export function listen(bindings, isLocal) {
  const table = new Map(bindings.flatMap((binding) => binding.keys.map((key) => [key, binding])));
  const act = (event) => {
    if (event.target.closest?.(TYPING) || document.querySelector("dialog[open]")) return;
    const binding = table.get(pressed(event));
    if (!binding || (binding.local && !isLocal(event.target)) || isOff(event, binding.local)) return;
    if (binding.run(event) !== false) event.preventDefault();
  };
  addEventListener("keydown", act);
  return () => removeEventListener("keydown", act);
}

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export const arrows = (before = "") => Object.keys(ARROWS).map((arrow) => `${before}${arrow}`);

export const towards = (act, far) => (event) => act(...ARROWS[event.key], far);

/** Keys of the tools that the study allows. */
function smart({ tools }, held) {
  return [
    tools.livewire && {
      section: "Draw", keys: ["L"], run: held("livewire"),
      text: "live wire: click along the rim; Enter or the first point closes",
    },
    tools.growcut && {
      section: "Draw", keys: ["C"], run: held("growcut"),
      text: "GrowCut: stroke in the body, and outside it with Ctrl or the second button; Enter accepts",
    },
  ].filter(Boolean);
}

/** All keys of the editor. */
export function bindingsOf(editor) {
  const { bench } = editor;
  const { tools } = bench;
  const held = (name) => () => bench.take(name);
  const arrow = (...by) => editor.arrow(...by);
  const enter = (event) => editor.enter(event);
  return [
    { section: "Draw", keys: ["P"], text: "polygon", run: held("polygon") },
    { section: "Draw", keys: ["H"], text: "freehand", run: held("freehand") },
    { section: "Draw", keys: ["B"], text: "brush (Ctrl: erases)", run: held("brush") },
    { section: "Draw", keys: ["E"], text: "eraser (Ctrl: paints)", run: held("eraser") },
    ...smart(bench, held),
    { section: "Draw", keys: ["["], text: "smaller brush", run: () => bench.resize(false) },
    { section: "Draw", keys: ["]"], text: "larger brush", run: () => bench.resize(true) },
    {
      section: "Draw", keys: ["F"], text: "fill between drawn slices: a preview first",
      run: () => editor.fill(),
    },
    { section: "Draw", keys: ["X"], text: "no body on this slice", run: () => editor.nobody() },
    { section: "Draw", keys: ["Ctrl+Z"], text: "undo", run: () => editor.undo() },
    { section: "Draw", keys: ["Ctrl+Shift+Z", "Ctrl+Y"], text: "redo", run: () => editor.redo() },
    {
      section: "Draw by keyboard", keys: arrows(), shown: ["← → ↑ ↓"], local: true,
      text: "move the crosshair by a pixel; nudge the chosen point by a quarter", run: towards(arrow, false),
    },
    {
      section: "Draw by keyboard", keys: arrows("Shift+"), shown: ["Shift", "← → ↑ ↓"], local: true,
      text: "by five pixels; the chosen point by one", run: towards(arrow, true),
    },
    {
      section: "Draw by keyboard", keys: ["Enter", "Ctrl+Enter"], local: true,
      text: "set a point; brush and freehand: pen down, pen up; accept a fill", run: enter,
    },
    {
      section: "Draw by keyboard", keys: ["Shift+Enter"], local: true, run: enter,
      text: tools.growcut ? "close the outline; accept what GrowCut offers" : "close the outline",
    },
    {
      section: "Draw by keyboard", keys: ["Tab"], local: true,
      text: "next point of the outline; after the last, on to the tools", run: () => editor.walk(1),
    },
    {
      section: "Draw by keyboard", keys: ["Shift+Tab"], text: "the point before", local: true,
      run: () => editor.walk(-1),
    },
    {
      section: "Draw by keyboard", keys: ["Delete", "Backspace"], local: true,
      text: "remove the chosen point, or the last of an open outline", run: () => editor.remove(),
    },
    {
      section: "Draw by keyboard", keys: ["Escape"], text: "let go: point, open outline, preview",
      run: () => editor.escape(),
    },
    { section: "Slices", keys: ["PageDown", "."], text: "next slice", run: () => editor.step(1) },
    { section: "Slices", keys: ["PageUp", ","], text: "slice before", run: () => editor.step(-1) },
    { section: "Slices", keys: ["Home"], text: "first slice", local: true, run: () => editor.show(0) },
    {
      section: "Slices", keys: ["End"], text: "last slice", local: true,
      run: () => editor.show(editor.reading.slices - 1),
    },
    { section: "Slices", keys: ["T"], text: "next slice to do", run: () => editor.nextOpen() },
    {
      section: "View", keys: ["1", "2", "3", "4", "5"], shown: ["1", "to", "5"], text: "window presets",
      run: (event) => editor.preset(Number(event.key) - 1),
    },
    { section: "View", keys: ["0"], text: "window of the level", run: () => editor.preset(LEVEL) },
    { section: "View", keys: ["W"], text: "window by drag or arrows", run: held("window") },
    { section: "View", keys: ["+", "="], text: "zoom in", run: () => editor.zoomBy(1) },
    { section: "View", keys: ["-"], text: "zoom out", run: () => editor.zoomBy(-1) },
    { section: "View", keys: ["Z"], text: "the level, or the whole slice", run: () => editor.goHome() },
    {
      section: "View", keys: ["Space"], shown: ["Space", "← → ↑ ↓"], text: "pan", local: true,
      run: () => editor.hold(true),
    },
    { section: "View", keys: ["I"], text: "pixels as they are, or smooth", run: () => editor.smooth() },
    { section: "View", keys: ["O"], text: "hide what is drawn, show it", run: () => editor.bare() },
    { section: "Case", keys: ["N"], text: "next case", run: () => editor.leave("next") },
    { section: "Case", keys: ["S"], text: "sign this case", run: () => editor.submit() },
    {
      section: "Case", keys: ["G"], text: "instructions, with the picture of the contour",
      run: () => editor.instructions(),
    },
    { section: "Case", keys: ["?"], text: "these keys", run: () => editor.help() },
  ];
}

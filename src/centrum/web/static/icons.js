// Small drawings of the tools, 20 x 20, in the colour of their text.

import { svg } from "./dom.js";

const PATHS = {
  polygon: "M4 15 L3 6 L11 3 L17 9 L14 16 Z M3 6 h0 M11 3 h0 M17 9 h0 M14 16 h0 M4 15 h0",
  freehand: "M4 14 C1 6 8 2 12 4 S19 12 15 15 S6 19 4 14 Z",
  brush: "M16 3 L9 11 M9 11 c-3 -1 -5 2 -6 6 c4 0 7 -1 7 -4 Z",
  eraser: "M8 16 L3 11 L11 3 L17 9 L10 16 Z M7 7 L13 13 M6 17 H17",
  livewire: "M3 16 C3 8 7 12 8 7 S14 3 17 5 M3 16 h0 M8 7 h0 M17 5 h0",
  growcut: "M10 4 C4 4 3 9 4 12 S9 17 12 16 17 12 16 8 13 4 10 4 M7 10 H13 M10 7 V13",
  window: "M10 3 A7 7 0 0 1 10 17 Z M10 3 A7 7 0 0 0 10 17",
  fill: "M4 3 H16 M4 17 H16 M5 7 H15 M5 10 H15 M5 13 H15",
  nobody: "M10 3 A7 7 0 1 0 10.01 3 M5 15 L15 5",
  undo: "M7 4 L3 8 L7 12 M3 8 H12 A4 4 0 0 1 12 16 H8",
  redo: "M13 4 L17 8 L13 12 M17 8 H8 A4 4 0 0 0 8 16 H12",
  clear: "M5 5 L15 15 M15 5 L5 15",
};

export const icon = (name) => svg("svg", { viewBox: "0 0 20 20", class: "icon", "aria-hidden": "true" },
  svg("path", { d: PATHS[name] }));

// The convention of the contour, drawn. The pictures are ours: a vertebral body from the side, its
// dark cortex as a band, and where the line runs.

import { ask, h, svg } from "./dom.js";

/** Convention: title, and how far in (units of the picture) the line runs. */
const CONVENTIONS = {
  outer_edge: ["Outer edge of the dark cortex", 0],
  mid_cortex: ["Middle of the dark cortex", 4],
  marrow_edge: ["Edge of the marrow", 8],
};

/** A body with slightly hollow end plates, drawn in by `inset`. */
function body(inset) {
  const [left, right, top, bottom] = [26 + inset, 154 - inset, 34 + inset, 126 - inset];
  const hollow = 6;
  return `M${left} ${top} Q90 ${top + hollow} ${right} ${top} Q${right - 7} 80 ${right} ${bottom} `
    + `Q90 ${bottom - hollow} ${left} ${bottom} Q${left + 7} 80 ${left} ${top} Z`;
}

function picture(convention) {
  const [title, inset] = CONVENTIONS[convention];
  return svg("svg", { viewBox: "0 0 180 160", class: "convention", role: "img", "aria-label": title },
    svg("rect", { class: "fat", width: 180, height: 160 }),
    svg("rect", { class: "canal", x: 160, width: 20, height: 160 }),
    svg("path", { class: "disc", d: "M30 2 H150 V30 Q90 38 30 30 Z M30 158 H150 V130 Q90 122 30 130 Z" }),
    svg("path", { class: "cortex", d: body(0) }),
    svg("path", { class: "marrow", d: body(8) }),
    svg("path", { class: "vein", d: "M146 80 Q120 74 108 80 Q120 86 146 80 Z" }),
    svg("path", { class: "line halo", d: body(inset) }),
    svg("path", { class: "line", d: body(inset) }));
}

function figure(convention, asked, outline) {
  const [title] = CONVENTIONS[convention];
  return h("figure", { class: convention === asked ? "asked" : "other" }, picture(convention),
    h("figcaption", {}, h("strong", {}, convention === asked ? `✓ ${title}` : title),
      convention === asked ? h("span", {}, outline) : null));
}

export function instructionsBody({ convention, outline, slices }, level) {
  const order = [convention, ...Object.keys(CONVENTIONS).filter((one) => one !== convention)];
  return [
    h("p", {}, "The body asked for is ", h("strong", {}, level), ". ", slices),
    h("h3", {}, "Where the line runs in this study"),
    h("div", { class: "conventions" }, order.map((one) => figure(one, convention, outline))),
    h("p", { class: "small" },
      "The two pale pictures are other conventions, for comparison only. One pixel more or less around a "
      + "body changes its overlap with another reader's by about a tenth."),
  ];
}

export const showInstructions = (instructions, level) => ask("Instructions",
  instructionsBody(instructions, level), [{ label: "Close", value: "", main: true }], { class: "wide" });

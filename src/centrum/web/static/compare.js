// Two readings beside each other: both outlines on every slice, what only one of them holds hatched,
// how far they agree in numbers, and the decision on the consensus.

import { Pane } from "./canvas.js";
import { Decision, keyOf, nameOf } from "./decision.js";
import { button, h, listed } from "./dom.js";
import { dice, distance, signed, withUnit } from "./figures.js";
import { showHelp } from "./help.js";
import { arrows, listen, towards } from "./keys.js";
import { Look, VIEW } from "./look.js";
import { pairName } from "./pair.js";
import { flagWords } from "./reading.js";
import { showSheet } from "./sheet.js";
import { say } from "./speech.js";
import { STATES, Strip } from "./strip.js";
import { LEVEL, levelWindow } from "./window.js";

/** Colour is not the only sign: one outline is solid, the other dashed; the hatches lean apart. */
const LINES = {
  a: { dash: [], leaning: 1 },
  b: { dash: [8, 5], leaning: -1 },
  taken: { dash: [2, 4], width: 3 },
};

const MOUSE = [
  ["Wheel", "slice"],
  ["Ctrl + wheel", "zoom"],
  ["Drag", "pan"],
  ["Right button + drag", "window: across width, down level"],
];

export class Comparison {
  /** `go`: {list, next, draw(token)}. */
  constructor(pair, go) {
    Object.assign(this, { pair, go, slice: pair.worst, hidden: false, touched: false });
    const { seen } = pair;
    this.pane = new Pane({ ...pair, ...seen, label: "Both outlines" }, h);
    this.look = new Look(this.pane, {
      step: (by) => this.step(by), window: (dx, dy) => this.windowBy(dx, dy), changed: () => this.moved(),
    });
    this.strip = new Strip(pair, (k) => this.show(k));
    this.decision = new Decision(pair, {
      chosen: () => this.pane.redraw("overlay"), signed: () => this.pane.redraw("overlay"),
      draw: (token) => this.draw(token),
    });
    this.lay();
    this.pane.painter = (pen) => this.paint(pen);
    this.pane.onresize = () => this.touched || this.fit();
    this.stop = listen(this.bindings(), (target) => target === this.pane.overlay || target === document.body);
    this.preset(LEVEL);
    this.show(this.slice);
  }

  lay() {
    const { seen } = this.pair;
    this.readout = h("p", { class: "readout", "aria-hidden": "true" });
    this.rows = new Map(seen.outlines.map((one) => [one.slice, this.row(one)]));
    this.middle = h("div", { class: "middle" },
      h("div", { class: "panes" }, h("div", { class: "stage" }, this.pane.element, this.readout)));
    this.element = h("div", { class: "editor comparison" },
      h("header", { class: "case" },
        h("div", { class: "bar-left" }, button("Comparison", "", this.go.list, { class: "quiet" }),
          h("h1", { tabindex: -1 }, `${pairName(seen)} · ${seen.level}`)),
        h("div", { class: "bar-right" }, button("All slices", "S", () => this.sheet(), { class: "quiet" }),
          button("Next case", "N", this.go.next, { class: "quiet" }),
          button("Keys", "?", () => this.help(), { class: "quiet" }))),
      this.strip.element,
      this.middle,
      h("aside", { class: "palette", "aria-label": "Agreement" },
        this.whole(), this.decision.element, this.table()));
  }

  /** Of the whole case; what has to be looked at is said in words. */
  whole() {
    const { seen } = this.pair;
    const [a, b] = seen.readers;
    const figure = (name, value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));
    return h("section", { "aria-label": "Whole case" }, h("h2", {}, "Whole case"),
      h("dl", { class: "pairs" }, figure("Dice", dice(seen.dice)),
        figure("Mean surface distance", `${distance(seen.mean_surface_distance_mm)} mm`),
        figure("Marks of the level", this.marks())),
      seen.flags.map((flags, n) => (flags.length
        ? h("p", { class: "warns" }, `▲ ${seen.readers[n]}: ${flagWords(flags)}`) : null)),
      h("ul", { class: "legend" }, h("li", { class: "reader-a" }, `${a}: solid`),
        h("li", { class: "reader-b" }, `${b}: dashed`), h("li", { class: "taken" }, "as chosen: dotted")));
  }

  marks() {
    const { level_mm: apart, other_level: other } = this.pair.seen;
    if (apart === null) return "not placed by both";
    const slices = [...new Set(this.pair.seen.marks.map(({ slice }) => slice))].toSorted((a, b) => a - b);
    const where = `slice${slices.length > 1 ? "s" : ""} ${listed(slices)}, ${apart.toFixed(1)} mm apart`;
    return other ? `▲ ${where}: another vertebra?` : where;
  }

  table() {
    const head = (name, unit) => h("th", { scope: "col" },
      name, unit && h("span", { class: "unit" }, ` ${unit}`));
    const [a, b] = this.pair.seen.readers;
    return h("section", { "aria-label": "Slices" }, h("h2", {}, "Slices"),
      h("table", { class: "by-slice" },
        h("thead", {}, h("tr", {}, head("Slice"), head("Dice"), head("Area", "mm²"), head("Distance", "mm"))),
        h("tbody", {}, [...this.rows.values()].map(({ row }) => row))),
      h("p", { class: "small" },
        `Area: that of ${b} minus that of ${a}. Distance: mean between the outlines.`));
  }

  row(one) {
    const chosen = h("button", { type: "button", class: "link", onclick: () => this.show(one.slice) },
      h("span", { class: "hidden" }, "slice "), `${one.slice + 1}`);
    const row = h("tr", {}, h("th", { scope: "row" }, chosen), h("td", {}, dice(one.dice)),
      h("td", {}, signed(one.area_difference_mm2, 0)), h("td", {}, distance(one.mean_surface_distance_mm)));
    return { row, chosen };
  }

  bindings() {
    const { seen } = this.pair;
    return [
      { section: "Slices", keys: ["PageDown", "."], text: "next slice", run: () => this.step(1) },
      { section: "Slices", keys: ["PageUp", ","], text: "slice before", run: () => this.step(-1) },
      { section: "Slices", keys: ["Home"], text: "first slice", local: true, run: () => this.show(0) },
      {
        section: "Slices", keys: ["End"], text: "last slice", local: true,
        run: () => this.show(this.pair.slices - 1),
      },
      {
        section: "Slices", keys: ["T"], text: "next slice by agreement, the least first",
        run: () => this.worse(),
      },
      { section: "Slices", keys: ["S"], text: "all slices beside each other", run: () => this.sheet() },
      {
        section: "View", keys: ["1", "2", "3", "4", "5"], shown: ["1", "to", "5"], text: "window presets",
        run: (event) => this.preset(Number(event.key) - 1),
      },
      { section: "View", keys: ["0"], text: "window of the level", run: () => this.preset(LEVEL) },
      { section: "View", keys: ["+", "="], text: "zoom in", run: () => this.look.zoom(1) },
      { section: "View", keys: ["-"], text: "zoom out", run: () => this.look.zoom(-1) },
      { section: "View", keys: ["Z"], text: "around the level", run: () => this.home() },
      {
        section: "View", keys: arrows(), shown: ["← → ↑ ↓"], text: "pan", local: true,
        run: towards(this.look.arrow, false),
      },
      { section: "View", keys: ["I"], text: "pixels as they are, or smooth", run: () => this.smooth() },
      { section: "View", keys: ["O"], text: "hide both outlines, show them", run: () => this.bare() },
      ...seen.takes.map((take) => ({
        section: "Consensus", keys: [keyOf(take, seen.readers)], text: nameOf(take).toLowerCase(),
        run: () => this.decision.choose(take),
      })),
      { section: "Case", keys: ["N"], text: "next case that is not decided", run: () => this.go.next() },
      { section: "Case", keys: ["?"], text: "these keys", run: () => this.help() },
    ];
  }

  help() {
    showHelp(this.bindings(), MOUSE).then(() => this.focus());
  }

  // Slices and view

  show(k) {
    const { pair } = this;
    this.slice = Math.min(pair.slices - 1, Math.max(0, k));
    this.pane.show(pair.image, this.slice);
    this.strip.update(this.slice, this.signs());
    for (const [n, { row, chosen }] of this.rows) {
      row.classList.toggle("current", n === this.slice);
      if (n === this.slice) chosen.setAttribute("aria-current", "true");
      else chosen.removeAttribute("aria-current");
    }
    const told = this.told();
    this.readout.replaceChildren(...told.map((part) => h("span", {}, part)));
    this.pane.overlay.setAttribute("aria-label", `Both outlines, ${told.join(", ")}`);
    say(told.join(", "));
  }

  step = (by) => this.show(this.slice + by);

  /** From the slice with the least agreement to that with the most, and round again. */
  worse() {
    const order = this.pair.seen.outlines.toSorted((one, other) => one.dice - other.dice);
    const at = order.findIndex(({ slice }) => slice === this.slice);
    this.show(order[(at + 1) % order.length].slice);
  }

  signs() {
    const sign = (one) => [one.dice === 0 ? "✕" : "◆", dice(one.dice)];
    return new Map(Array.from({ length: this.pair.slices }, (_, k) =>
      [k, this.pair.outlines.has(k) ? sign(this.pair.outlines.get(k)) : ["○", "no outline"]]));
  }

  told() {
    const { pair, slice } = this;
    const where = `Slice ${slice + 1} / ${pair.slices}`;
    const one = pair.outlines.get(slice);
    if (!one) return [where, "no outline"];
    const made = pair.seen.readers.map((name, n) => `${name} ${STATES[one.provenance[n]]?.[1] ?? "nothing"}`);
    return [where, `Dice ${dice(one.dice)}`, `area ${signed(one.area_difference_mm2, 0)} mm²`,
      `distance ${withUnit(distance(one.mean_surface_distance_mm), "mm")}`, ...made];
  }

  fit() {
    const { view, width, height } = this.pane;
    view.around(this.pair.level, VIEW, width, height);
  }

  home() {
    this.fit();
    this.moved();
    this.touched = false;
  }

  moved() {
    this.touched = true;
    this.pane.redraw("image", "overlay");
  }

  preset(n) {
    const { windows } = this.pair.seen;
    if (n !== LEVEL && !windows[n]) return;
    this.pane.view.window(...(n === LEVEL ? levelWindow(this.pair) : [windows[n].low, windows[n].high]));
    this.rewindow();
  }

  windowBy(dx, dy) {
    const { low, high } = this.pair.seen.windows[0];
    this.pane.view.dragWindow(dx, dy, high - low);
    this.rewindow();
  }

  rewindow() {
    this.pane.rewindow();
    clearTimeout(this.repainting);
    this.repainting = setTimeout(() => this.strip.paint(this.pane.view, this.pair.seen.scale), 120);
  }

  smooth() {
    this.pane.smooth = !this.pane.smooth;
    this.pane.redraw("image");
    say(this.pane.smooth ? "smooth" : "pixels as they are");
  }

  bare() {
    this.hidden = !this.hidden;
    this.pane.redraw("overlay");
    say(this.hidden ? "outlines hidden" : "outlines shown");
  }

  paint(pen) {
    if (this.hidden) return;
    this.outlines(pen, this.slice);
    this.pair.seen.marks.forEach((mark, n) => mark && this.mark(pen, mark, n));
  }

  outlines(pen, k) {
    const masks = this.pair.masksOf(k);
    if (!masks) return;
    pen.mask(masks.onlyA, "reader-a", { leaning: LINES.a.leaning });
    pen.mask(masks.onlyB, "reader-b", { leaning: LINES.b.leaning });
    pen.border(masks.a, "reader-a", LINES.a);
    pen.border(masks.b, "reader-b", LINES.b);
    const taken = this.pair.taken(k, this.decision.take);
    if (taken) pen.border(taken, "taken", LINES.taken);
  }

  /** All slices at once; the one that is chosen is shown. */
  async sheet() {
    const style = getComputedStyle(this.pane.element);
    const chosen = await showSheet(this.pair, this.pane.view, style, (pen, k) => this.outlines(pen, k));
    if (chosen !== null) this.show(chosen);
    this.focus();
  }

  /** Both marks; one that lies on another slice is faint and nameless. */
  mark(pen, { slice, x, y }, n) {
    const here = slice === this.slice;
    pen.marker([x, y], here ? this.pair.seen.readers[n] : "", here ? `reader-${"ab"[n]}` : "faint", 16 * n);
  }

  /** The lead goes on drawing on the slice that is looked at. */
  draw(token) {
    sessionStorage.setItem(`slice:${token}`, this.slice);
    this.go.draw(token);
  }

  focus() {
    this.pane.overlay.focus({ preventScroll: true });
  }

  arrived() {
    this.middle.scrollIntoView({ block: "nearest" });
    this.strip.reveal(this.slice);
    this.focus();
  }

  close() {
    this.stop();
    this.pane.close();
    clearTimeout(this.repainting);
  }
}

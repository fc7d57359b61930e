// The study's lead: how far each reader is, the cases that two have signed, and what is decided on
// them. Nobody else is shown any of it: the server answers readers as if it did not exist.

import * as api from "./api.js";
import { Comparison } from "./compare.js";
import { h, plural } from "./dom.js";
import { Editor } from "./editor.js";
import { dice } from "./figures.js";
import { openPair, pairName } from "./pair.js";
import { flagWords, loadReading, Reading } from "./reading.js";
import { nameOf } from "./decision.js";

const PROGRESS = ["Reader", "Cases", "Begun", "Signed"];
const COMPARED = ["Case", "Level", "Dice", "Slices", "To look at", "Consensus"];

const heads = (names) => h("thead", {}, h("tr", {}, names.map((name) => h("th", { scope: "col" }, name))));

/** `progress`: {reader: {cases, begun, signed}} of the current session. */
const progressTable = (progress) => h("section", { "aria-label": "Progress" }, h("h2", {}, "Progress"),
  h("table", { class: "plain" }, heads(PROGRESS),
    h("tbody", {}, Object.entries(progress).map(([reader, counts]) => h("tr", {},
    h("th", { scope: "row" }, reader),
    ["cases", "begun", "signed"].map((what) => h("td", {}, String(counts[what]))))))));

function comparedTable(pairs, choose) {
  const title = h("h2", {}, "Both have signed, the least agreement first");
  if (!pairs.length) return h("section", { "aria-label": "Compared" }, title, nothing());
  return h("section", { "aria-label": "Compared" }, title,
    h("table", { class: "plain compared" }, heads(COMPARED),
      h("tbody", {}, pairs.map((pair) => row(pair, choose)))));
}

const nothing = () => h("p", { class: "small" },
  "No case has been signed by two readers yet. It appears here when both have signed it; what one alone has "
  + "drawn is shown to nobody.");

const row = (pair, choose) => h("tr", { class: isDecided(pair) ? "signed" : "" },
  h("th", { scope: "row" },
    h("button", { type: "button", class: "link", onclick: () => choose(pair) }, pairName(pair))),
  h("td", { class: "level" }, pair.level || "–"), h("td", {}, dice(pair.dice)),
    h("td", {}, String(pair.slices)),
  h("td", {}, warnings(pair).map((text) => h("span", { class: "waits" }, text))),
    h("td", {}, consensus(pair)));

function warnings({ readers, flags, other_level: other }) {
  const flagged = readers.map((name, n) => (flags[n].length ? `▲ ${name}: ${flagWords(flags[n])}` : null));
  return [other ? "▲ another level?" : null, ...flagged].filter(Boolean);
}

const isDecided = ({ decided, drawing }) => decided !== null && !drawing;

/** Sign and words of what is decided. */
function consensus({ decided, drawing, intra }) {
  if (drawing) return "◐ being drawn";
  if (decided !== null) return [h("span", { class: "sign", "aria-hidden": "true" }, "●"),
    ` ${decided ? nameOf(decided).toLowerCase() : "drawn anew"}`];
  return intra ? "– (one reader twice)" : "○ not decided";
}

const same = (one, other) => one.a === other.a && one.b === other.b;

/** The next that is not decided, after one or from the first on. */
export function nextPair(pairs, after) {
  const open = (pair) => !isDecided(pair) && !pair.intra && !same(pair, after);
  const at = pairs.findIndex((pair) => same(pair, after));
  return pairs.slice(at + 1).find(open) ?? pairs.find(open) ?? null;
}

export class Lead {
  /** `room`: {screen(name, load, build), keep(here), bar()}. */
  constructor(room) {
    Object.assign(this, { room, asked: 0 });
  }

  /** Where the lead was before a reload, or the list. */
  async begin(here) {
    if (here?.consensus) await this.draw(here.pair, here.consensus);
    else if (here?.pair) await this.compare(here.pair);
    else await this.list();
  }

  async list() {
    this.asked += 1;
    this.room.keep(null);
    await this.room.screen("Comparison", () => Promise.all([api.progress(), api.compared()]), (loaded) => {
      const [progress, pairs] = loaded;
      const decided = pairs.filter(isDecided).length;
      return h("div", { class: "page" }, this.room.bar(), h("div", { class: "worklist" },
        h("header", {}, h("h1", { tabindex: -1 }, "Comparison"),
          h("p", { class: "summary" }, `${decided} of ${plural(pairs.length, "pair")} decided`)),
        comparedTable(pairs, (pair) => this.compare(pair)), progressTable(progress),
        h("p", { class: "small" }, "Tables and pictures of all of them: centrum read STUDY --compare.")));
    });
  }

  async compare(pair) {
    const { a, b } = pair;
    this.asked += 1;
    this.room.keep({ pair: { a, b } });
    await this.room.screen("Comparison", () => openPair(pair), (opened) => new Comparison(opened, {
      list: () => this.list(), next: () => this.next(pair), draw: (token) => this.draw({ a, b }, token),
    }));
  }

  /** Unless something else was asked for meanwhile. */
  async next(pair) {
    const asked = this.asked += 1;
    const pairs = await api.compared().catch(() => []);
    if (asked !== this.asked) return;
    const following = nextPair(pairs, pair);
    if (following) await this.compare(following);
    else await this.list();
  }

  /** A consensus is drawn as any case is, under a token of its own. */
  async draw(pair, token) {
    this.asked += 1;
    this.room.keep({ pair, consensus: token });
    const leave = (where) => (where === "next" ? this.next(pair) : this.compare(pair));
    await this.room.screen("Consensus", () => loadReading(token), (loaded) => {
      const reading = new Reading(loaded);
      return new Editor(reading, `Consensus · ${reading.seen.level}`, leave, "Comparison");
    });
  }
}

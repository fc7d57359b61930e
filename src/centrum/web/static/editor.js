// The editor of one case: the slice, the slices beside it, the tools, and what has to be decided.

import { Bench } from "./bench.js";
import { Pane } from "./canvas.js";
import { ask, button, clock, h, listed, plural } from "./dom.js";
import { showHelp } from "./help.js";
import { showInstructions } from "./instructions.js";
import { bindingsOf, listen } from "./keys.js";
import { neighbours } from "./levels.js";
import { PAN } from "./look.js";
import { Palette } from "./palette.js";
import { maskOf, maskOfRuns } from "./raster.js";
import { flagWords } from "./reading.js";
import { Scout } from "./scout.js";
import * as second from "./second.js";
import { say } from "./speech.js";
import { Status } from "./status.js";
import { STATES, stateOf, Strip } from "./strip.js";
import { Timer } from "./timer.js";
import { LEVEL, levelWindow } from "./window.js";

/** mm of height around the level: the body and a good part of its neighbours. */
const FIELD = 110;

/** Milliseconds without a key until a comment is sent. */
const TYPED = 700;

/** What is said when a tool is taken that asks the server. */
const HINTS = {
  livewire: "Live wire: click along the rim. Enter or the first point closes.",
  growcut: "GrowCut: stroke in the body, and outside it with Control or the second button.",
};

/** What is said on the slice itself of one in such a state. */
const BADGES = {
  nobody: "∅ No body on this slice",
  proposed: "◍ Proposed by another program: correct what is wrong",
};

const NOT_REACHED = "The server cannot be reached. What you have drawn is kept on this computer; "
  + "this step has to wait.";

const NEEDS_SERVER = "Live wire and GrowCut need the server, which cannot be reached. Polygon, freehand and "
  + "brush work without it.";

/** The window preset goes with the reader from case to case. */
const PRESET = "preset";

export class Editor {
  /** `leave(where)`: to "worklist", which is called `home`, "next" or "training". */
  constructor(reading, title, leave, home = "Worklist") {
    Object.assign(this, {
      reading, title, goTo: leave, home, preview: null, conflict: null, hidden: false, centred: true,
      asking: false, closed: false,
    });
    const { seen } = reading;
    const { spacing, scale, orientation } = seen;
    this.pane = new Pane({ ...reading, spacing, scale, orientation, label: "slice" }, h);
    this.bench = new Bench(reading, this.pane);
    this.timer = new Timer(seen.state.seconds);
    this.status = new Status();
    this.strip = new Strip(reading, (k) => this.show(k));
    this.palette = new Palette(reading, this.acts());
    this.lay();
    this.listen();
    this.firstWindow();
    this.start();
  }

  acts() {
    return {
      take: (name) => this.take(name), fill: () => this.fill(), nobody: () => this.nobody(),
      clear: () => this.clear(),
      undo: () => this.undo(), redo: () => this.redo(), resize: (larger) => this.bench.resize(larger),
      preset: (n) => this.preset(n), submit: () => this.submit(), judge: () => this.judge(),
      proposal: this.reading.seen.proposal ? () => this.propose() : null,
    };
  }

  lay() {
    this.where = h("span", { class: "where" });
    this.clock = h("span", { class: "clock", title: "active time" });
    this.readout = h("p", { class: "readout", "aria-hidden": "true" });
    this.badge = h("p", { class: "badge", hidden: true });
    this.bars = h("div", { class: "bars" });
    this.stage = h("div", { class: "stage" }, this.pane.element, this.badge, this.readout);
    this.middle = h("div", { class: "middle" }, this.bars, h("div", { class: "panes" }, this.stage));
    this.nameNeighbours();
    this.element = h("div", { class: "editor" },
      h("header", { class: "case" },
        h("div", { class: "bar-left" },
          button(this.home, "", () => this.leave("worklist"), { class: "quiet" }),
          h("h1", { tabindex: -1 }, this.title), this.facts(), this.where),
        h("div", { class: "bar-right" }, this.clock, this.status.element,
          button("Instructions", "G", () => this.instructions(), { class: "quiet" }),
          button("Keys", "?", () => this.help(), { class: "quiet" }))),
      this.strip.element, this.middle, this.palette.element);
    second.offer(this);
  }

  /** What lies above and below the level is named, where the slice stands upright. */
  nameNeighbours() {
    const { level, orientation } = this.reading.seen;
    if (orientation.top !== "S" && orientation.top !== "H") return;
    const [above, below] = neighbours(level);
    for (const [side, sign, name] of [["top", "↑", above], ["bottom", "↓", below]]) {
      const shown = h("span", { class: `neighbour ${side}`, "aria-hidden": "true" }, `${sign} ${name}`);
      if (name) this.stage.append(shown);
    }
  }

  /** What is named along the upper edge of the slice moves below the bars that lie over it. */
  shiftBelowBars() {
    const covered = getComputedStyle(this.bars).position === "absolute" ? this.bars.offsetHeight : 0;
    this.stage.style.setProperty("--covered", `${covered}px`);
  }

  /** What the study lets the reader know beside the image. */
  facts() {
    const { shown = {} } = this.reading.seen;
    const known = [shown.age && `${shown.age} years`, shown.sex].filter(Boolean);
    return known.length ? h("span", { class: "facts" }, known.join(", ")) : null;
  }

  listen() {
    const { bench, reading } = this;
    const on = (target, name, act) => target.addEventListener(name, (event) => act(event.detail ?? {}));
    on(bench, "commit", (edit) => this.commit(edit));
    on(bench, "hindered", (why) => say(why));
    on(bench, "draft", () => this.refresh());
    on(bench, "tool", () => this.taken());
    on(bench, "dropped", ({ slice }) => this.note(`The strokes of GrowCut on slice ${slice + 1} were not `
      + "accepted: they are gone, and nothing was recorded."));
    on(bench, "scroll", (step) => this.step(step));
    on(bench, "pan", ({ dx, dy }) => this.moved(() => this.pane.view.pan(dx, dy)));
    on(bench, "zoom", ({ steps, at }) => this.moved(() => this.pane.view.zoomAt(steps, at)));
    on(bench, "window", ({ dx, dy }) => this.windowBy(dx, dy));
    on(bench, "aimed", () => this.follow());
    on(reading, "change", () => this.refresh());
    on(reading.outbox, "status", (status) => this.told(status));
    on(reading.outbox, "refused", ({ error }) => this.notTaken(error));
    bench.hindrance = () => this.hindrance();
    bench.suggest = (asked) => this.suggested(asked);
    this.pane.painter = (pen) => this.paint(pen);
    this.pane.onresize = () => this.resized();
    const isLocal = (target) => target === this.pane.overlay || target === document.body;
    this.stop = listen(bindingsOf(this), isLocal);
    this.released = (event) => (event.type === "blur" || event.key === " ") && this.hold(false);
    for (const sign of ["keyup", "blur"]) addEventListener(sign, this.released);
    this.ticking = setInterval(() => this.tick(), 1000);
    this.covering = new ResizeObserver(() => this.shiftBelowBars());
    this.covering.observe(this.bars);
  }

  close() {
    this.closed = true;
    this.stop();
    this.covering.disconnect();
    for (const sign of ["keyup", "blur"]) removeEventListener(sign, this.released);
    clearInterval(this.ticking);
    clearTimeout(this.repainting);
    this.other?.close();
    if (this.typed) this.sendJudgement();
    this.timer.close();
    this.pane.close();
    this.reading.close();
  }

  start() {
    const { reading, bench } = this;
    const asked = reading.seen.confirm_level !== false && !reading.level && !reading.signed;
    if (asked) {
      this.scout = new Scout(bench, reading.seen.level, (k, point) => this.confirmed(k, point));
      bench.tools.level = this.scout;
    }
    bench.take(asked ? "level" : "polygon");
    this.show(this.first());
    bench.dropStrokes();
    this.told({ kind: reading.outbox.kind, waiting: reading.outbox.waiting });
  }

  /** Where work goes on: the slice it was left on, the level's, the middle. */
  first() {
    const left = sessionStorage.getItem(`slice:${this.reading.token}`);
    if (left !== null) return Math.min(Number(left), this.reading.slices - 1);
    return this.reading.level?.slice ?? Math.floor((this.reading.slices - 1) / 2);
  }

  focus() {
    this.pane.overlay.focus({ preventScroll: true });
  }

  // Slices and view

  show(k) {
    const { reading, bench } = this;
    bench.tool.leave?.();
    bench.slice = Math.min(reading.slices - 1, Math.max(0, k));
    sessionStorage.setItem(`slice:${reading.token}`, bench.slice);
    this.pane.show(reading.image, bench.slice);
    this.other?.show(bench.slice);
    this.refresh();
    say(this.sentence());
  }

  step(by) {
    this.show(this.bench.slice + by);
  }

  nextOpen() {
    const { missing } = this.reading;
    if (!missing.length) say("Every slice is done.");
    else this.show(missing.find((k) => k > this.bench.slice) ?? missing[0]);
  }

  /** "slice 7 of 15, polygon, 8 points, saved". */
  sentence() {
    const { reading, bench } = this;
    const points = bench.content?.polygons?.flat().length;
    const drawn = points ? `polygon, ${plural(points, "point")}` : null;
    const mark = this.mark(bench.slice);
    const parts = [`slice ${bench.slice + 1} of ${reading.slices}`, STATES[mark]?.[1] ?? mark,
      bench.content?.kind === "runs" ? "painted" : drawn, this.status.words.textContent.toLowerCase()];
    return parts.filter(Boolean).join(", ");
  }

  resized() {
    const { width, height } = this.pane;
    if (this.centred) this.fit();
    else if (this.size) this.pane.view.pan((width - this.size[0]) / 2, (height - this.size[1]) / 2);
    this.size = [width, height];
    this.refreshReadout();
  }

  /** The page shows this case now. */
  arrived() {
    this.reveal();
    this.strip.reveal(this.bench.slice);
    this.focus();
  }

  /** The slice, and above it what has to be decided, where the page is higher than the window. */
  reveal() {
    this.middle.scrollIntoView({ block: "nearest" });
  }

  fit() {
    const { view, width, height } = this.pane;
    const { level } = this.reading;
    view.fit(width, height);
    const closer = Math.min(width, height) / FIELD;
    if (level && this.centred !== "whole" && closer > view.zoom) {
      view.show([level.x, level.y], closer, width, height);
    }
  }

  goHome() {
    this.centred = this.centred === true && this.reading.level ? "whole" : true;
    this.moved(() => this.fit(), this.centred);
    say(this.centred === "whole" ? "whole slice" : "around the level");
  }

  /** After pan and zoom by hand the view stays as it is, whatever the window does. */
  moved(change, home = false) {
    change();
    this.centred = home;
    this.pane.redraw("image", "overlay");
    this.other?.follow();
    this.refreshReadout();
  }

  zoomBy(steps) {
    const { width, height } = this.pane;
    const { crosshair } = this.bench;
    const at = crosshair ? this.pane.view.place(crosshair) : [width / 2, height / 2];
    this.moved(() => this.pane.view.zoomAt(steps, at));
  }

  /** The crosshair does not walk out of sight. */
  follow() {
    const [x, y] = this.pane.view.place(this.bench.crosshair);
    const { width, height } = this.pane;
    const inwards = (at, size) => (at < 20 ? 20 - at : Math.min(0, size - 20 - at));
    const [dx, dy] = [inwards(x, width), inwards(y, height)];
    if (dx || dy) this.moved(() => this.pane.view.pan(dx, dy));
  }

  /** A preset by its number, or that of the level; it goes with the reader. */
  preset(n) {
    const { level, seen } = this.reading;
    const series = seen.windows[n];
    if (!series && !(n === LEVEL && level)) return;
    sessionStorage.setItem(PRESET, n);
    this.pane.view.window(...(series ? [series.low, series.high] : levelWindow(this.reading)));
    this.rewindow();
    if (this.size) say(`window ${series?.name ?? "of the level"}`);
  }

  /** The preset of the case before; that of the level has to wait for it. */
  firstWindow() {
    const before = sessionStorage.getItem(PRESET) ?? LEVEL;
    this.pane.view.window(...levelWindow(this.reading));
    this.rewindow();
    this.preset(before === LEVEL ? LEVEL : Number(before));
  }

  windowBy(dx, dy) {
    const { low, high } = this.reading.seen.windows[0];
    this.pane.view.dragWindow(dx, dy, high - low);
    this.rewindow();
  }

  rewindow() {
    this.pane.rewindow();
    clearTimeout(this.repainting);
    this.repainting = setTimeout(() => this.strip.paint(this.pane.view, this.reading.seen.scale), 120);
    this.refreshReadout();
  }

  smooth() {
    this.pane.smooth = !this.pane.smooth;
    this.pane.redraw("image");
    say(this.pane.smooth ? "smooth" : "pixels as they are");
  }

  bare() {
    this.hidden = !this.hidden;
    this.bench.draw();
    say(this.hidden ? "drawing hidden" : "drawing shown");
  }

  hold(panning) {
    this.bench.panning = panning;
    this.bench.cursor();
  }

  arrow(dx, dy, far) {
    const by = far ? 4 : 1;
    if (this.bench.panning) this.moved(() => this.pane.view.pan(-PAN * by * dx, -PAN * by * dy));
    else if (this.bench.tool.name === "window") this.windowBy(10 * by * dx, 10 * by * dy);
    else this.bench.arrow(dx, dy, far);
  }

  // The hand

  take(name) {
    this.bench.take(name);
    this.focus();
  }

  /** Tools that ask the server say how they are used, and whether it can be asked. */
  taken() {
    const hint = HINTS[this.bench.tool.name];
    this.refresh();
    if (hint && this.reading.outbox.kind === "offline") this.note(NEEDS_SERVER);
    else if (hint) say(hint);
  }

  async suggested(asked) {
    try {
      return await this.reading.suggest(this.bench.slice, asked);
    } catch (error) {
      if (error.status === 401) dispatchEvent(new Event("locked"));
      else this.note(error.status ? `${error.message} ${error.remedy ?? ""}` : NEEDS_SERVER);
      return null;
    }
  }

  hindrance() {
    if (this.conflict) return "Decide first whose state goes on.";
    if (this.asking) return "The fill is on its way: a moment.";
    if (this.preview) return "Accept or reject the fill first: Enter or Escape.";
    if (this.reading.signed) return "This case is signed. Reopen it to change it.";
    return null;
  }

  /** True when nothing else has to be decided; says what has to be otherwise. */
  free() {
    const scouting = this.bench.tool === this.scout;
    const why = this.hindrance() ?? (scouting ? `Show first where ${this.reading.seen.level} is.` : null);
    if (why) say(why);
    return why === null;
  }

  commit({ slice, content, tool }) {
    this.reading.commit(slice, content, tool, this.timer.seconds);
  }

  enter(event) {
    if (this.preview) this.accept();
    else this.bench.enter(event);
  }

  walk(by) {
    return (this.bench.free && this.bench.tool.walk?.(by)) ?? false;
  }

  remove() {
    return (this.bench.free && this.bench.tool.remove?.()) ?? false;
  }

  escape() {
    if (this.preview) this.reject();
    else if (!this.bench.tool.escape?.()) {
      this.bench.crosshair = null;
      this.bench.draw();
    }
  }

  nobody() {
    if (!this.free()) return;
    const was = this.bench.content?.kind === "nobody";
    this.bench.setDraft([]);
    this.bench.commit(was ? null : { kind: "nobody" }, was ? "clear" : "nobody");
  }

  clear() {
    if (this.free() && this.bench.content !== null) this.bench.commit(null, "clear");
  }

  async undo() {
    if (!this.free() || this.bench.tool.undo?.()) return;
    await this.turned("undo", this.reading.canUndo);
  }

  async redo() {
    if (this.free()) await this.turned("redo", this.reading.canRedo);
  }

  async turned(verb, can) {
    this.bench.tool.leave?.();
    if (!can) {
      say(`Nothing to ${verb}.`);
      return;
    }
    const slices = await this.attempt(() => this.reading[verb](this.timer.seconds));
    if (slices?.length && !slices.includes(this.bench.slice)) this.show(slices[0]);
    this.announce(slices?.length ? `${verb}: slice ${listed(slices)}` : verb);
  }

  confirmed(k, [x, y]) {
    this.reading.confirmLevel(k, [x, y], this.timer.seconds);
    this.scout = null;
    this.firstWindow();
    this.bench.take("polygon");
    this.centred = true;
    this.moved(() => this.fit(), true);
    this.show(k);
    this.arrived();
    say(`${this.reading.seen.level} confirmed. Polygon: click along the edge of the body.`);
  }

  // Fill between

  async fill() {
    if (!this.free() || this.reading.seen.assistance.fill === false) return;
    this.asking = true;
    const preview = await this.attempt(() => this.reading.between());
    this.asking = false;
    if (!preview || this.closed) return;
    if (!preview.size) {
      this.note("Nothing lies between drawn slices. Draw the first and the last slice of the body, and every "
        + "second or third between them.");
      return;
    }
    this.preview = preview;
    this.masks = new Map([...preview].map(([k, runs]) =>
      [k, maskOfRuns(runs, this.reading.rows, this.reading.columns)]));
    if (!preview.has(this.bench.slice)) this.show(Math.min(...preview.keys()));
    else this.refresh();
    this.focus();
    say(`Fill proposed for slices ${listed(this.previewed())}. Enter accepts, Escape rejects.`);
  }

  previewed() {
    return [...this.preview.keys()].toSorted((a, b) => a - b);
  }

  accept() {
    const { preview } = this;
    this.preview = null;
    this.reading.accept(preview, this.timer.seconds);
    this.announce(`${plural(preview.size, "slice")} filled, one undo takes all of them back`);
    this.focus();
  }

  reject() {
    this.preview = null;
    this.refresh();
    say("Fill rejected: nothing was recorded.");
    this.focus();
  }

  // A proposal of another program

  async propose() {
    if (!this.free()) return;
    const slices = await this.attempt(() => this.reading.propose(this.timer.seconds));
    if (!slices) return;
    if (!slices.includes(this.bench.slice)) this.show(slices[0]);
    const word = slices.length === 1 ? "slice" : "slices";
    this.announce(`Another program proposes ${word} ${listed(slices)}: look at each, and correct it. `
      + "One undo takes all of them back.");
    this.focus();
  }

  // Quality, signing

  /** What is being written is not saved, and is sent when the hand rests. */
  judge() {
    if (!this.typed) this.reading.outbox.expect();
    clearTimeout(this.typed);
    this.typed = setTimeout(() => this.sendJudgement(), TYPED);
  }

  sendJudgement() {
    clearTimeout(this.typed);
    this.typed = null;
    return this.reading.judge(this.palette.quality, this.timer.seconds, true);
  }

  async submit() {
    if (!this.free()) return;
    if (this.bench.tool.strokes) {
      say("Accept or reject first what GrowCut offers.");
      return;
    }
    if (this.typed) await this.sendJudgement();
    const { reading, bench } = this;
    const open = [...bench.drafts.keys()].filter((k) => bench.drafts.get(k).length);
    const missing = reading.state.quality.flags.includes("not_measurable") ? [] : reading.missing;
    if (missing.length || open.length) await this.refuse(missing, open);
    else await this.sign();
  }

  async refuse(missing, open) {
    const one = missing[0] ?? open[0];
    const lines = [
      missing.length ? h("p", {}, `${missing.length === 1 ? "Slice" : "Slices"} `,
        h("strong", {}, listed(missing)), ` ${missing.length === 1 ? "is" : "are"} neither drawn, `,
        "nor filled, nor marked “no body on this slice”.") : null,
      open.length ? h("p", {}, "The outline on slice ", h("strong", {}, listed(open)),
        " is not closed: close it with ",
        "Shift+Enter or a click on its first point, or drop it with Escape.") : null,
      missing.length ? h("p", { class: "small" },
        "If the body cannot be outlined at all, mark the case as not measurable.") : null,
    ];
    const answer = await ask("Not yet complete", lines,
      [{ label: `Go to slice ${one + 1}`, value: "go", main: true }, { label: "Back", value: "" }]);
    if (answer) this.show(one);
    this.focus();
  }

  async sign() {
    const { reading } = this;
    const counts = Object.entries(Object.groupBy(reading.contents.keys(), (k) => stateOf(reading, k)))
      .map(([state, slices]) => h("li", {}, `${plural(slices.length, "slice")} ${STATES[state][1]}`));
    const answer = await ask(`Sign ${this.title}?`, [h("ul", {}, counts), this.flagged(),
      h("p", { class: "small" },
        "A signed case is locked. It can be reopened with a reason, which stays in the record.")],
    [{ label: "Sign", value: "sign", main: true }, { label: "Not yet", value: "" }]);
    const sent = async () => {
      await reading.ask("submit", { seconds: this.timer.seconds });
      return true;
    };
    if (answer && (await this.attempt(sent))) this.signed();
    else this.focus();
  }

  flagged() {
    const { flags } = this.reading.state.quality;
    return flags.length ? h("p", {}, `Quality: ${flagWords(flags)}.`) : null;
  }

  signed() {
    say("Signed.");
    this.refresh();
    this.arrived();
    if (this.reading.seen.training) this.leave("training");
  }

  async reopen() {
    const reason = h("textarea", { id: "reason", rows: 3, required: true, maxlength: 2000, autofocus: true });
    const answer = await ask("Reopen this case",
      [h("p", {}, "The reason stays in the record beside the signature."),
      h("label", { for: "reason" }, "Reason"), reason],
    [{ label: "Reopen", value: "reopen", main: true }, { label: "Leave it signed", value: "" }]);
    const said = { reason: reason.value.trim(), seconds: this.timer.seconds };
    if (answer && said.reason) await this.attempt(() => this.reading.ask("reopen", said));
    this.focus();
  }

  // Saved or not

  told({ kind, waiting, error }) {
    const before = this.status.element.dataset.kind;
    this.status.show({ kind, waiting });
    this.refreshReadout();
    if (kind === "saved") this.reached();
    if (kind !== before && kind !== "saving") this.announceStatus(kind);
    if (kind === "conflict" && error) this.other409(error);
    if (kind === "locked") dispatchEvent(new Event("locked"));
  }

  /** Says what was done; once it is saved that is said with it. */
  announce(text) {
    this.justDone = text;
    say(text);
  }

  announceStatus(kind) {
    const parts = kind === "saved" ? [this.justDone, this.sentence()] : [this.status.words.textContent];
    if (kind === "saved") this.justDone = null;
    say(parts.filter(Boolean).join("; "));
  }

  async other409(error) {
    this.preview = null;
    this.conflict = { state: error.state, ...(await this.reading.yieldTo(error.state)) };
    this.reading.show(error.state);
    if (this.conflict.mine.length) this.show(this.conflict.mine[0][0]);
    else this.refresh();
  }

  /** Filled slices are not drawn by hand: they are filled anew, on the newer state. */
  async decide(again) {
    const { state, mine, quality, level } = this.conflict;
    this.conflict = null;
    const filled = again ? mine.filter(([, held]) => held.provenance === "filled") : [];
    const judged = this.reading.outbox.changes.some(({ kind }) => kind === "quality")
      ? this.palette.quality : quality;
    const drawn = mine.filter(([, held]) => held.provenance !== "filled");
    const wanted = again ? { mine: drawn, quality: judged, level } : { mine: [] };
    await this.attempt(() => this.reading.settle(state, wanted, this.timer.seconds));
    if (filled.length) {
      this.note(`Slices ${listed(filled.map(([k]) => k))} were filled: press F to fill them again `
        + "on the newer state.");
    }
    this.refresh();
    this.focus();
  }

  /** Said, and the server's state is shown again. */
  notTaken(error) {
    this.note(`${error.message} ${error.remedy ?? ""}`);
    this.reading.refetch().catch(() => null);
  }

  /** What the server refuses or cannot be asked is told, and nothing is lost. */
  async attempt(act) {
    try {
      const done = await act();
      this.reached();
      return done;
    } catch (error) {
      if (error.status === 409) this.told({ kind: "conflict", waiting: 0, error });
      else if (error.status === 401) dispatchEvent(new Event("locked"));
      else if (error.status) this.notTaken(error);
      else this.note(NOT_REACHED);
      return null;
    }
  }

  /** What was said of a server that could not be reached is over. */
  reached() {
    if (![NOT_REACHED, NEEDS_SERVER].includes(this.noted)) return;
    this.noted = null;
    this.refresh();
  }

  note(text) {
    this.noted = text;
    this.refresh();
    this.reveal();
    say(text);
  }

  /** A word that was just written is sent first. What comes after the case was left moves nobody. */
  leave(where) {
    if (this.closed) return;
    if (this.typed) this.sendJudgement();
    this.goTo(where);
  }

  instructions() {
    showInstructions(this.reading.seen.instructions, this.reading.seen.level).then(() => this.focus());
  }

  help() {
    showHelp(bindingsOf(this)).then(() => this.focus());
  }

  // What is shown

  mark(k) {
    if (this.preview?.has(k)) return "preview";
    if (this.reading.content(k) === null && this.bench.drafts.has(k)) return "draft";
    return stateOf(this.reading, k);
  }

  refresh() {
    const { reading, bench } = this;
    const marks = new Map(Array.from({ length: reading.slices }, (_, k) => [k, this.mark(k)]));
    this.strip.update(bench.slice, marks);
    const left = reading.missing.length;
    this.palette.update(bench, left ? `${plural(left, "slice")} to do` : "All slices are done");
    if (!this.typed) this.palette.fillIn();
    this.where.textContent = `${reading.slices - left} of ${reading.slices} slices done`;
    this.showBadge(BADGES[stateOf(reading, bench.slice)]);
    this.pane.overlay.setAttribute("aria-label", `Drawing surface, ${this.sentence()}`);
    this.bars.replaceChildren(...this.barsNow().filter(Boolean));
    this.element.classList.toggle("unplaced", !reading.level);
    this.element.classList.toggle("scouting", bench.tool === this.scout && Boolean(this.scout));
    this.refreshReadout();
    this.tick();
    bench.draw();
  }

  showBadge(text = null) {
    this.badge.hidden = text === null;
    this.badge.textContent = text;
  }

  refreshReadout() {
    const { view } = this.pane;
    const [width, level] = [view.high - view.low, (view.high + view.low) / 2].map(Math.round);
    this.readout.textContent = [`Slice ${this.bench.slice + 1} / ${this.reading.slices}`,
      `W ${width} L ${level}`,
      `${view.zoom.toFixed(1)} px/mm`, ...this.status.warning].join("   ");
  }

  tick() {
    this.clock.textContent = clock(this.timer.seconds);
  }

  barsNow() {
    return [this.conflictBar(), this.preview && this.fillBar(),
      this.bench.tool.bar?.(bar), this.bench.tool === this.scout && this.scout?.element,
      this.reading.signed && this.signedBar(), this.noted && this.noteBar()];
  }

  fillBar() {
    const text = `Fill proposes slices ${listed(this.previewed())}. Look at each with the wheel or PageDown.`;
    return bar("fill", text, button("Accept", "Enter", () => this.accept(), { class: "main" }),
      button("Reject", "Esc", () => this.reject(), { class: "quiet" }));
  }

  conflictBar() {
    if (!this.conflict) return null;
    const { mine, quality, level } = this.conflict;
    const slices = mine.length && `slice ${listed(mine.map(([k]) => k))}`;
    const parts = [slices, quality && "quality", level && "level"].filter(Boolean);
    const what = parts.length ? `Yours that did not arrive (${parts.join(", ")}) is dashed.`
      : "Nothing of yours is missing.";
    return bar("conflict", `Another window changed this case; its newer state is shown. ${what}`,
      parts.length ? button("Put mine on top", "", () => this.decide(true), { class: "main" }) : null,
      button(parts.length ? "Keep the newer state" : "Go on", "", () => this.decide(false),
        { class: parts.length ? "quiet" : "main" }));
  }

  signedBar() {
    const { training } = this.reading.seen;
    return bar("signed", "Signed: this case is locked.",
      button("Next case", "N", () => this.leave("next"), { class: "main" }),
      training ? button("Result", "", () => this.leave("training"), { class: "quiet" }) : null,
      training ? null : button("Reopen…", "", () => this.reopen(), { class: "quiet" }));
  }

  noteBar() {
    return bar("note", this.noted, button("Close", "", () => {
      this.noted = null;
      this.refresh();
    }, { class: "quiet" }));
  }

  paint(pen) {
    if (this.hidden) return;
    const { bench } = this;
    const proposed = this.preview?.has(bench.slice) ? this.masks.get(bench.slice) : null;
    if (proposed) pen.mask(proposed, "fill", { border: true, dash: [6, 4], leaning: -1 });
    else this.paintOwn(pen);
    this.paintMine(pen);
    this.paintLevel(pen);
    if (bench.free && bench.crosshair) pen.cross(bench.crosshair, "marker");
  }

  paintOwn(pen) {
    const { bench, reading } = this;
    const held = bench.tool.draw && bench.free;
    const content = bench.tool.content ?? bench.content;
    const painted = content?.kind === "runs" || bench.tool.mask;
    const untouched = ["filled", "proposed"].includes(stateOf(reading, bench.slice));
    pen.mask(bench.shownMask, untouched ? "fill" : "own",
      { border: Boolean(painted) });
    const vertices = held && bench.tool.name === "polygon";
    if (!vertices && content?.kind === "polygons" && !bench.tool.mask) {
      content.polygons.forEach((one) => pen.polygon(one, "own"));
    }
    if (held) bench.tool.draw(pen);
    if (!vertices && !bench.tool.drafts && bench.draft.length) {
      pen.polygon(bench.draft, "own", { closed: false, handles: true, dash: [2, 3] });
    }
  }

  paintMine(pen) {
    const held = this.conflict?.mine.find(([k]) => k === this.bench.slice)?.[1];
    if (!held) return;
    const mask = maskOf(held.content, this.reading.rows, this.reading.columns);
    pen.mask(mask, "mine", { border: true, dash: [6, 4], leaning: -1 });
  }

  /** The marker stays in sight on every slice. */
  paintLevel(pen) {
    const { level, seen } = this.reading;
    if (!level) return;
    const here = level.slice === this.bench.slice;
    pen.marker([level.x, level.y], seen.level, here ? "marker" : "faint");
  }
}

const bar = (kind, text, ...choices) => h("section",
  { class: `bar ${kind}`, role: "group", "aria-label": kind },
  h("p", {}, text), h("div", { class: "choices" }, choices));

// One case as its reader sees it: what the server holds, and on top of it what is on its way there.
// The server's journal is the state; steps made since the case was opened are known here too, so that
// undo answers at once and works without a network.

import * as api from "./api.js";
import { freshId } from "./dom.js";
import { Outbox } from "./outbox.js";
import * as queue from "./queue.js";
import { digestOf, maskOf, runsOf } from "./raster.js";

export const FLAGS = [
  ["motion", "Motion"],
  ["artefact", "Artefact"],
  ["wrong_level", "Wrong level"],
  ["not_measurable", "Not measurable"],
];

const WORDS = Object.fromEntries(FLAGS.map(([name, label]) => [name, label.toLowerCase()]));

/** "motion, wrong level". */
export const flagWords = (flags) => flags.map((flag) => WORDS[flag] ?? flag).join(", ");

/** Provenance of a slice after an edit by hand. */
function byHand(before, content) {
  if (content === null) return null;
  if (content.kind === "nobody") return "nobody";
  if (before?.startsWith("filled")) return "filled_corrected";
  if (before?.startsWith("proposed")) return "proposed_corrected";
  return "drawn";
}

/** What waits is looked at first: a change that arrives meanwhile is sent again, and known by its id. */
export async function loadReading(token) {
  const changes = await queue.waiting(token);
  const [seen, image] = await Promise.all([api.openCase(token), api.pixels(token)]);
  return { seen, image, changes };
}

export class Reading extends EventTarget {
  constructor({ seen, image, changes }) {
    super();
    const [slices, rows, columns] = seen.shape;
    Object.assign(this, {
      seen, image, slices, rows, columns, token: seen.token, past: [], future: [], owed: false,
    });
    this.masks = new Map();
    this.order = Promise.resolve();
    this.state = seen.state;
    this.contents = seen.state.slices.map(({ content, provenance }) => ({ content, provenance }));
    this.outbox = new Outbox(this.token, seen.state.revision, changes);
    for (const { effect } of changes) this.put(effect);
    this.outbox.addEventListener("answer", ({ detail }) => this.answered(detail));
    if (changes.length) this.outbox.drain();
  }

  /** What the hand did last is still sent. */
  close() {
    this.outbox.rest();
  }

  get signed() {
    return this.state.signed;
  }

  get level() {
    return this.state.level;
  }

  content = (k) => this.contents[k].content;
  provenance = (k) => this.contents[k].provenance;

  /** Mask of a slice, counted once until its content changes. */
  mask(k) {
    if (!this.masks.has(k)) this.masks.set(k, maskOf(this.content(k), this.rows, this.columns));
    return this.masks.get(k);
  }

  /** Slices that are neither drawn, filled nor marked as without a body. */
  get missing() {
    return this.contents.flatMap(({ content }, k) => (content === null ? [k] : []));
  }

  /** Whether there is a slice on which no hand was: a proposal takes no other. */
  get untouched() {
    return this.contents.some(({ provenance }) => !provenance || provenance === "filled");
  }

  get canUndo() {
    return this.past.length > 0 || (this.outbox.empty && this.state.undo);
  }

  get canRedo() {
    return this.future.length > 0 || (this.outbox.empty && this.state.redo);
  }

  changed() {
    this.dispatchEvent(new Event("change"));
  }

  put(effect) {
    for (const [k, held] of effect) {
      this.contents[k] = held;
      this.masks.delete(k);
    }
  }

  /** Shows a step now, remembers what was there, and sends it. */
  step(effect, request) {
    this.past.push({ before: effect.map(([k]) => [k, this.contents[k]]), after: effect });
    this.future = [];
    this.put(effect);
    this.send({ ...request, effect });
    this.changed();
  }

  /** In the order of the hand, whatever takes its time (digests do). */
  send({ expected = false, ...request }) {
    if (!expected) this.outbox.expect();
    this.order = this.order.then(async () => {
      const body = { id: freshId(), ...(await request.body()) };
      return this.outbox.push({ effect: [], ...request, body });
    });
    return this.order;
  }

  /** Records the content of one slice. */
  commit(k, content, tool, seconds) {
    const effect = [[k, { content, provenance: byHand(this.provenance(k), content) }]];
    const body = async () => ({ tool, content, after: await this.digest(content), seconds });
    this.step(effect, { method: "PUT", path: `${api.ticket(this.token)}/slice/${k}`, body });
  }

  digest(content) {
    return digestOf(runsOf(content, this.rows, this.columns), this.rows, this.columns);
  }

  /** What a smart tool offers; the level has to be there before the server is asked. */
  async suggest(k, asked) {
    await this.order;
    await this.outbox.settled();
    return (await api.suggest(this.token, k, asked)).content;
  }

  /** Asks what lies between the drawn slices: {slice: runs}, stored nowhere. */
  async between() {
    await this.outbox.settled();
    const { slices } = await api.between(this.token, null);
    return new Map(Object.entries(slices).map(([k, runs]) => [Number(k), runs]));
  }

  /** Records a preview that the reader accepted: one step over all its slices. */
  accept(preview, seconds) {
    const effect = [...preview].map(([k, runs]) =>
      [k, { content: { kind: "runs", runs }, provenance: "filled" }]);
    const body = async () => ({ seconds, digests: Object.fromEntries(await Promise.all(
      [...preview].map(async ([k, runs]) => [k, await digestOf(runs, this.rows, this.columns)]),
    )) });
    this.step(effect, { method: "PUT", path: `${api.ticket(this.token)}/between`, body });
  }

  undo = (seconds) => this.turn("undo", seconds, this.past, this.future, "before");
  redo = (seconds) => this.turn("redo", seconds, this.future, this.past, "after");

  /** Answers the slices it changed. A step made before the case was opened only the server knows. */
  async turn(verb, seconds, from, to, side) {
    const path = `${api.ticket(this.token)}/${verb}`;
    const request = { method: "POST", path, body: async () => ({ seconds }) };
    const step = from.pop();
    to.push(step ?? null);
    if (step) this.put(step[side]);
    const before = this.contents;
    const sent = this.send({ ...request, effect: step ? step[side] : [] });
    this.changed();
    if (step) return step[side].map(([k]) => k);
    await sent;
    await this.outbox.settled();
    return this.changedSince(before);
  }

  changedSince(before) {
    return this.contents.flatMap((held, k) => (same(held, before[k]) ? [] : [k]));
  }

  /** Takes over what another program proposes; answers the slices. A step that the server knows alone. */
  async propose(seconds) {
    const before = this.contents;
    await this.ask("proposal", { seconds });
    this.past.push(null);
    this.future = [];
    this.changed();
    return this.changedSince(before);
  }

  async confirmLevel(slice, [x, y], seconds) {
    this.state = { ...this.state, level: { slice, x, y } };
    const sent = this.send({
      method: "PUT", path: `${api.ticket(this.token)}/level`, kind: "level",
      body: async () => ({ slice, x, y, seconds }),
    });
    this.changed();
    await sent;
  }

  /** `expected`: the outbox was told of it when it was begun to be written. */
  judge(quality, seconds, expected = false) {
    this.state = { ...this.state, quality };
    this.changed();
    return this.send({
      method: "PUT", path: `${api.ticket(this.token)}/quality`, kind: "quality", expected,
      body: async () => ({ ...quality, seconds }),
    });
  }

  /** Submitting, reopening and a proposal: answered by the server or not done. */
  async ask(verb, body = {}) {
    await this.order;
    await this.outbox.settled();
    const path = `${api.ticket(this.token)}/${verb}`;
    this.adopt(await api.write("POST", path, { id: freshId(), ...body }, this.outbox.revision));
  }

  /** A whole state is shown as soon as the hand has nothing newer on its way. */
  answered({ change, answer }) {
    const { revision, undo, redo } = answer;
    this.state = { ...this.state, revision, undo, redo };
    if (!this.outbox.empty) this.owed ||= Boolean(answer.slices);
    else if (answer.slices) this.adopt(answer);
    else if (this.owed) this.catchUp();
    else if (answer.provenance !== undefined) this.told(change, answer);
    this.changed();
  }

  async catchUp() {
    const { state } = await api.openCase(this.token).catch(() => ({ state: null }));
    if (state && this.outbox.empty && state.revision === this.outbox.revision) this.adopt(state);
  }

  told(change, { provenance }) {
    for (const [k] of change.effect) this.contents[k] = { ...this.contents[k], provenance };
  }

  /** The server's state is the state. */
  adopt(state) {
    this.owed = false;
    this.outbox.revision = state.revision;
    this.show(state);
  }

  /** The server's state as it is now; steps known here are no longer those of its journal. */
  async refetch() {
    await this.outbox.settled();
    this.past = [];
    this.future = [];
    this.adopt((await api.openCase(this.token)).state);
  }

  /** Shows a state of the server, whatever waits to be sent. */
  show(state) {
    this.state = state;
    this.contents = state.slices.map(({ content, provenance }) => ({ content, provenance }));
    this.masks.clear();
    this.changed();
  }

  /** Another tab was here: its state is shown, and what had not arrived is handed back. */
  async yieldTo(state) {
    await this.order;
    const touched = [...new Set(this.outbox.changes.flatMap(({ effect }) => effect.map(([k]) => k)))];
    const mine = touched.map((k) => [k, this.contents[k]]);
    const quality = this.outbox.changes.some(({ kind }) => kind === "quality") ? this.state.quality : null;
    const level = this.outbox.changes.some(({ kind }) => kind === "level") ? this.state.level : null;
    this.past = [];
    this.future = [];
    this.state = state;
    return { mine: mine.filter(([k, held]) => !same(held, stateOf(state, k))), quality, level };
  }

  /** After the reader has chosen: what was handed back is taken out of the queue, and sent anew. */
  async settle(state, again, seconds) {
    await this.outbox.surrender(state.revision);
    this.adopt(state);
    if (again.level && !state.level) {
      const { slice, x, y } = again.level;
      await this.confirmLevel(slice, [x, y], seconds);
    }
    for (const [k, { content }] of again.mine) this.commit(k, content, toolOf(content), seconds);
    if (again.quality) await this.judge(again.quality, seconds);
  }
}

const stateOf = (state, k) => ({ content: state.slices[k].content, provenance: state.slices[k].provenance });

const same = (a, b) => JSON.stringify(a.content) === JSON.stringify(b.content);

const TOOLS = { polygons: "polygon", runs: "brush", nobody: "nobody" };
const toolOf = (content) => (content === null ? "clear" : TOOLS[content.kind]);

// The page: who is there, and which screen is shown. Nothing of a case stands in the address; where
// the reader was is kept in the tab alone.

import * as api from "./api.js";
import { freshId, h } from "./dom.js";
import { Editor } from "./editor.js";
import { entrance, linkSecret } from "./entrance.js";
import { resume } from "./outbox.js";
import * as queue from "./queue.js";
import { Lead } from "./lead.js";
import { listen } from "./keys.js";
import { loadReading, Reading } from "./reading.js";
import { say } from "./speech.js";
import { Result } from "./training.js";
import { nextCase, numbered, titleOf, Worklist } from "./worklist.js";

const room = document.getElementById("room");

const HERE = "here";

/** Milliseconds between two looks at whether the screen has to lock. */
const LOOK = 1000;

/** Milliseconds between two looks at what waits to be sent. */
const DRAINED = 1000;

/** Milliseconds after which the server is told that somebody is there. */
const TELL = 60000;

const state = { me: null, shown: null, cases: [], seen: performance.now(), told: 0, locked: false, asked: 0 };

function show(screen, name) {
  state.shown = screen;
  room.replaceChildren(screen.element ?? screen);
  scrollTo(0, 0);
  document.title = `${name} · Reading room`;
  room.querySelector("h1")?.focus({ preventScroll: true });
}

const keep = (here) => sessionStorage.setItem(HERE, JSON.stringify(here));
const kept = () => JSON.parse(sessionStorage.getItem(HERE) ?? "null");

/** The screen before is over, and so is a dialogue that was left open on it. */
function clear() {
  document.querySelectorAll("dialog[open]").forEach((dialog) => dialog.close());
  state.shown?.close?.();
  state.shown = null;
}

/**
 * Shows what `build` makes of what `load` brings; what goes wrong is a screen of its own, with a way
 * on. A screen that was asked for later is the one that is built, however long each takes.
 */
async function screen(name, load, build) {
  const asked = state.asked += 1;
  room.setAttribute("aria-busy", "true");
  try {
    const loaded = await load();
    if (asked !== state.asked) return;
    clear();
    show(build(loaded), name);
    state.shown.arrived?.();
  } catch (error) {
    if (asked !== state.asked) return;
    if (error.status === 401) lock();
    else showFailure(error, () => screen(name, load, build));
  } finally {
    if (asked === state.asked) room.removeAttribute("aria-busy");
  }
}

const lead = new Lead({ keep, screen, bar: () => bar() });

function showFailure(error, again) {
  const told = failure(error, again);
  clear();
  show(told, "Error");
}

function failure(error, again) {
  const told = error.status ? [error.message, error.remedy ?? ""] : [
    "The reading room's server cannot be reached.",
    "Is “centrum read” still running? Changes that were not yet sent are kept on this computer.",
  ];
  if (!error.status && !(error instanceof api.Offline)) throw error;
  return h("div", { class: "empty failure" },
    h("h1", { tabindex: -1 }, "That did not work"), h("p", {}, told[0]), h("p", { class: "small" }, told[1]),
    h("div", { class: "choices" },
      h("button", { type: "button", class: "main", onclick: again }, "Try again"),
      h("button", { type: "button", class: "quiet", onclick: home }, "Back")));
}

// Screens

const home = () => (state.me?.lead ? lead.list() : worklist());

async function worklist() {
  keep(null);
  await screen("Worklist", () => Promise.all([work(), queue.counts()]), ([cases, waiting]) => {
    state.cases = cases;
    const list = new Worklist(cases, waiting, openCase);
    const watched = setInterval(() => watchQueue(list), DRAINED);
    const stop = nextKey();
    const close = () => {
      clearInterval(watched);
      stop();
    };
    return { element: h("div", { class: "page" }, bar(), list.element), close };
  });
}

/** What waits is sent while the worklist is looked at: it says so when it has arrived. */
async function watchQueue(list) {
  if (!list.waits) return;
  const waiting = await queue.counts();
  if (list.tells(waiting)) return;
  const cases = await work().catch(() => null);
  if (!cases) return;
  state.cases = cases;
  list.show(cases, waiting);
}

const bar = () => h("header", { class: "masthead" },
  h("span", { class: "brand" }, "Reading room"), h("span", { class: "reader" }, state.me.reader),
  h("button", { type: "button", class: "quiet", onclick: lockNow }, "Lock"));

/** N on the worklist opens the case to go on with. */
function nextKey() {
  const run = () => {
    const next = nextCase(state.cases);
    if (next) openCase(next);
  };
  return listen([{ keys: ["N"], run }], () => true);
}

const work = async () => numbered(await api.worklist());

async function openCase(one) {
  keep({ token: one.token });
  await screen(titleOf(one), () => loadReading(one.token), (loaded) => {
    const reading = new Reading(loaded);
    return new Editor(reading, `${titleOf(one)} · ${reading.seen.level}`, (where) => leave(one, where));
  });
}

async function leave(one, where) {
  if (where === "worklist") await worklist();
  else if (where === "training") await result(one);
  else await next(one);
}

/** The case after one; the worklist where it cannot be asked for, which says why. */
async function next(one) {
  const asked = state.asked += 1;
  const cases = await work().catch(() => []);
  if (asked !== state.asked) return;
  const following = nextCase(cases, one.token);
  if (following) await openCase(following);
  else await worklist();
}

async function result(one) {
  keep({ token: one.token, result: true });
  const load = () => Promise.all([loadReading(one.token), api.trainingResult(one.token)]);
  await screen(titleOf(one), load, ([loaded, found]) =>
    new Result(new Reading(loaded), found, titleOf(one), { worklist, next: () => next(one) }));
}

// The lock

function lock() {
  if (state.locked) return;
  state.locked = true;
  state.asked += 1;
  room.removeAttribute("aria-busy");
  const known = state.me?.reader;
  const pin = state.me?.pin ?? true;
  clear();
  show(entrance({
    title: known ? "Locked" : "Reading room",
    text: known ? lockedText(pin) : "Enter with the link that you were given, or with your name and PIN.",
    reader: known, pin,
  }, entered), "Locked");
}

const lockedText = (pin) => `The screen is locked; your work is kept. ${pin
  ? "Enter your PIN to go on where you were."
  : "Enter by the new link that was made for you where the room runs."}`;

async function lockNow() {
  await api.lock().catch(() => null);
  lock();
}

/** A hand that looks and does not draw is there, too: the server hears of it. */
function stillHere(now) {
  state.told = now;
  (state.me.lead ? api.progress() : api.worklist()).catch((error) => error.status === 401 && lock());
}

function watchIdle() {
  for (const sign of ["pointermove", "pointerdown", "keydown", "wheel"]) {
    addEventListener(sign, () => {
      state.seen = performance.now();
    }, { passive: true });
  }
  setInterval(() => {
    if (!state.me || state.locked) return;
    const now = performance.now();
    if (now - state.seen > state.me.idle_minutes * 60000) lockNow();
    else if (state.seen > state.told && now - state.told > TELL) stillHere(now);
  }, LOOK);
  addEventListener("locked", lock);
}

// The start

async function entered(me) {
  const before = state.me?.reader;
  Object.assign(state, { me, locked: false, seen: performance.now() });
  if (before === me.reader) resume();
  const here = before && before !== me.reader ? null : kept();
  if (me.lead) return lead.begin(here);
  if (!here) return worklist();
  state.cases = await work().catch(() => []);
  const one = state.cases.find(({ token }) => token === here.token);
  if (!one) return worklist();
  return here.result && one.state === "signed" ? result(one) : openCase(one);
}

async function arrive() {
  const link = linkSecret();
  const me = await (link ? api.enter({ link }) : api.me());
  if (me.locked) {
    state.me = me;
    lock();
  } else await entered(me);
}

async function start() {
  await queue.nameTab(freshId);
  watchIdle();
  try {
    await arrive();
  } catch (error) {
    if (error.status === 401) lock();
    else showFailure(error, start);
  }
  say(document.title);
}

start();

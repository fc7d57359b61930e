// Elements without a framework. Text becomes text nodes, never markup: nothing a study contains can
// run as code.

const SVG = "http://www.w3.org/2000/svg";

function give(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
}

function made(element, attributes, children) {
  give(element, attributes);
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** An HTML element: `h("button", {class: "quiet", onclick: go}, "Go")`. */
export const h = (tag, attributes = {}, ...children) =>
  made(document.createElement(tag), attributes, children);

/** An SVG element. */
export const svg = (tag, attributes = {}, ...children) =>
  made(document.createElementNS(SVG, tag), attributes, children);

const ARIA_KEYS = { Ctrl: "Control", Esc: "Escape" };

/** A key as `aria-keyshortcuts` has it. */
const ariaKey = (key) => key.split("+").map((part) => ARIA_KEYS[part] ?? part).join("+") || null;

/** A button whose key is told to everybody: shown, and in aria-keyshortcuts. */
export function button(label, key, onclick, more = {}) {
  return h("button", { type: "button", onclick, "aria-keyshortcuts": ariaKey(key), ...more },
    h("span", { class: "label" }, label), key ? h("kbd", { "aria-hidden": "true" }, key) : null);
}

/**
 * A dialogue that answers with the value of the button pressed, null when it was left. The browser's
 * own element keeps the focus inside and gives it back.
 */
export function ask(title, body, buttons, more = {}) {
  const dialog = h("dialog", { "aria-labelledby": "dialog-title", ...more },
    h("form", { method: "dialog" }, h("h2", { id: "dialog-title" }, title), ...body,
      h("div", { class: "choices" }, buttons.map(choice))));
  document.body.append(dialog);
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue || null);
    });
    dialog.showModal();
    (dialog.querySelector("[autofocus]") ?? dialog.querySelector(".choices button")).focus();
  });
}

const choice = ({ label, value, main }) => h("button",
  { value, class: main ? "main" : "quiet", formnovalidate: !main }, label);

/** "1:05", "12:30", "1:02:03". */
export function clock(seconds) {
  const whole = Math.floor(seconds);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const shown = parts[0] ? parts : parts.slice(1);
  return shown.map((part, n) => (n ? String(part).padStart(2, "0") : part)).join(":");
}

/** "1, 2 and 5": numbers of slices as people count, from 1. */
export function listed(slices) {
  const numbers = slices.map((slice) => slice + 1);
  if (numbers.length < 2) return numbers.join("");
  return `${numbers.slice(0, -1).join(", ")} and ${numbers.at(-1)}`;
}

export const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;

/** 128 random bits in hexadecimal: the name of an edit, by which the server knows a repeated one. */
export function freshId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

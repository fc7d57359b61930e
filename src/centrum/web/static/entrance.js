// Who is there: entering by a one-time link or a PIN, and the lock after idling.

import * as api from "./api.js";
import { h, svg } from "./dom.js";

/** Secret of a one-time link; it stands behind #, which no server is sent, and leaves the address at once. */
export function linkSecret() {
  const found = /^#enter=([\w-]+)$/.exec(location.hash);
  if (found) history.replaceState(null, "", "/");
  return found?.[1] ?? null;
}

const seal = () => svg("svg", { viewBox: "0 0 48 48", class: "seal", "aria-hidden": "true" },
  svg("path", { d: "M14 22 V15 A10 10 0 0 1 34 15 V22 M10 22 H38 V42 H10 Z M24 29 V35" }));

/** The screen before the room; `entered(me)` goes on. `reader`: the name that is known already. */
export function entrance({ title, text, reader = "", pin = true }, entered) {
  const name = h("input",
    { id: "name", autocomplete: "username", required: true, value: reader, readonly: Boolean(reader) });
  const secret = h("input",
    { id: "pin", type: "password", inputmode: "numeric", autocomplete: "current-password", required: true });
  const said = h("p", { class: "said", role: "alert" });
  const knock = h("button", { class: "main" }, "Enter");
  const enter = async (event) => {
    event.preventDefault();
    if (knock.disabled) return;
    knock.disabled = true;
    try {
      entered(await api.enter({ reader: name.value, pin: secret.value }));
    } catch (error) {
      said.textContent = error.status ? `${error.message} ${error.remedy ?? ""}`
        : "The server cannot be reached. Try again.";
      secret.value = "";
      secret.focus();
    } finally {
      knock.disabled = false;
    }
  };
  const form = h("form", { onsubmit: enter }, h("label", { for: "name" }, "Name"), name,
    h("label", { for: "pin" }, "PIN"), secret, said,
    knock);
  return h("div", { class: "entrance" }, seal(), h("h1", { tabindex: -1 }, title), h("p", {}, text),
    pin ? form : null);
}

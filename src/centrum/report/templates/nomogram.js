"use strict";
(() => {
  /* The calculator of a nomogram: a field for each variable, its points, their sum, the probability. */
  const all = JSON.parse(document.getElementById("data-nomogram")?.textContent || "null");
  const place = document.getElementById("figure-nomogram");
  if (!all || !place) return;
  const make = (tag, attributes = {}, ...content) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...content);
    return node;
  };
  const number = (value, digits) => value.toFixed(digits).replace("-", "−");
  const least = (axis) => Math.min(...axis.effects);
  const span = (axis) => Math.max(...axis.effects) - least(axis);
  const perLogOdds = all.most / Math.max(...all.axes.map(span));
  const logit = (share) => Math.log(share / (1 - share));
  const field = (axis, k) => {
    const id = `nomogram-${k}`;
    if (axis.levels) {
      const levels = axis.begins === null ? ["", ...axis.levels] : axis.levels;
      const choice = make("select", { id }, ...levels.map((level) => make("option", {}, level)));
      choice.value = axis.begins ?? "";
      return choice;
    }
    const value = axis.begins === null ? "" : Number(axis.begins.toPrecision(4));
    return make("input", { id, type: "number", step: "any", value });
  };
  const effect = (axis, text) => {
    if (axis.levels) return axis.effects[axis.levels.indexOf(text)] ?? NaN;
    return text.trim() === "" ? NaN : axis.per_unit * Number(text);
  };
  const beyond = (axis, text) =>
    !axis.levels && text.trim() !== "" && (Number(text) < axis.ticks[0] || Number(text) > axis.ticks.at(-1));
  const fields = all.axes.map(field);
  const cells = all.axes.map(() => make("td"));
  const total = make("td");
  const share = make("input", { id: "nomogram-prevalence", type: "number", min: 0, max: 100, step: "any",
    value: Number((100 * all.prevalence).toPrecision(4)) });
  const said = make("p", { "aria-live": "polite" });
  const note = make("p", { class: "note" });
  const show = () => {
    const effects = all.axes.map((axis, k) => effect(axis, fields[k].value));
    const points = effects.map((value, k) => (value - least(all.axes[k])) * perLogOdds);
    const prevalence = Number(share.value) / 100;
    const logOdds = effects.reduce((sum, value) => sum + value, all.intercept);
    const likely = 1 / (1 + Math.exp(-(logOdds + logit(prevalence) - logit(all.share))));
    const known = (value) => (Number.isFinite(value) ? number(value, all.digits) : "–");
    points.forEach((value, k) => { cells[k].textContent = known(value); });
    total.textContent = known(points.reduce((sum, value) => sum + Number(value.toFixed(all.digits)), 0));
    said.replaceChildren(make("strong", {}, `Probability of ${all.positive}: ` +
      (Number.isFinite(likely) && prevalence > 0 && prevalence < 1 ? number(likely, 2) : "–")),
      ` at a prevalence of ${share.value} %.`);
    const far = all.axes.filter((axis, k) => beyond(axis, fields[k].value)).map((axis) => axis.label);
    note.textContent = far.length
      ? `Outside the values of the training cases: ${far.join(", ")}. The probability is a guess there.` : "";
  };
  const row = (axis, k) => make("tr", {},
    make("th", { scope: "row" }, make("label", { for: fields[k].id }, axis.label)),
    make("td", {}, fields[k]), cells[k]);
  const head = (text) => make("th", { scope: "col" }, text);
  const about = all.stated ? "stated by the protocol" : "that of the training cases";
  place.after(make("div", { class: "calculator", role: "group", "aria-labelledby": "calculator-title" },
    make("h3", { id: "calculator-title" }, "Calculator"),
    make("table", {},
      make("thead", {}, make("tr", {}, head("Variable"), head("Value"), head("Points"))),
      make("tbody", {}, ...all.axes.map(row),
        make("tr", {}, make("th", { scope: "row" }, "Total points"), make("td"), total))),
    make("p", {}, make("label", { for: "nomogram-prevalence" }, `Prevalence of ${all.positive}, in % (${about}): `), share),
    said, note));
  [...fields, share].forEach((node) => node.addEventListener("input", show));
  show();
})();

"use strict";
(() => {
  const data = (id) => JSON.parse(document.getElementById(id)?.textContent || "null");
  const make = (tag, attributes, text) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) node.setAttribute(name, value);
    if (text !== undefined) node.textContent = text;
    return node;
  };
  const drawn = (tag, attributes) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    return node;
  };
  const number = (value, digits) => value.toFixed(digits).replace("-", "−");

  // The section that is being read is marked in the contents.
  const links = new Map([...document.querySelectorAll("nav a")].map((a) => [a.hash.slice(1), a]));
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      links.forEach((a) => a.removeAttribute("aria-current"));
      links.get(entry.target.id)?.setAttribute("aria-current", "true");
    }
  }, { rootMargin: "-20% 0px -70% 0px" });
  document.querySelectorAll("main section[id]").forEach((section) => seen.observe(section));

  // Long tables: a button in each head sorts, a field filters.
  const LONG = 9;
  const key = (cell) => {
    const text = cell.textContent.trim();
    const found = text.replace(/−/g, "-").match(/^[<>]?\s*(-?\d*\.?\d+(?:e[-+]?\d+)?)/i);
    return found ? parseFloat(found[1]) : text.toLowerCase();
  };
  const compare = (a, b) => (typeof a === typeof b ? (a < b ? -1 : a > b ? 1 : 0) : typeof a === "number" ? -1 : 1);
  const sortable = (table) => {
    const body = table.tBodies[0];
    const rows = [...body.rows];
    if (rows.length < LONG || rows.some((row) => row.classList.contains("again"))) return;
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      const button = make("button", { type: "button", class: "sort" }, head.textContent);
      head.textContent = "";
      head.append(button);
      button.addEventListener("click", () => {
        const up = head.getAttribute("aria-sort") !== "ascending";
        for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        const sorted = rows.map((row, k) => [key(row.cells[column]), k, row]);
        sorted.sort((a, b) => compare(a[0], b[0]) * (up ? 1 : -1) || a[1] - b[1]);
        body.append(...sorted.map((entry) => entry[2]));
      });
    });
    const field = make("input", { type: "search", class: "filter", placeholder: "Filter rows",
      "aria-label": `Filter the rows of ${table.caption.textContent}` });
    field.addEventListener("input", () => {
      const wanted = field.value.toLowerCase();
      for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
    });
    table.parentNode.before(field);
  };
  document.querySelectorAll("main table").forEach(sortable);

  // The ROC curve, threshold by threshold.
  const roc = data("data-roc");
  const figure = document.getElementById("figure-5");
  if (roc && figure) {
    const box = make("div", { class: "explorer" });
    const svg = drawn("svg", { viewBox: "-4 -4 108 108", "aria-hidden": "true" });
    const points = roc.threshold.map((_, k) => [100 * (1 - roc.specificity[k]), 100 * (1 - roc.sensitivity[k])]);
    svg.append(
      drawn("path", { d: "M0 0V100H100", class: "axis" }),
      drawn("path", { d: "M0 100L100 0", class: "chance" }),
      drawn("path", { d: `M0 100L${[...points].sort((a, b) => a[0] - b[0] || b[1] - a[1]).map((p) => p.join(" ")).join("L")}L100 0`, class: "curve" }),
    );
    const dot = drawn("circle", { r: 3, class: "dot" });
    svg.append(dot);
    const range = make("input", { type: "range", id: "roc-range", min: 0, max: points.length - 1, step: 1 });
    const text = make("p", { "aria-live": "polite", class: "said" });
    const show = (k) => {
      const tp = Math.round(roc.sensitivity[k] * roc.positives);
      const tn = Math.round(roc.specificity[k] * roc.negatives);
      const fp = roc.negatives - tn;
      const called = tp + fp, other = roc.positives - tp + tn;
      dot.setAttribute("cx", points[k][0]);
      dot.setAttribute("cy", points[k][1]);
      range.value = k;
      text.textContent = `Threshold ${number(roc.threshold[k], 2)} (the cut-off is ${number(roc.cutoff, 2)}): ` +
        `sensitivity ${number(roc.sensitivity[k], 2)}, specificity ${number(roc.specificity[k], 2)}; ` +
        `${tp} of ${roc.positives} ${roc.positive} and ${tn} of ${roc.negatives} ${roc.negative} called right` +
        (called ? `; ${Math.round(100 * tp / called)} % of those called ${roc.positive} are` : "") +
        (other ? `, ${Math.round(100 * tn / other)} % of those called ${roc.negative} are.` : ".");
    };
    const nearest = (distance) => points.reduce((best, _, k) => (distance(k) < distance(best) ? k : best), 0);
    range.addEventListener("input", () => show(Number(range.value)));
    svg.addEventListener("pointermove", (event) => {
      const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
      show(nearest((k) => Math.hypot(points[k][0] - at.x, points[k][1] - at.y)));
    });
    const label = make("label", { for: "roc-range" }, "Try another threshold on the test cases");
    box.append(label, svg, range, text);
    figure.append(box);
    show(nearest((k) => Math.abs(roc.threshold[k] - roc.cutoff)));
  }

  // A case: its region and what makes its score.
  const all = data("data-cases");
  const table = document.querySelector("#cases table");
  if (all && table) {
    const panel = make("div", { class: "case", tabindex: "-1", role: "region", "aria-live": "polite", "aria-label": "Chosen case" });
    table.closest("details")?.setAttribute("open", "");
    (table.closest("details") || table.closest(".scroll")).before(panel);
    panel.append(make("p", { class: "note" }, "No case is chosen."));
    const bars = (found) => {
      const list = make("ol", { class: "bars" });
      const order = found.shares.map((share, k) => [share, k]).sort((a, b) => Math.abs(b[0]) - Math.abs(a[0]));
      const largest = Math.abs(order[0]?.[0]) || 1;
      for (const [share, k] of order.slice(0, 12)) {
        const line = make("li");
        const bar = make("span", { class: share > 0 ? "bar up" : "bar down", style: `--share: ${Math.abs(share) / largest}` });
        line.append(make("span", { class: "name" }, all.features[k]), bar, make("span", { class: "value" }, (share > 0 ? "+" : "") + number(share, 2)));
        list.append(line);
      }
      const rest = order.slice(12).reduce((sum, entry) => sum + entry[0], 0);
      const said = `Contributions to the score of the final model, ${number(found.score, 2)}: intercept ${number(all.intercept, 2)}` +
        (order.length > 12 ? `, ${order.length - 12} other features ${number(rest, 2)}` : "") +
        `. To the right: towards ${all.positive}.`;
      return [make("p", { class: "note" }, said), list];
    };
    const open = (row) => {
      const name = row.cells[0].textContent.trim();
      const found = all.cases[name];
      if (!found) return;
      for (const other of table.tBodies[0].rows) other.removeAttribute("aria-selected");
      row.setAttribute("aria-selected", "true");
      panel.replaceChildren(make("h3", {}, `Case ${name}: ${row.cells[1].textContent}, called ${row.cells[5].textContent}`));
      const sides = make("div", { class: "sides" });
      if (found.png) {
        const svg = drawn("svg", { viewBox: `0 0 ${found.width} ${found.height}`, preserveAspectRatio: "none", class: "roi",
          role: "img", "aria-label": `Sagittal slice of case ${name} with the outline of its region`, style: `aspect-ratio: 1 / ${found.aspect}` });
        svg.append(
          drawn("image", { href: `data:image/png;base64,${found.png}`, width: found.width, height: found.height, preserveAspectRatio: "none" }),
          drawn("path", { d: found.path, class: "outline" }),
        );
        sides.append(svg);
      } else {
        sides.append(make("p", { class: "note" }, found.why || "There is no picture of this case."));
      }
      const right = make("div");
      right.append(...(found.shares ? bars(found) : [make("p", { class: "note" }, "The score of this model is no weighted sum.")]));
      sides.append(right);
      panel.append(sides);
      panel.scrollIntoView({ block: "nearest" });
    };
    for (const row of table.tBodies[0].rows) {
      const button = make("button", { type: "button", class: "open" }, row.cells[0].textContent.trim());
      row.cells[0].replaceChildren(button);
      row.addEventListener("click", () => open(row));
    }
  }
})();

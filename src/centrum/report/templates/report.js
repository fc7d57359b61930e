"use strict";
(() => {
  const data = (id) => JSON.parse(document.getElementById(id)?.textContent || "null");
  const filled = (node, attributes, content) => {
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...content);
    return node;
  };
  const make = (tag, attributes = {}, ...content) =>
    filled(document.createElement(tag), attributes, content);
  const drawn = (tag, attributes = {}, ...content) =>
    filled(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, content);
  const number = (value, digits = 2) => value.toFixed(digits).replace("-", "−");
  const signed = (value) => (value > 0 ? "+" : "") + number(value);
  const root = document.documentElement;
  const mark = document.querySelector(".mark.top");
  root.classList.add("js");

  /* Contents: folded on narrow pages, and the section that is being read is marked. */
  const contents = document.querySelector("nav details");
  const narrow = matchMedia("(max-width: 56rem)");
  const fold = () => { contents.open = !narrow.matches; };
  const measure = () => root.style.setProperty("--top", `${mark ? mark.offsetHeight : 0}px`);
  narrow.addEventListener("change", fold);
  addEventListener("resize", measure);
  fold();
  measure();
  const links = new Map([...document.querySelectorAll("nav a")].map((a) => [a.hash.slice(1), a]));
  const here = document.querySelector("nav .here");
  const current = (id) => {
    links.forEach((a) => a.removeAttribute("aria-current"));
    links.get(id)?.setAttribute("aria-current", "location");
    here.textContent = links.get(id)?.textContent ?? "";
  };
  const seen = new IntersectionObserver((entries) => {
    const inside = entries.find((entry) => entry.isIntersecting);
    if (inside) current(inside.target.id);
  }, { rootMargin: "-20% 0px -70% 0px" });
  document.querySelectorAll("main section[id]").forEach((section) => seen.observe(section));

  /* A link to something folded opens it. */
  const reveal = () => {
    const target = document.getElementById(location.hash.slice(1));
    if (!target) return;
    if (target.id === "contents") contents.open = true;
    else if (narrow.matches) contents.open = false;
    if (target.matches("main details")) target.open = true;
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href^='#']");
    if (link) setTimeout(reveal);
  });
  addEventListener("hashchange", reveal);
  reveal();

  /* Tables that are marked so: a button in each head sorts, a field filters. */
  const key = (cell) => {
    const text = cell.textContent.trim();
    if (cell.dataset.value !== undefined) return Number(cell.dataset.value);
    return text === "" || text === "–" ? null : text;
  };
  const compare = (a, b) =>
    typeof a === "number" && typeof b === "number" ? a - b
      : String(a).localeCompare(String(b), "en", { numeric: true });
  const sortable = (table) => {
    const body = table.tBodies[0];
    const rows = [...body.rows];
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = make("button", { type: "button", class: "sort" }, head.textContent);
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const way = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", way > 0 ? "ascending" : "descending");
        const keyed = rows.map((row) => [key(row.cells[column]), row]);
        const missing = keyed.filter(([value]) => value === null);
        const known = keyed.filter(([value]) => value !== null);
        known.sort((a, b) => way * compare(a[0], b[0]));
        body.append(...[...known, ...missing].map(([, row]) => row));
      });
    });
    const field = make("input", { type: "search" });
    const count = make("span", { "aria-live": "polite" });
    field.addEventListener("input", () => {
      const wanted = field.value.trim().toLowerCase();
      for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
      const left = rows.filter((row) => !row.hidden).length;
      count.textContent = wanted ? `${left} of ${rows.length} rows` : "";
    });
    const label = make("label", {}, "Rows that contain ", field);
    table.closest(".scroll").before(make("p", { class: "filter" }, label, " ", count));
  };
  document.querySelectorAll("table[data-sorts]").forEach(sortable);

  /* The ROC curve, threshold by threshold. */
  const explorer = (roc, figure) => {
    const dot = drawn("circle", { r: 3, class: "dot" });
    const cut = drawn("path", { d: "M0 -4L4 0L0 4L-4 0Z", class: "cut" });
    const line = drawn("path", { class: "curve" });
    const words = [["0", -3, 104], ["1", -3, 3], ["0", 0, 110], ["1", 100, 110]];
    const svg = drawn("svg", { viewBox: "-16 -6 124 126", "aria-hidden": "true" },
      drawn("path", { d: "M0 0V100H100", class: "axis" }),
      drawn("path", { d: "M0 100L100 0", class: "chance" }), line, cut, dot,
      ...words.map(([text, x, y], k) =>
        drawn("text", { x, y, "text-anchor": k < 2 ? "end" : "middle" }, text)),
      drawn("text", { x: 50, y: 117, "text-anchor": "middle" }, "1 − specificity"),
      drawn("text", { x: -50, y: -8, "text-anchor": "middle", transform: "rotate(-90)" }, "Sensitivity"));
    const range = make("input", { type: "range", id: "roc-threshold", min: 0, step: 1 });
    const choice = make("select", { id: "roc-cases" },
      ...roc.curves.map((curve, k) => make("option", { value: k }, curve.name)));
    const said = make("p", { "aria-live": "polite" });
    const note = make("p", { class: "note" });
    let curve, points;
    const share = (hits, n) => (n ? number(hits / n) : "–");
    const name = (k) => {
      if (k === 0) return `Everybody called ${roc.positive}`;
      if (k === points.length - 1) return `Nobody called ${roc.positive}`;
      const kind = k === curve.at ? "the study's cut-off" : `a ${curve.scale}`;
      return `Called ${roc.positive} from ${kind} of ${number(curve.thresholds[k])} on`;
    };
    const show = (k) => {
      const tp = curve.tp[k], fp = curve.fp[k];
      const tn = curve.negatives - fp, fn = curve.positives - tp;
      dot.setAttribute("cx", points[k][0]);
      dot.setAttribute("cy", points[k][1]);
      range.value = k;
      range.setAttribute("aria-valuetext", name(k));
      said.replaceChildren(make("strong", {}, `${name(k)}.`),
        ` Sensitivity ${share(tp, tp + fn)} (${tp} of ${tp + fn} ${roc.positive}), ` +
        `specificity ${share(tn, tn + fp)} (${tn} of ${tn + fp} ${roc.negative}), ` +
        `PPV ${share(tp, tp + fp)} (${tp} of ${tp + fp}), NPV ${share(tn, tn + fn)} (${tn} of ${tn + fn}).`);
    };
    const choose = () => {
      curve = roc.curves[Number(choice.value)];
      points = curve.tp.map((tp, k) =>
        [100 * curve.fp[k] / curve.negatives, 100 - 100 * tp / curve.positives]);
      line.setAttribute("d", `M${points.map((p) => p.join(" ")).join("L")}`);
      cut.toggleAttribute("hidden", curve.at === null);
      if (curve.at !== null) cut.setAttribute("transform", `translate(${points[curve.at].join(" ")})`);
      range.max = points.length - 1;
      const percent = number(100 * curve.positives / (curve.positives + curve.negatives), 0);
      note.textContent = `PPV and NPV are those of ${percent} % ${roc.positive}, as among these cases. ` +
        "A cut-off picked on the cases that it is then judged on looks better than it is" +
        (curve.at === null ? "." : "; the diamond is the study's own.");
      show(curve.at ?? Math.floor(points.length / 2));
    };
    const nearest = (event) => {
      const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
      const far = (p) => Math.hypot(p[0] - at.x, p[1] - at.y);
      show(points.reduce((best, p, k) => (far(p) < far(points[best]) ? k : best), 0));
    };
    range.addEventListener("input", () => show(Number(range.value)));
    choice.addEventListener("change", choose);
    svg.addEventListener("pointermove", nearest);
    svg.addEventListener("pointerdown", (event) => { nearest(event); event.preventDefault(); range.focus(); });
    figure.after(make("div", { class: "explorer", role: "group", "aria-labelledby": "roc-title" },
      make("h3", { id: "roc-title" }, "Try another threshold"), svg,
      make("div", {},
        make("p", {}, make("label", { for: "roc-cases" }, "Cases: "), choice),
        make("label", { for: "roc-threshold" }, "Threshold, from everybody to nobody called " + roc.positive),
        range, said, note)));
    choose();
  };
  const roc = data("data-roc");
  const figure = document.getElementById("figure-roc");
  if (roc && figure) explorer(roc, figure);

  /* A case: its region and what makes its score. */
  const SHOWN = 12;
  const BAR_MM = 20;
  const slice = (picture, name) => {
    if (!picture.webp) return make("p", { class: "note" }, picture.why);
    const { width, height, spacing, further = [] } = picture;
    const svg = drawn("svg", { viewBox: `0 0 ${width} ${height}`, class: "roi", role: "img",
      "aria-label": `Sagittal slice of case ${name} with the outline of its region` },
      drawn("image", { href: `data:image/webp;base64,${picture.webp}`, width, height, preserveAspectRatio: "none" }),
      ...["under", "outline"].map((kind) =>
        drawn("path", { d: picture.path, transform: `scale(${spacing.join(" ")})`, class: kind })),
      ...further.map(({ path, colour }) => drawn("path", { d: path, transform: `scale(${spacing.join(" ")})`,
        class: "outline", style: `stroke: ${colour}` })));
    if (width > 2 * BAR_MM) {
      const x = 0.96 * width, y = 0.95 * height;
      const bar = `M${x - BAR_MM} ${y}H${x}`;
      svg.append(...["under", "scale"].map((kind) => drawn("path", { d: bar, class: kind })));
    }
    return make("div", {}, svg, make("p", { class: "note" },
      `Largest sagittal slice; anterior is left${width > 2 * BAR_MM ? `, bar ${BAR_MM} mm` : ""}.`,
      ...further.flatMap(({ name, colour }) => [" ", make("span", { style: `background: ${colour}`, class: "key" }), name])));
  };
  const part = (name, spread, share, largest, kind = "") => {
    const bar = make("span", { class: share > 0 ? "bar up" : "bar down", style: `--share: ${Math.min(1, Math.abs(share) / largest)}` });
    return make("tr", { class: kind }, make("th", { scope: "row" }, name), make("td", {}, spread),
      make("td", {}, ...(kind === "sum" ? [] : [bar])), make("td", {}, kind === "sum" ? number(share) : signed(share)));
  };
  const parts = (all, found) => {
    if (all.why) return make("p", { class: "note" }, all.why);
    if (!found.z) return make("p", { class: "note" }, "A value of this case is missing: its parts are not shown.");
    const shares = found.z.map((z, k) => [found.parts[k], z, all.features[k]]);
    shares.sort((a, b) => Math.abs(b[0]) - Math.abs(a[0]));
    const rest = shares.slice(SHOWN);
    const others = rest.reduce((sum, [share]) => sum + share, 0);
    const largest = Math.max(Math.abs(shares[0]?.[0] ?? 0), Math.abs(others), Math.abs(found.rest), Math.abs(all.base[1])) || 1;
    const heads = ["Feature", "SD", `${all.negative} ← → ${all.positive}`, "Part"];
    return make("table", { class: "parts" },
      make("caption", {}, `What makes the score of the final model: bars to the right speak for ${all.positive}. ${all.told}`),
      make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", { scope: "col" }, head)))),
      make("tbody", {}, ...shares.slice(0, SHOWN).map(([share, z, name]) => part(name, signed(z), share, largest)),
        ...(rest.length ? [part(`${rest.length} other feature${rest.length > 1 ? "s" : ""}`, "", others, largest)] : []),
        ...(found.rest ? [part(all.limit, "", found.rest, largest)] : []),
        part(all.base[0], "", all.base[1], largest), part(all.total, "", found.total, largest, "sum")));
  };
  const browser = (all, table) => {
    const title = make("h3", { id: "case-title" });
    const body = make("div");
    const button = (text) => make("button", { type: "button" }, text);
    const [before, next, close] = [button("Previous"), button("Next"), button("Close")];
    const warned = mark ? [make("p", { class: "mark" }, mark.textContent)] : [];
    const dialog = make("dialog", { class: "case", "aria-labelledby": "case-title" },
      make("div", { class: "bar-of-buttons" }, before, next, close),
      make("div", { "aria-live": "polite" }, title, ...warned, body));
    document.body.append(dialog);
    const rows = () => [...table.tBodies[0].rows].filter((row) => !row.hidden);
    const heads = [...table.tHead.rows[0].cells].map((head) => head.textContent);
    const numbers = ["Score", "Out-of-fold score", "Probability"];
    const facts = (cells) => {
      const cell = Object.fromEntries(heads.map((head, k) => [head, cells[k].textContent.trim()]));
      const known = numbers.filter((head) => cell[head] !== "–").map((head) => `${head.toLowerCase()} ${cell[head]}`);
      const call = cell.Called ? `, called ${cell.Called}: ${cell.Call}` : "";
      return `Side: ${cell.Side}${call}; ${known.join(", ")}.`;
    };
    let row;
    const show = (chosen) => {
      row = chosen;
      const name = row.cells[0].textContent.trim();
      const found = all.cases[name];
      title.textContent = `Case ${name}: ${row.cells[1].textContent}`;
      body.replaceChildren(make("p", {}, facts(row.cells)),
        make("div", { class: "sides" }, slice(found.picture, name), parts(all, found)));
      const order = rows(), at = order.indexOf(row);
      before.disabled = at <= 0;
      next.disabled = at >= order.length - 1;
      if (!dialog.open) dialog.showModal();
    };
    const move = (step) => {
      const order = rows(), to = order[order.indexOf(row) + step];
      if (to) show(to);
    };
    before.addEventListener("click", () => move(-1));
    next.addEventListener("click", () => move(1));
    close.addEventListener("click", () => dialog.close());
    dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
    dialog.addEventListener("keydown", (event) => {
      if (event.key === "ArrowLeft") move(-1);
      if (event.key === "ArrowRight") move(1);
    });
    dialog.addEventListener("close", () => row.cells[0].querySelector("button").focus());
    for (const each of table.tBodies[0].rows) {
      const name = each.cells[0].textContent.trim();
      const open = make("button", { type: "button", class: "open", "aria-haspopup": "dialog" }, name);
      each.cells[0].replaceChildren(open);
      each.addEventListener("click", () => show(each));
    }
    table.closest(".table").before(make("p", { class: "note screen" },
      "Choose a case to see its region and what each feature adds to its score."));
  };
  const all = data("data-cases");
  const cases = document.querySelector("#cases table");
  if (all && cases) browser(all, cases);
})();

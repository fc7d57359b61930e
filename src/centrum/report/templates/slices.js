"use strict";
(() => {
  /* One slice of a region at a time, by wheel, keys or finger; without this script all are shown. */
  const place = document.querySelector(".slices");
  const slices = [...place.children];
  if (slices.length < 2) return;
  const enough = 40;
  const range = document.createElement("input");
  Object.assign(range, { type: "range", min: 1, max: slices.length });
  range.value = Number(place.dataset.largest) + 1;
  range.setAttribute("aria-label", "Slice, from the patient's right to the left");
  let turned = 0;
  const show = () => {
    slices.forEach((slice, k) => slice.classList.toggle("here", k === range.value - 1));
    range.setAttribute("aria-valuetext", slices[range.value - 1].querySelector("span").textContent);
  };
  const turn = (event) => {
    const down = Math.sign(event.deltaY);
    const atEnd = range.value === (down > 0 ? range.max : range.min);
    if (!down || event.ctrlKey || atEnd) return;
    event.preventDefault();
    turned = (Math.sign(turned) === down ? turned : 0) + (event.deltaMode ? enough * down : event.deltaY);
    if (Math.abs(turned) < enough) return;
    turned = 0;
    range.valueAsNumber += down;
    show();
  };
  range.addEventListener("input", show);
  place.addEventListener("wheel", turn, { passive: false });
  place.addEventListener("click", () => range.focus());
  place.classList.add("one");
  place.append(range);
  show();
})();

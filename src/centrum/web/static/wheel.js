// The wheel over a slice: the next slice, and with Ctrl zoom around the pointer.

/** Travel (CSS pixels) of one slice; a notch of a mouse is more, a touch of a pad much less. */
const NOTCH = 40;

export function onWheel(element, { step, zoom }) {
  let travel = 0;
  const scroll = (event) => {
    travel += event.deltaMode ? event.deltaY * NOTCH : event.deltaY;
    if (Math.abs(travel) < NOTCH) return;
    step(Math.sign(travel));
    travel = 0;
  };
  element.addEventListener("wheel", (event) => {
    event.preventDefault();
    const { left, top } = element.getBoundingClientRect();
    if (event.ctrlKey) zoom(-Math.sign(event.deltaY), [event.clientX - left, event.clientY - top]);
    else scroll(event);
  });
}

// The hand that draws: one pointer. A second finger, or the ball of a hand beside the pen, is none.

/** `acts`: {down, move, up, cancel, leave}, each told the event. */
export function onPointer(element, acts) {
  for (const [name, act] of Object.entries(acts)) {
    element.addEventListener(`pointer${name}`, (event) => event.isPrimary && act(event));
  }
}

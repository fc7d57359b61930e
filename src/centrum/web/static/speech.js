// What the screen shows is also said: one polite live region, emptied first so that a message that
// repeats is read again.

const region = () => document.getElementById("speech");

export function say(text) {
  const place = region();
  place.textContent = "";
  requestAnimationFrame(() => {
    place.textContent = text;
  });
}

// What a hand has begun and not finished is kept in this browser alone, by case: outlines that are not
// closed, and that there were strokes which nobody accepted. It outlives the page and its tab.

const place = (token) => `unfinished:${token}`;

/** {drafts, wired: slice -> points, lengths at each click of a live wire; strokesOn: a slice or null}. */
export function unfinished(token) {
  const kept = JSON.parse(localStorage.getItem(place(token)) ?? "{}");
  const { drafts = [], wired = [], strokesOn = null } = kept;
  return { drafts: new Map(drafts), wired: new Map(wired), strokesOn };
}

export function keepUnfinished({ reading, drafts, wired, strokesOn }) {
  const kept = JSON.stringify({ drafts: [...drafts], wired: [...wired], strokesOn });
  if (drafts.size || strokesOn !== null) localStorage.setItem(place(reading.token), kept);
  else localStorage.removeItem(place(reading.token));
}

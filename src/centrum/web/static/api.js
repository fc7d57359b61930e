// One door to the server. A write names the revision that it builds on; an answer is JSON or an
// error that says what to do. Three things can happen to a request: it is answered, it is refused
// (Refused), or it does not arrive (Offline).

export class Offline extends Error {}

export class Refused extends Error {
  constructor(status, said) {
    super(said.message ?? `The server answered ${status}.`);
    Object.assign(this, { status, code: said.code, remedy: said.remedy, state: said.state, said });
  }
}

/** A proxy or a server that is starting: the request has not been judged, it may be sent again. */
const NOT_JUDGED = [502, 503, 504];

async function reach(path, options) {
  const response = await fetch(path, { credentials: "same-origin", cache: "no-store", ...options })
    .catch((error) => {
      throw new Offline(error.message);
    });
  if (NOT_JUDGED.includes(response.status)) throw new Offline(`status ${response.status}`);
  if (!response.ok) throw new Refused(response.status, await response.json().catch(() => ({})));
  return response;
}

/** What an answer holds; one that was torn on its way has not arrived. */
const taken = (response, take) => take(response).catch((error) => {
  throw new Offline(error.message);
});

const read = (path) => reach(path).then((response) => taken(response, (whole) => whole.json()));

export async function write(method, path, body, revision = null) {
  const headers = { "Content-Type": "application/json" };
  if (revision !== null) headers["If-Match"] = `"${revision}"`;
  const response = await reach(path, { method, headers, body: JSON.stringify(body) });
  return response.status === 204 ? {} : taken(response, (whole) => whole.json());
}

export const ticket = (token) => `/api/t/${token}`;

export const me = () => read("/api/me");
export const enter = (proof) => write("POST", "/enter", proof);
export const lock = () => write("POST", "/api/lock", {});
export const worklist = () => read("/api/worklist");
export const progress = () => read("/api/progress");
export const openCase = (token) => read(ticket(token));
export const trainingResult = (token) => read(`${ticket(token)}/training`);
export const between = (token, slices) =>
  write("POST", `${ticket(token)}/between`, { slices });

/** What a smart tool offers on a slice; stored nowhere. */
export const suggest = (token, slice, asked) =>
  write("POST", `${ticket(token)}/slice/${slice}/suggest`, asked);

/** Scale and windows of another sequence. */
export const sequence = (token, name) => read(`${ticket(token)}/sequence?name=${encodeURIComponent(name)}`);

const pair = (a, b) => `/api/compare/${a}/${b}`;

export const compared = () => read("/api/compare");
export const comparedPair = (a, b) => read(pair(a, b));
export const comparedPixels = (a, b) => stored(`${pair(a, b)}/pixels`);
export const decide = (a, b, decision) => write("POST", `${pair(a, b)}/decide`, decision);

/** All slices of a case as stored numbers, row by row. */
export function pixels(token, sequence = null) {
  const asked = sequence === null ? "" : `?sequence=${encodeURIComponent(sequence)}`;
  return stored(`${ticket(token)}/pixels${asked}`);
}

async function stored(path) {
  const response = await reach(path);
  return new Int16Array(await taken(response, (whole) => whole.arrayBuffer()));
}

// What is not yet on the server's disk, kept in this browser (IndexedDB): it outlives a reload and a
// crash. Each tab drains what is its own; what a closed tab left is taken by the next that opens
// the case, which a lock that dies with its tab tells (two tabs never send one change).

const NAME = "centrum-reading-room";
const TAB = "tab";

let opening = null;
let memory = null;
let memoryOrder = 0;

function database() {
  opening ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () =>
      request.result.createObjectStore("changes", { keyPath: "order", autoIncrement: true });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opening;
}

/** Does `work(store)` in one transaction and answers what its request found. */
async function transact(mode, work) {
  const transaction = (await database()).transaction("changes", mode, { durability: "strict" });
  const request = work(transaction.objectStore("changes"));
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve(request?.result);
    transaction.onabort = () => reject(transaction.error);
  });
}

/** A browser that keeps nothing (a private window) keeps changes as long as the tab lives. */
async function kept(stored, remembered) {
  if (memory) return remembered(memory);
  try {
    return await stored();
  } catch {
    memory = new Map();
    return remembered(memory);
  }
}

/** True where changes outlive a reload. */
export const outlivesReload = () => memory === null;

/** Keeps a change and answers its place in the order. */
export function keep(change) {
  return kept(
    () => transact("readwrite", (store) => store.add({ ...change, tab: tab() })),
    (held) => {
      memoryOrder += 1;
      held.set(memoryOrder, { ...change, order: memoryOrder, tab: tab() });
      return memoryOrder;
    },
  );
}

/** Takes a change out, and writes on the next which revision it builds on. */
export function done(order, next, base) {
  return kept(
    () => transact("readwrite", (store) => {
      store.delete(order);
      return next?.order === undefined ? undefined : store.put({ ...next, base, tab: tab() });
    }),
    (held) => held.delete(order),
  );
}

/** Writes a change again as it is now. */
export function renew(change) {
  return kept(
    () => transact("readwrite", (store) => store.put({ ...change, tab: tab() })),
    (held) => held.set(change.order, change),
  );
}

export function drop(orders) {
  return kept(
    () => transact("readwrite", (store) => {
      for (const order of orders) store.delete(order);
    }),
    (held) => orders.forEach((order) => held.delete(order)),
  );
}

const all = () => kept(() => transact("readonly", (store) => store.getAll()), (held) => [...held.values()]);

/** Changes of a case that this tab made, or a tab that is no more: those are this tab's from now on. */
export async function waiting(token) {
  const own = [];
  for (const change of (await all()).filter((one) => one.token === token)) {
    if (change.tab === tab()) own.push(change);
    else if (!(await lives(change.tab))) own.push(await adopted(change));
  }
  return own;
}

async function adopted(change) {
  await renew(change);
  return { ...change, tab: tab() };
}

/** How many changes of each case wait in this browser. */
export async function counts() {
  const count = {};
  for (const { token } of await all()) count[token] = (count[token] ?? 0) + 1;
  return count;
}

const lockName = (name) => `centrum-tab-${name}`;

async function lives(name) {
  if (!navigator.locks) return false;
  return navigator.locks.request(lockName(name), { ifAvailable: true }, (lock) => lock === null);
}

let named = null;
const tab = () => named;

/** Gives the tab its name. A tab that was duplicated inherits one that is held: it takes a new one. */
export async function nameTab(fresh) {
  const before = sessionStorage.getItem(TAB);
  named = before && (await hold(before)) ? before : fresh();
  if (named !== before) await hold(named);
  sessionStorage.setItem(TAB, named);
}

/** Holds the lock of a name as long as the tab lives; false when another tab holds it. */
function hold(name) {
  if (!navigator.locks) return Promise.resolve(true);
  return new Promise((resolve) => {
    navigator.locks.request(lockName(name), { ifAvailable: true }, (lock) => {
      resolve(lock !== null);
      return lock === null ? undefined : new Promise(() => {});
    });
  });
}

// What this phone keeps: drafts and unsent changes, each sealed with a key that never leaves the phone (AES-GCM-256, the
// visit's id authenticated, so that nothing can be moved to another visit). Nothing here talks to the network.

import * as journal from "./journal.js";

const NAME = "yyassess";
const SHELVES = { keys: { keyPath: "id" }, drafts: { keyPath: "visit" }, outbox: { keyPath: "seq", autoIncrement: true }, meta: { keyPath: "name" } };

/** The parts of a change that are kept by instrument; facts are not. */
export const BY_INSTRUMENT = ["answers", "settings", "remarks"];

let opened = null;
let kept = null;
let adopted = null;
let turn = Promise.resolve();

/** The database; rejects where there is none. */
function database() {
  opened ??= new Promise((resolve, reject) => {
    const asked = indexedDB.open(NAME, 1);
    asked.onupgradeneeded = () => {
      for (const [name, options] of Object.entries(SHELVES)) {
        const shelf = asked.result.createObjectStore(name, options);
        if (name === "outbox") shelf.createIndex("visit", "visit");
      }
    };
    asked.onsuccess = () => {
      asked.result.onversionchange = () => asked.result.close();
      resolve(asked.result);
    };
    asked.onerror = () => reject(asked.error);
  });
  opened.catch(() => (opened = null));
  return opened;
}

/** One transaction: `work(shelf…)` makes requests; resolves with what its returned request gave, once all is written. */
export async function inside(names, mode, work) {
  const db = await database();
  return new Promise((resolve, reject) => {
    const transaction = db.transaction(names, mode);
    const asked = work(...[names].flat().map((name) => transaction.objectStore(name)));
    transaction.oncomplete = () => resolve(asked?.result);
    transaction.onerror = transaction.onabort = () => reject(transaction.error ?? new Error("not written"));
  });
}

/** Marks this browser tab: what it has not sent yet needs no asking whether to go on with it. */
export function tabName() {
  try {
    const name = sessionStorage.getItem("tab") ?? crypto.randomUUID();
    sessionStorage.setItem("tab", name);
    return name;
  } catch {
    return "alone";
  }
}

/** Whether this browser can keep anything safely; what the page before was too late to keep is kept first. */
export async function works() {
  try {
    if (!globalThis.indexedDB || !globalThis.crypto?.subtle) return false;
    await key();
    await (adopted ??= adopt().catch(() => {}));
    return true;
  } catch {
    return false;
  }
}

/** The phone's key. Made once: whoever comes second into the transaction finds the first one's key. */
function key() {
  kept ??= (async () => {
    const there = await inside("keys", "readonly", (keys) => keys.get("main"));
    if (there) return there.key;
    const fresh = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
    const both = { id: "main", key: fresh, at: Date.now() };
    await inside("keys", "readwrite", (keys) => {
      keys.get("main").onsuccess = ({ target }) => target.result || keys.add(both);
    });
    return (await inside("keys", "readonly", (keys) => keys.get("main"))).key;
  })();
  kept.catch(() => (kept = null));
  return kept;
}

const bound = (visit) => new TextEncoder().encode(visit);

/** Seal a JSON value for a visit. */
export async function seal(visit, value) {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const plain = new TextEncoder().encode(JSON.stringify(value));
  const data = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: bound(visit) }, await key(), plain);
  return { iv, data };
}

/** The value again; rejects when it was sealed for another visit, or changed. */
export async function unseal(visit, { iv, data }) {
  const plain = await crypto.subtle.decrypt({ name: "AES-GCM", iv, additionalData: bound(visit) }, await key(), data);
  return JSON.parse(new TextDecoder().decode(plain));
}

// -- drafts: what the server holds, as far as this phone knows ------------------------------------------------

/** Keep a draft, unless a newer one is here. */
export async function keepDraft(account, draft) {
  const record = { visit: draft.visit, account, version: draft.version, at: Date.now(), sealed: await seal(draft.visit, draft) };
  await inside("drafts", "readwrite", (drafts) => {
    drafts.get(draft.visit).onsuccess = ({ target }) => {
      const old = target.result;
      if (old && old.version > record.version) return;
      drafts.put({ own: [], ...record, ...(old ? { own: old.own } : {}) });
    };
  });
}

/** A draft's record with its content opened; null when it is not here. */
export async function draftOf(visit) {
  const record = await inside("drafts", "readonly", (drafts) => drafts.get(visit));
  return record ? { ...record, content: await unseal(visit, record.sealed) } : null;
}

/** All drafts of an account, the last changed first. */
export async function allDrafts(account) {
  const records = await inside("drafts", "readonly", (drafts) => drafts.getAll());
  const mine = records.filter((record) => !account || record.account === account).sort((a, b) => b.at - a.at);
  const opening = mine.map(async (record) => {
    try {
      return { ...record, content: await unseal(record.visit, record.sealed) };
    } catch {
      return null;
    }
  });
  return (await Promise.all(opening)).filter(Boolean);
}

/** Forget a draft; its unsent changes stay. */
export const dropDraft = (visit) => inside("drafts", "readwrite", (drafts) => drafts.delete(visit));

/** Write values into a draft's content: {answers, settings, facts}; null takes one away. */
export function fill(content, values) {
  const put = (table, name, value) => (value === null ? delete table[name] : (table[name] = value));
  for (const part of BY_INSTRUMENT) {
    for (const [instrument, table] of Object.entries(values[part] ?? {})) {
      const assessment = content.assessments.find((each) => each.instrument === instrument);
      if (assessment) for (const [name, value] of Object.entries(table)) put((assessment[part] ??= {}), name, value);
    }
  }
  for (const [name, value] of Object.entries(values.facts ?? {})) put(content.facts, name, value);
  return content;
}

// -- the outbox: what the server has not confirmed -------------------------------------------------------------

/**
 * Keep a change; resolves when it is written.
 * @param {object} change {visit, account, kind: "changes" or "create", base, tab, content}
 * @returns {Promise<number | undefined>} its place in the queue; undefined where a later page has taken it over
 */
export function add({ content, ...record }) {
  const full = { op: crypto.randomUUID(), state: "waiting", at: Date.now(), ...record };
  // Before anything is waited for: the page may be gone a moment later.
  const line = journal.write({ ...full, content });
  // One after the other: what is sealed at the same time may be ready in another order than that of the taps.
  const added = turn.then(async () => {
    const sealed = await seal(record.visit, content);
    if (line && !journal.holds(line)) return undefined;
    const seq = await inside("outbox", "readwrite", (outbox) => outbox.add({ ...full, sealed }));
    if (line) journal.erase(line);
    return seq;
  });
  turn = added.catch(() => {});
  return added;
}

/** Take into the outbox what was written down in the last moment of an earlier page. */
async function adopt() {
  await journal.prepare(await key());
  for (const { line, record: { content, ...record } } of await journal.left(await key(), tabName())) {
    const sealed = await seal(record.visit, content);
    await inside("outbox", "readwrite", (outbox) => {
      outbox.index("visit").getAll(record.visit).onsuccess = ({ target }) => {
        if (!target.result.some(({ op }) => op === record.op)) outbox.add({ ...record, sealed });
      };
    });
    journal.erase(line);
  }
}

/** Unsent changes in order, opened; of one visit, or all. What cannot be opened any more has no content. */
export async function unsent(visit) {
  const read = (outbox) => (visit ? outbox.index("visit").getAll(visit) : outbox.getAll());
  const records = await inside("outbox", "readonly", read);
  const opening = records.sort((a, b) => a.seq - b.seq).map(async (record) => {
    try {
      return { ...record, content: await unseal(record.visit, record.sealed) };
    } catch {
      return { ...record, content: null };
    }
  });
  return Promise.all(opening);
}

/** How many changes wait, without opening them. */
export const waiting = () => inside("outbox", "readonly", (outbox) => outbox.count());

/** Replace some records of the outbox by others, all at once. */
export async function replace(gone, instead) {
  const ready = await Promise.all(
    instead.map(async ({ content, ...record }) => ({ ...record, sealed: await seal(record.visit, content) })),
  );
  await inside("outbox", "readwrite", (outbox) => {
    for (const seq of gone) outbox.delete(seq);
    for (const record of ready) record.seq === undefined ? outbox.add(record) : outbox.put(record);
  });
}

/** The server has confirmed a change: it leaves the outbox in the moment in which the draft takes it over. */
export async function confirm(seq, visit, change) {
  const draft = await draftOf(visit);
  let record = null;
  if (draft) {
    const { content, own, ...rest } = draft;
    const { version, wrote } = change(content);
    record = { ...rest, version, own: wrote ? [...own, wrote].slice(-100) : own, at: Date.now() };
    record.sealed = await seal(visit, { ...content, version });
  }
  await inside(["outbox", "drafts"], "readwrite", (outbox, drafts) => {
    if (seq !== null) outbox.delete(seq);
    if (record) drafts.put(record);
  });
}

/** One change's values over another's, the later one winning. */
export function over(first, then) {
  const found = structuredClone({ answers: {}, settings: {}, remarks: {}, facts: {}, ...first });
  for (const part of BY_INSTRUMENT) {
    for (const [instrument, table] of Object.entries(then[part] ?? {})) Object.assign((found[part][instrument] ??= {}), table);
  }
  Object.assign(found.facts, then.facts ?? {});
  return found;
}

/** A draft with the unsent changes of this phone on it. */
export async function current(visit) {
  const draft = await draftOf(visit);
  if (!draft) return null;
  const changes = (await unsent(visit)).filter((record) => record.content && record.kind === "changes");
  for (const { content, state } of changes) fill(draft.content, state === "conflict" ? content.mine : content);
  return { ...draft, unsent: changes };
}

// -- small notes, and the end ----------------------------------------------------------------------------------

/** Something that is nobody's secret, by name. */
export const note = async (name) => (await inside("meta", "readonly", (meta) => meta.get(name)))?.value;
export const setNote = (name, value) => inside("meta", "readwrite", (meta) => meta.put({ name, value }));

/** Delete the key, all drafts and all unsent changes. What a disk may still hold cannot be opened any more. */
export async function wipe() {
  journal.clear();
  await inside(Object.keys(SHELVES), "readwrite", (...shelves) => shelves.forEach((shelf) => shelf.clear()));
  kept = adopted = null;
}

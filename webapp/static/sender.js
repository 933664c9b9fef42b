// Sends what waits in the outbox: one sender at a time, each visit in order, again and again until the server has
// confirmed it. A change leaves the phone's own list only then. What the server refuses is kept and shown, never dropped.

import * as store from "./store.js";

const LONGEST = 60_000;
const PATIENCE = 15_000;
const held = new Set();
const heard = typeof BroadcastChannel === "function" ? new BroadcastChannel("yyassess") : null;
const listeners = [];

let session = null;
let busy = null;
let again = false;
let pause = 1000;
let timer = null;
let last = { state: "unknown", waiting: 0 };

class Stop extends Error {
  constructor(state, seconds = null) {
    super(state);
    Object.assign(this, { state, seconds });
  }
}

/** Hear of news: {kind: "queue", state, waiting} or {kind: "saved", visit, version, wrote, theirs, sheets}. */
export function listen(listener) {
  listeners.push(listener);
}

function tell(news, elsewhere = true) {
  if (news.kind === "queue") last = news;
  for (const listener of listeners) listener(news);
  if (elsewhere) heard?.postMessage(news);
}
if (heard) heard.onmessage = ({ data }) => tell(data, false);

/** How the queue stood when it last moved. */
export const standing = () => last;

/** Use a page's own log-in and token instead of asking for them. */
export function useSession(found) {
  session = found;
}

/** Leave a visit alone until somebody has decided what to do with it. */
export const hold = (visit, on = true) => void (on ? held.add(visit) : held.delete(visit));

/** Who is logged in; asks the server. Throws Stop when nobody is, or when there is no network. */
export async function ask() {
  const answer = await call("/api/session");
  if (!answer.ok) throw new Stop(answer.status === 401 ? "login" : "later");
  session = answer.body;
  await store.setNote("session", { ...session, csrf: null, skew: Date.parse(session.now) - Date.now() });
  return session;
}

/** Send all that waits; resolves when nothing more can be sent now, with the state of the queue. */
export function send() {
  clearTimeout(timer);
  if (busy) again = true;
  else busy = once().finally(() => (busy = null));
  return busy;
}

/** Send soon: taps in quick succession travel together. */
export function sendSoon() {
  clearTimeout(timer);
  timer = setTimeout(send, 60);
}

async function once() {
  const alone = (work) =>
    navigator.locks ? navigator.locks.request("yyassess-send", { ifAvailable: true }, (lock) => (lock ? work() : "elsewhere")) : work();
  let state = "sent";
  try {
    do {
      again = false;
      state = await alone(round);
    } while (again && state === "sent");
    pause = 1000;
  } catch (stop) {
    if (!(stop instanceof Stop)) console.warn(stop);
    state = stop.state ?? "later";
    if (state !== "login") {
      timer = setTimeout(send, stop.seconds ? stop.seconds * 1000 : pause);
      pause = Math.min(pause * 2, LONGEST);
    }
  }
  if (state === "elsewhere") timer = setTimeout(send, 1000);
  const records = await store.unsent().catch(() => []);
  const count = (wanted) => records.filter((record) => record.state === wanted).length;
  const news = { kind: "queue", state, waiting: count("waiting"), conflicts: count("conflict"), refused: count("refused") };
  tell(news);
  return news;
}

async function round() {
  const visits = new Set((await store.unsent()).map((record) => record.visit));
  if (!visits.size) return "sent";
  if (!session) await ask();
  for (const visit of visits) while (!held.has(visit) && (await next(visit)));
  return "sent";
}

/** Send the next request of a visit; false when there is none. */
async function next(visit) {
  const records = (await store.unsent(visit)).filter((r) => r.account === session.account && r.content);
  if (records.some((r) => r.kind === "create" && r.state === "refused")) return false;
  const first = records.find((r) => r.state === "waiting");
  if (!first) return false;
  const ready = first.kind === "create" || first.frozen ? first : await freeze(visit, records, first);
  if (!ready) return true;
  const address = ready.kind === "create" ? "/api/visits" : `/api/visits/${visit}/changes`;
  const content = ready.kind === "create" ? { op: ready.op, ...ready.content } : ready.content;
  const answer = await call(address, ready.op, content);
  if (answer.status === 401) {
    session = null;
    throw new Stop("login");
  }
  if (answer.ok) await confirmed(visit, ready, answer.body);
  else await refused(visit, ready, answer);
  return true;
}

/** Put the waiting changes of one base together, under one key, before they are sent: a repeat must be the same bytes. */
async function freeze(visit, records, first) {
  const open = records.filter((r) => r.state === "conflict");
  const together = [];
  for (const record of records.filter((r) => r.state === "waiting")) {
    if (record.kind !== "changes" || record.frozen || record.base !== first.base) break;
    together.push(record);
  }
  let values = together.map((r) => r.content).reduce(store.over, {});
  // A tap on a question that is in conflict changes this phone's side of it, and waits with it.
  const instead = [];
  for (const conflict of open) {
    const [inside, outside] = split(values, conflict.content.conflicts.map((c) => c.where));
    values = outside;
    if (count(inside)) instead.push({ ...conflict, content: { ...conflict.content, mine: store.over(conflict.content.mine, inside) } });
  }
  // And an answer given anew takes the place of the one that was refused.
  const gone = together.map((r) => r.seq);
  for (const refused of records.filter((r) => r.state === "refused" && r.kind === "changes")) {
    const [answered, rest] = split(refused.content, placesOf(values));
    if (!count(answered)) continue;
    if (count(rest)) instead.push({ ...refused, content: rest });
    else gone.push(refused.seq);
  }
  let frozen = null;
  if (count(values)) {
    const draft = await store.draftOf(visit);
    const op = crypto.randomUUID();
    const made_at = new Date(together.at(-1).at).toISOString();
    frozen = { ...first, op, frozen: true, content: { op, base: first.base, own: draft?.own ?? [], ...values, made_at } };
    instead.push(frozen);
  }
  await store.replace(gone, instead);
  return frozen;
}

async function confirmed(visit, record, body) {
  if (record.kind === "create") {
    await store.keepDraft(record.account, body);
    await store.confirm(record.seq, visit, () => ({ version: body.version }));
    tell({ kind: "saved", visit, version: body.version, theirs: {}, sheets: body.sheets });
    return;
  }
  await store.confirm(record.seq, visit, (content) => {
    store.fill(store.fill(content, body.theirs), body.saved);
    content.sheets = body.sheets;
    return body;
  });
  const { version, wrote, theirs, sheets } = body;
  tell({ kind: "saved", visit, version, wrote, theirs, sheets, saved: body.saved });
}

async function refused(visit, record, { status, body, wait }) {
  const error = body?.error ?? {};
  if (status === 400 && !error.code && !record.asked) {
    // The page's token against forged posts has run out with its log-in: fetch a fresh one, once.
    await ask();
    record.asked = true;
    await store.replace([], [record]);
    return;
  }
  if (error.code === "in_flight" || status === 429 || status >= 500) throw new Stop("later", wait);
  const waits = { ...record, op: crypto.randomUUID(), frozen: false };
  const { op, base, own, made_at, provisional, ...values } = record.content;
  if (error.code === "conflict") {
    const [mine, rest] = split(values, error.conflicts.map((c) => c.where));
    const kept = { ...waits, seq: undefined, state: "conflict", content: { mine, conflicts: error.conflicts, version: error.version } };
    delete kept.seq;
    const instead = count(rest) ? [kept, { ...waits, base: error.version, content: rest }] : [kept];
    await store.replace([record.seq], instead);
    await store.confirm(null, visit, (content) => {
      store.fill(content, error.theirs);
      for (const { where, theirs } of error.conflicts) store.fill(content, shaped(where, theirs));
      return { version: error.version };
    });
    tell({ kind: "conflict", visit, conflicts: error.conflicts, theirs: error.theirs, version: error.version });
    return;
  }
  const faulty = (error.faults ?? []).map((f) => f.where).filter((where) => where.length === (where[0] === "facts" ? 2 : 3));
  const [bad, good] = record.kind === "create" ? [record.content, null] : split(values, faulty);
  const stays = { ...waits, state: "refused", status, say: error.say, faults: error.faults ?? [] };
  if (record.kind === "changes" && count(bad) && count(good)) {
    delete stays.seq;
    await store.replace([record.seq], [{ ...stays, content: bad }, { ...waits, content: good }]);
  } else {
    await store.replace([], [{ ...stays, content: record.kind === "create" ? record.content : values }]);
  }
  tell({ kind: "refused", visit, faults: error.faults ?? [], say: error.say });
}

/** A body's values at some places, and the others. */
function split(values, places) {
  const [inside, outside] = [store.over({}, {}), store.over(values, {})];
  for (const where of places) {
    const table = where.slice(0, -1).reduce((found, name) => found?.[name], outside);
    const name = where.at(-1);
    if (!table || !Object.hasOwn(table, name)) continue;
    Object.assign(inside, store.over(inside, shaped(where, table[name])));
    delete table[name];
  }
  return [inside, outside];
}

/** Every place that a body says something about. */
export function placesOf(values) {
  const tables = store.BY_INSTRUMENT.flatMap((part) => Object.entries(values[part] ?? {}).map(([id, table]) => [[part, id], table]));
  return [...tables, [["facts"], values.facts ?? {}]].flatMap(([path, table]) => Object.keys(table).map((name) => [...path, name]));
}

/** One value, shaped like a body. */
export function shaped(where, value) {
  const [part, ...path] = where;
  return { [part]: path.reduceRight((inner, name) => ({ [name]: inner }), value) };
}

/** How many values a body holds. */
export function count(values) {
  const tables = [...store.BY_INSTRUMENT.flatMap((part) => Object.values(values[part] ?? {})), values.facts ?? {}];
  return tables.reduce((sum, table) => sum + Object.keys(table).length, 0);
}

async function call(address, op, content) {
  const headers = { Accept: "application/json" };
  const options = { headers, signal: AbortSignal.timeout?.(PATIENCE), cache: "no-store" };
  if (content) {
    Object.assign(headers, { "Content-Type": "application/json", "Idempotency-Key": op, "X-CSRFToken": session.csrf });
    Object.assign(options, { method: "POST", body: JSON.stringify(content) });
  }
  let answer;
  try {
    answer = await fetch(address, options);
  } catch {
    throw new Stop("offline");
  }
  const body = await answer.json().catch(() => null);
  return { ok: answer.ok && body !== null, status: answer.ok && body === null ? 503 : answer.status, body, wait: Number(answer.headers.get("Retry-After")) || null };
}

/** Fetch JSON from this site; throws Stop without a network, or with the state of the answer. */
export async function get(address) {
  const answer = await call(address);
  if (!answer.ok) throw new Stop(answer.status === 401 ? "login" : answer.status === 404 ? "gone" : "later");
  return answer.body;
}

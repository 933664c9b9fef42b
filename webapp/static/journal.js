// A tap, sealed and written down before the event that brought it is over: whoever reloads or leaves the page in that very
// moment finds it again. A browser encrypts only in the background, so the ink is made ahead: the key stream of AES-GCM
// under the phone's key (zeros, encrypted), of which every byte is used once. A line lives until the outbox has its record.

const PREFIX = "tap:";
const POT = 16_384;
/** How long another tab may take to write its own line into the outbox, in milliseconds. */
const ALIVE = 10_000;

let pot = null;
let count = 0;

// Not as long as what a call can take: see POT.
const text = (bytes) => btoa(String.fromCharCode.apply(null, bytes));
const bytes = (words) => Uint8Array.from(atob(words), (sign) => sign.charCodeAt(0));

/** Written or read: the same. */
function inked(some, ink, from) {
  const found = new Uint8Array(some.length);
  for (let place = 0; place < some.length; place++) found[place] = some[place] ^ ink[from + place];
  return found;
}

async function stream(key, iv, end) {
  return new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, new Uint8Array(end)), 0, end);
}

/** Make fresh ink. */
export async function prepare(key) {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  pot = { key, iv, ink: await stream(key, iv, POT), used: 0 };
}

/** Write a record down, now. Returns its line's name, or null where that cannot be done: the outbox has to do alone. */
export function write(record) {
  const plain = new TextEncoder().encode(JSON.stringify(record));
  if (!pot || pot.used + plain.length > POT) return null;
  const { key, iv, used } = pot;
  pot.used += plain.length;
  const sealed = inked(plain, pot.ink, used);
  if (pot.used > POT / 2) prepare(key).catch(() => {});
  const line = `${PREFIX}${crypto.randomUUID()}`;
  try {
    localStorage.setItem(line, JSON.stringify([text(iv), used, text(sealed), count++]));
    return line;
  } catch {
    return null;
  }
}

/** Whether a line is still here: a page that came later may have taken it over. */
export const holds = (line) => localStorage.getItem(line) !== null;
export const erase = (line) => localStorage.removeItem(line);

function lines() {
  try {
    return Object.keys(localStorage).filter((name) => name.startsWith(PREFIX));
  } catch {
    return [];
  }
}

/** Records that never came into the outbox, in the order of the taps: those of this tab, and what nobody is at work on. */
export async function left(key, tab) {
  const found = [];
  for (const line of lines()) {
    try {
      const [iv, used, words, nth] = JSON.parse(localStorage.getItem(line));
      const sealed = bytes(words);
      const ink = await stream(key, bytes(iv), used + sealed.length);
      const record = JSON.parse(new TextDecoder().decode(inked(sealed, ink, used)));
      if (record.tab === tab || Math.abs(Date.now() - record.at) > ALIVE) found.push({ line, record, nth });
    } catch {
      // Of another key, or damaged: nobody can read it any more.
      erase(line);
    }
  }
  // Two taps may fall into one millisecond.
  return found.sort((a, b) => a.record.at - b.record.at || a.nth - b.nth);
}

/** Forget everything, the ink too. */
export function clear() {
  pot = null;
  lines().forEach(erase);
}

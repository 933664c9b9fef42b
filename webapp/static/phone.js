// On every page of somebody who is logged in: the outbox is emptied whenever there is a network, form pages keep their
// answers on the phone, the pages for times without a network are made ready, and logging out leaves nothing behind.

import * as store from "./store.js";
import * as sender from "./sender.js";
import { page, t } from "./words.js";

let unsent = 0;

async function start() {
  if (page.account) sender.useSession(page);
  const form = document.querySelector("form#page[data-visit]");
  if (form) await keepForm(form);
  if (!(await store.works())) return;
  sender.listen((news) => {
    if (news.kind === "queue") unsent = news.waiting + news.conflicts + news.refused;
    badge();
  });
  unsent = await store.waiting();
  badge();
  const send = () => page.account && sender.send();
  addEventListener("online", send);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && send());
  send();
  leaving();
  if (page.account) idle(() => ready().catch(() => {}));
}

async function keepForm(form) {
  const { paced } = await import("./pace.js");
  paced(form);
  const { Autosave } = await import("./autosave.js");
  const away = (go) => navigator.serviceWorker?.controller && `/offline#${location.pathname}?go=${encodeURIComponent(go)}`;
  const autosave = new Autosave(form, { away });
  if (await autosave.start()) autosave.takeButtons();
}

/** The link to the outbox shows how much waits. */
function badge() {
  for (const link of document.querySelectorAll("[data-outbox]")) {
    link.hidden = !unsent;
    link.textContent = t("outbox_n", { n: unsent });
  }
}

/** Logging out asks first when something is unsent, then deletes the key and everything sealed with it. */
function leaving() {
  const asked = (event) => {
    if (!event.target.matches?.("form[data-logout]") || !unsent || confirm(t("logout", { n: unsent }))) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  };
  document.addEventListener("submit", asked, { capture: true });
  document.addEventListener("yyassess:logout", (event) => {
    const gone = store.wipe();
    event.detail?.waitFor?.(gone);
  });
}

function idle(work) {
  const later = () => (globalThis.requestIdleCallback ?? setTimeout)(work);
  if (document.readyState === "complete") later();
  else addEventListener("load", later, { once: true });
}

/** Get the pages and rules for times without a network, once everything else is done. */
async function ready() {
  if (!navigator.serviceWorker) return;
  await navigator.serviceWorker.register("/sw.js");
  await navigator.serviceWorker.ready;
  const known = await store.note("session");
  if (known?.account === page.account && known.today === today(known.skew) && known.version === page.version) return;
  navigator.storage?.persist?.();
  const found = await sender.ask();
  if (found.files) await Promise.all(Object.values(found.files).map((address) => fetch(address)));
  await store.setNote("session", { ...found, csrf: null, skew: Date.parse(found.now) - Date.now(), version: page.version });
}

const CHINA = 8 * 3600_000;
const today = (skew = 0) => new Date(Date.now() + skew + CHINA).toISOString().slice(0, 10);

start();

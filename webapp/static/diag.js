// What this phone can do, in words: no numbers that only a technician reads, and no promise that was not tried.

import * as store from "./store.js";
import * as sender from "./sender.js";
import { h, t } from "./words.js";

const NEAR = 5;
const yes = (found) => t(found ? "yes" : "no");

async function worker() {
  if (!navigator.serviceWorker) return ["c", t("no")];
  const ready = await navigator.serviceWorker.getRegistration();
  return ready?.active ? ["a", t("worker_active")] : ["a", t("worker_idle")];
}

async function clock() {
  try {
    const before = Date.now();
    const { now } = await sender.ask();
    const off = Math.round((Date.parse(now) - (before + Date.now()) / 2) / 1000);
    return Math.abs(off) <= NEAR ? t("clock_ok", { s: NEAR }) : t("clock_off", { s: Math.abs(off) });
  } catch {
    return t("clock_unknown");
  }
}

async function space() {
  const found = await navigator.storage?.estimate?.();
  const mega = (bytes) => Math.round(bytes / 1e5) / 10;
  return found ? t("storage_of", { used: mega(found.usage), quota: Math.round(found.quota / 1e6) }) : t("no");
}

async function start() {
  const keeps = await store.works();
  const [workers, workerSays] = await worker();
  const persisted = await navigator.storage?.persisted?.();
  const [drafts, unsent] = keeps ? [(await store.allDrafts()).length, await store.waiting()] : ["–", "–"];
  const lines = [
    ["browser", t(/MicroMessenger/i.test(navigator.userAgent) ? "in_wechat" : "not_wechat")],
    ["database", yes(globalThis.indexedDB)],
    ["crypto", yes(globalThis.crypto?.subtle)],
    ["key", yes(keeps)],
    ["worker", workerSays],
    ["persist", persisted ? t("yes") : t("persist_no")],
    ["locks", yes(navigator.locks)],
    ["storage", await space()],
    ["clock", await clock()],
    ["drafts_n", drafts],
    ["unsent_n", unsent],
  ];
  const state = !keeps ? "c" : workers === "a" ? "a" : "b";
  const kind = { a: "good", b: "open", c: "bad" }[state];
  document.querySelector("#found").replaceChildren(
    h("p", { class: `verdict verdict_${kind}`, "data-state": state }, t(state)),
    h("dl", { class: "facts panel" }, lines.flatMap(([name, value]) => [h("dt", {}, t(name)), h("dd", { "data-line": name }, String(value))])),
  );
}

start();

// The outbox: what waits, why, and what can be done with it: send, choose between two answers, save to a file, delete.

import * as store from "./store.js";
import * as sender from "./sender.js";
import { asTexts } from "./autosave.js";
import { h, moment, page, say, t } from "./words.js";

const list = document.querySelector("#list");
const said = document.querySelector("#said");
const button = (text, work, kind = "default") => h("button", { type: "button", class: `weui-btn weui-btn_${kind}`, onclick: work }, text);
const tell = (text) => {
  said.textContent = text;
  said.hidden = !text;
};

let drawn = null;
let entries = new Map();

/** Draw the list, unless it stands there already: nothing moves, and no choice goes, under somebody's finger. */
async function show() {
  const records = await store.unsent();
  const drafts = new Map((await store.allDrafts()).map((draft) => [draft.visit, draft.content]));
  const heads = records.map(({ visit }) => [drafts.get(visit)?.person.name, drafts.get(visit)?.number]);
  const alike = ({ sealed, ...record }) => JSON.stringify([isForeign(record), record]);
  const now = JSON.stringify([records.map(alike), heads]);
  if (now === drawn) return;
  drawn = now;
  document.querySelector("#tools").hidden = !records.length;
  if (!records.length) return list.replaceChildren(h("p", { class: "empty" }, t("empty")));
  const visits = Map.groupBy ? Map.groupBy(records, (r) => r.visit) : grouped(records);
  const before = entries;
  entries = new Map();
  const once = (record) => {
    const kept = before.get(alike(record)) ?? entry(record);
    entries.set(alike(record), kept);
    return kept;
  };
  list.replaceChildren(...[...visits].map(([visit, own]) => visitPanel(own.map(once), drafts.get(visit))));
}

/** Whether an entry waits for somebody else's log-in. */
const isForeign = ({ account }) => Boolean(page.account) && account !== page.account;

function grouped(records) {
  const found = new Map();
  for (const record of records) found.set(record.visit, [...(found.get(record.visit) ?? []), record]);
  return found;
}

function visitPanel(own, draft) {
  const name = draft?.person.name ?? t("unknown_person");
  const about = draft ? ` · ${draft.visited_on}${draft.number ? ` · ${draft.number}` : ""}` : "";
  return h("section", { class: "panel" }, h("h2", { class: "panel__title" }, name, h("span", { class: "small" }, about)), own);
}

function entry(record) {
  const { content, state, kind, at } = record;
  const remove = async () => {
    if (!confirm(t("delete_sure"))) return;
    await store.replace([record.seq], []);
    if (kind === "create") await store.dropDraft(record.visit);
    await show();
  };
  if (!content) return h("div", { class: "entry" }, h("p", {}, t("unreadable")), button(t("delete"), remove));
  const what = kind === "create" ? t("new_visit") : t("answers_n", { n: sender.count(content.mine ?? content) });
  const line = h("p", {}, h("b", {}, what), ` · ${moment(at)} · ${t(`state_${state}`)}`);
  const foreign = isForeign(record) && h("p", { class: "notice" }, t("other_account"));
  if (state === "conflict") return h("div", { class: "entry" }, line, sideBySide(record));
  const why = state === "refused" && [
    h("p", { class: "q__error" }, say(record.say)),
    h("ul", { class: "plain" }, (record.faults ?? []).map((fault) => h("li", {}, say(fault.say)))),
  ];
  const retry = async () => {
    await store.replace([], [{ ...record, op: crypto.randomUUID(), frozen: false, state: "waiting" }]);
    await send();
  };
  return h("div", { class: "entry" }, line, foreign, why,
    h("div", { class: "buttons" },
      state === "refused" && kind === "create" && h("a", { class: "weui-btn weui-btn_primary", href: "/offline#/visits/new" }, t("correct")),
      state === "refused" && button(t("try_again"), retry),
      button(t("delete"), remove)));
}

/** Both answers to each question, one of them to be chosen; nothing is chosen beforehand. */
function sideBySide(record) {
  const { conflicts, mine } = record.content;
  const form = h("form", { class: "conflict" }, h("p", {}, t("side_by_side")));
  const value = (where) => where.slice(1).reduce((table, name) => table?.[name], mine[where[0]]);
  conflicts.forEach(({ where, name, mine: first, mine_say, theirs_say }, n) => {
    const own = value(where);
    const same = String(asTexts(where[0], own)) === String(asTexts(where[0], first));
    const words = same ? say(mine_say) : asTexts(where[0], own).join("、");
    const side = (which, title, text) =>
      h("label", { class: "choice weui-cell" },
        h("input", { type: "radio", name: `c${n}`, value: which, required: true }),
        h("span", { class: "choice__say" }, h("b", {}, title), h("span", { class: "choice__about" }, text)));
    form.append(h("fieldset", { class: "q q_inner" }, h("legend", { class: "q__title" }, say(name)),
      h("div", { class: "choices sides" }, side("mine", t("mine"), words), side("theirs", t("theirs"), say(theirs_say)))));
  });
  form.append(h("button", { class: "weui-btn weui-btn_primary" }, t("keep_chosen")));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const chosen = conflicts.map(({ where }, n) => [where, form.elements[`c${n}`].value]).filter(([, which]) => which === "mine");
    const values = chosen.reduce((found, [where]) => store.over(found, sender.shaped(where, value(where))), {});
    // Based on what is seen here: if it changes once more meanwhile, both are shown again.
    const { seq, content, ...rest } = record;
    const next = { ...rest, op: crypto.randomUUID(), frozen: false, state: "waiting", base: content.version, content: values };
    await store.replace([seq], chosen.length ? [next] : []);
    await send();
  });
  return form;
}

async function send() {
  try {
    page.account = (await sender.ask()).account;
    const { state, conflicts, refused } = await sender.send();
    const left = conflicts ? t("conflicts", { n: conflicts }) : refused ? t("refused", { n: refused }) : null;
    tell((state === "sent" && left) || t(`result_${state}`));
  } catch (stop) {
    tell(t(`result_${stop.state ?? "later"}`));
  }
  await show();
}

// -- files ---------------------------------------------------------------------------------------------------

const ROUNDS = 600_000;

async function fileKey(passphrase, salt) {
  const from = await crypto.subtle.importKey("raw", new TextEncoder().encode(passphrase), "PBKDF2", false, ["deriveKey"]);
  const way = { name: "PBKDF2", hash: "SHA-256", salt, iterations: ROUNDS };
  return crypto.subtle.deriveKey(way, from, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
}
const coded = (bytes) => btoa(Array.from(new Uint8Array(bytes), (byte) => String.fromCharCode(byte)).join(""));
const decoded = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

async function exported(passphrase) {
  const records = (await store.unsent()).filter((record) => record.content);
  const changes = records.map(({ sealed, seq, tab, ...record }) => record);
  const content = { form: "yyassess-outbox-1", changes };
  if (passphrase === null) return content;
  const [salt, iv] = [crypto.getRandomValues(new Uint8Array(16)), crypto.getRandomValues(new Uint8Array(12))];
  const data = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, await fileKey(passphrase, salt), new TextEncoder().encode(JSON.stringify(content)));
  return { form: "yyassess-outbox-sealed-1", rounds: ROUNDS, salt: coded(salt), iv: coded(iv), data: coded(data) };
}

function save(content) {
  const address = URL.createObjectURL(new Blob([JSON.stringify(content)], { type: "application/json" }));
  h("a", { href: address, download: `yyassess-${new Date().toISOString().slice(0, 10)}.json` }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
  tell(t("exported"));
}

async function takeIn(file, passphrase) {
  let content = JSON.parse(await file.text());
  if (content.form === "yyassess-outbox-sealed-1") {
    const key = await fileKey(passphrase, decoded(content.salt));
    const plain = await crypto.subtle.decrypt({ name: "AES-GCM", iv: decoded(content.iv) }, key, decoded(content.data));
    content = JSON.parse(new TextDecoder().decode(plain));
  }
  if (content.form !== "yyassess-outbox-1") throw new Error("not a file of this form");
  const here = new Set((await store.unsent()).map((record) => record.op));
  const fresh = content.changes.filter((record) => !here.has(record.op) && record.visit && record.content);
  await store.replace([], fresh.map((record) => ({ ...record, tab: "file" })));
  tell(t("taken_in", { n: fresh.length }));
  await show();
}

async function start() {
  if (!(await store.works())) return tell(t("net_c"));
  const known = await store.note("session");
  if (known) page.account = known.account;
  sender.listen((news) => news.kind !== "queue" && show());
  await show();
  const passphrase = document.querySelector("#passphrase");
  document.querySelector("#send").addEventListener("click", send);
  document.querySelector("#export-sealed").addEventListener("click", async () => {
    if (passphrase.value.length < 8) return tell(t("passphrase_short"));
    save(await exported(passphrase.value));
  });
  document.querySelector("#export-plain").addEventListener("click", async () => confirm(t("plain_sure")) && save(await exported(null)));
  document.querySelector("#import").addEventListener("change", async ({ target }) => {
    await takeIn(target.files[0], passphrase.value).catch(() => tell(t("file_bad")));
    target.value = "";
  });
  await send();
}

start();

// A visit begun without a network. The server checks everything again when it is sent, and says what is wrong.

import * as store from "./store.js";
import { files as load } from "./grading.js";
import { h, page, say, t } from "./words.js";

const CHINA = 8 * 3600_000;
const WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];

/** Birth date and sex of an identity number (GB 11643-1999); null when it cannot be right. */
export function readNumber(given) {
  const number = given.normalize("NFKC").replace(/\s/g, "").toUpperCase();
  if (!/^[1-9]\d{16}[\dX]$/.test(number)) return null;
  const sum = WEIGHTS.reduce((total, weight, n) => total + weight * Number(number[n]), 0);
  const birth = `${number.slice(6, 10)}-${number.slice(10, 12)}-${number.slice(12, 14)}`;
  const day = new Date(`${birth}T00:00:00Z`);
  if ("10X98765432"[sum % 11] !== number[17] || Number.isNaN(day.getTime()) || day.toISOString().slice(0, 10) !== birth) return null;
  return { number, birth, sex: Number(number[16]) % 2 ? "male" : "female" };
}

/** Places whose rules are on this phone, each with the addresses of its files. */
async function placesHere(known) {
  const found = new Map();
  for (const { content } of await store.allDrafts(known.account)) if (content.files) found.set(content.place, content.files);
  if (known.files) found.set(known.place, known.files);
  for (const [place, files] of found) {
    try {
      found.set(place, { files, ...(await load(files)) });
    } catch {
      found.delete(place);
    }
  }
  return found;
}

/** What was answered to the consents; null when nothing was. */
function consentsOf(form) {
  const given = {};
  for (const part of form.querySelectorAll("[data-consent]")) {
    const answer = part.querySelector("input:checked");
    if (answer) given[part.dataset.consent] = answer.value === "yes";
  }
  if (!Object.keys(given).length) return null;
  const by = form.elements.by.value;
  return { wording: form.elements.wording.value, by, by_name: by === "self" ? "" : form.elements.by_name.value.trim(), given };
}

/** Put the answers of a refused visit back into its form. */
function showConsents(form, consents) {
  for (const [kind, agreed] of Object.entries(consents.given)) form.elements[`consent.${kind}`].value = agreed ? "yes" : "no";
  form.elements.by.value = consents.by;
  form.elements.by_name.value = consents.by_name;
}

/** Show the form of a new visit; `go` opens its first page. A refused one is corrected under its own id. */
export async function newVisit(main, go) {
  const known = await store.note("session");
  const places = known ? await placesHere(known) : new Map();
  if (!places.size) {
    main.replaceChildren(h("h1", { class: "page-title" }, t("new")), h("p", { class: "empty" }, t(known ? "no_rules" : "nobody")));
    return;
  }
  page.account ??= known.account;
  const form = document.querySelector("#new-visit").content.cloneNode(true).querySelector("form");
  const field = (name) => form.elements[name];
  for (const option of [...field("place").options]) if (option.value && !places.has(option.value)) option.remove();
  field("place").value = places.has(known.place) ? known.place : "";
  const today = new Date(Date.now() + (known.skew ?? 0) + CHINA).toISOString().slice(0, 10);
  Object.assign(field("visited_on"), { value: today, max: today });
  const refused = (await store.unsent()).find((r) => r.kind === "create" && r.state === "refused" && r.content);
  if (refused) for (const [name, value] of Object.entries(refused.content)) if (field(name)?.type !== "checkbox" && typeof value === "string" && field(name)) field(name).value = value;

  if (refused?.content.consents) showConsents(form, refused.content.consents);

  const choices = () => {
    const here = places.get(field("place").value);
    const list = form.querySelector("[data-instruments]");
    list.replaceChildren(...Object.values(here?.form.instruments ?? {}).map((instrument) =>
      h("label", { class: "choice weui-cell" },
        h("input", { type: "checkbox", name: "instrument", value: instrument.id, checked: here.form.bundle.includes(instrument.id) }),
        h("span", { class: "choice__say" }, say(instrument.name)))));
  };
  field("place").addEventListener("change", choices);
  choices();
  const wrong = (name, text) => {
    const place = form.querySelector(`[data-error="${name}"]`);
    place.textContent = text;
    place.hidden = !text;
  };
  field("citizen_id").addEventListener("change", () => {
    const read = readNumber(field("citizen_id").value);
    wrong("citizen_id", field("citizen_id").value.trim() && !read ? t("err_id") : "");
    if (read) Object.assign(field("birth_date"), { value: read.birth }), (field("sex").value = read.sex);
  });

  const warning = form.querySelector("[data-refused]");
  const warn = () => (warning.hidden = field("consent.assessment").value !== "no");
  form.addEventListener("change", warn);
  warn();

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const given = Object.fromEntries(["name", "citizen_id", "birth_date", "sex", "place", "visited_on"].map((n) => [n, field(n).value.trim()]));
    const instruments = [...form.querySelectorAll("input[name=instrument]:checked")].map((box) => box.value);
    const consents = consentsOf(form);
    const read = given.citizen_id ? readNumber(given.citizen_id) : null;
    const faults = {
      name: !given.name && t("err_name"),
      citizen_id: given.citizen_id && !read && t("err_id"),
      birth_date: !given.birth_date && !read && t("err_birth"),
      sex: !given.sex && !read && t("err_sex"),
      place: !given.place && t("err_place"),
      instrument: !instruments.length && t("err_instrument"),
      by: consents && !consents.by && t("err_by"),
      by_name: consents?.by && consents.by !== "self" && !consents.by_name && t("err_by_name"),
    };
    for (const [name, text] of Object.entries(faults)) wrong(name, text || "");
    const first = Object.keys(faults).find((name) => faults[name]);
    if (first) return form.querySelector(`[data-error="${first}"]`).scrollIntoView({ block: "center" });
    if (read) Object.assign(given, { citizen_id: read.number, birth_date: read.birth, sex: read.sex });
    const visit = refused?.visit ?? crypto.randomUUID();
    const content = { visit, ...given, instruments, from_paper: field("from_paper").checked, ...(consents && { consents }) };
    const { files } = places.get(given.place);
    const name = given.name[0] + "*".repeat([...given.name].length - 1);
    const draft = {
      visit, number: "", version: 0, status: "draft", editable: true, place: given.place, visited_on: given.visited_on,
      person: { name, birth_date: given.birth_date, sex: given.sex }, facts: {}, sheets: [], files,
      assessments: instruments.map((instrument) => ({ instrument, answers: {}, settings: {}, remarks: {} })),
    };
    await store.keepDraft(page.account, draft);
    if (refused) await store.replace([], [{ ...refused, op: crypto.randomUUID(), state: "waiting", content }]);
    else await store.add({ visit, account: page.account, kind: "create", base: 0, tab: "", content });
    go(`/visits/${visit}`);
  });
  main.replaceChildren(h("h1", { class: "page-title" }, t("new")), form);
}

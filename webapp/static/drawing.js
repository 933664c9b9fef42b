// Questions drawn from the place's file of questions, in the same markup as the server's pages.

import { asTexts } from "./autosave.js";
import { h, page, say, t } from "./words.js";

const PARTS = { item: "answers", setting: "settings", fact: "facts" };

/** One question with its stored value. */
export function question(q, value, { pointless = false } = {}) {
  const part = PARTS[q.name.split(".")[0]];
  const texts = asTexts(part, value);
  const counted = q.counted && !pointless;
  const hint = q.hint ? `${q.anchor}-hint` : null;
  const head = [
    q.code && h("span", { class: "q__code" }, q.code),
    q.code && " ",
    h("span", { class: "q__name" }, say(q.title)),
    q.optional && h("span", { class: "tag tag_quiet" }, t("optional")),
    counted && h("span", { class: "q__open tag tag_quiet" }, t("open")),
  ];
  const before = [
    q.hint && h("p", { class: "q__hint", id: hint }, say(q.hint)),
    pointless && h("p", { class: "q__hint" }, t("skipped")),
    q.note && h("details", { class: "q__note" }, h("summary", {}, t("about")), h("p", {}, say(q.note))),
  ];
  const attributes = { class: "q", id: q.anchor, "data-counted": counted, "aria-describedby": hint };
  if (q.kind === "choice" || q.kind === "many") {
    return h("fieldset", attributes, h("legend", { class: "q__title" }, head), before, !pointless && choices(q, texts));
  }
  const own = { id: `${q.anchor}-field`, name: q.name, class: "field" };
  const label = h("label", { class: "q__title", for: own.id }, head);
  return h("div", attributes, label, before, !pointless && field(q, own, texts[0] ?? ""));
}

function choices(q, texts) {
  const many = q.kind === "many";
  const limit = page.lang === "en" ? 11 : 6;
  const short = q.choices.every((c) => c.score === undefined && say(c.say).length <= limit);
  const one = (c) =>
    h("label", { class: "choice weui-cell" },
      h("input", {
        type: many ? "checkbox" : "radio", name: q.name, value: c.value, checked: c.value !== "" && texts.includes(c.value),
        "data-clears": ["", "-none-", "none"].includes(c.value),
      }),
      h("span", { class: "choice__say" }, say(c.say)),
      c.score !== undefined && h("span", { class: "choice__score" }, t("points", { score: c.score })));
  return h("div", { class: `choices${short ? " choices_short" : ""}` }, many && h("input", { type: "hidden", name: "shown", value: q.name }), q.choices.map(one));
}

function field(q, own, value) {
  if (q.kind === "select") {
    const options = q.choices.map((c) => h("option", { value: c.value, selected: c.value === value }, say(c.say)));
    return h("select", own, h("option", { value: "" }, t("choose_one")), options);
  }
  if (q.kind === "long") return h("textarea", { ...own, rows: 3, maxlength: 2000 }, value);
  if (q.kind === "date") return h("input", { ...own, type: "date", value });
  const text = { ...own, type: "text", autocomplete: "off", value };
  if (q.kind !== "number") return h("input", { ...text, maxlength: 2000 });
  const unit = `${say(q.unit)} ${q.low === undefined ? "" : t("range", q)}`;
  return h("div", { class: "field-row" },
    h("input", { ...text, class: "field field_number", inputmode: "decimal", maxlength: 20 }),
    h("span", { class: "field-row__unit" }, unit));
}

/** Folded under an item: a note, and why it cannot be assessed. */
export function remark(q, reasons, { note = "", cannot = "" } = {}) {
  const id = q.name.slice(5);
  const options = reasons.map(({ value, say: words }) => h("option", { value, selected: value === cannot }, say(words)));
  return h("details", { class: "more remark" },
    h("summary", {}, t("remark"), h("span", { class: "visually-hidden" }, ` ${say(q.title)}`)),
    h("div", { class: "q" }, h("label", { class: "q__title", for: `cannot-${id}` }, t("cannot")),
      h("select", { class: "field", id: `cannot-${id}`, name: `cannot.${id}` }, h("option", { value: "" }, t("can")), options)),
    h("div", { class: "q" }, h("label", { class: "q__title", for: `note-${id}` }, t("note")),
      h("textarea", { class: "field", id: `note-${id}`, name: `note.${id}`, rows: 2, maxlength: 2000 }, note)));
}

/** The pages of a draft in order: each dimension, then what else is asked; a fact that two instruments read comes once. */
export function pagesOf(form, content) {
  const pages = [];
  const asked = new Set();
  for (const { instrument: id } of content.assessments) {
    const instrument = form.instruments[id];
    if (!instrument) continue;
    for (const dimension of instrument.pages) {
      pages.push({ id, instrument, dimension, path: `${id}/items/${dimension.id}`, questions: dimension.questions, groups: [] });
    }
    const groups = (instrument.groups ?? [])
      .map((group) => ({ ...group, questions: group.questions.filter((q) => !asked.has(q.name)) }))
      .filter((group) => group.questions.length);
    for (const group of groups) for (const q of group.questions) asked.add(q.name);
    if (groups.length || instrument.settings) {
      pages.push({ id, instrument, path: `${id}/context`, questions: instrument.settings ?? [], groups });
    }
  }
  return pages;
}

/** A question's value in a draft's content. */
export function valueOf(content, instrument, name) {
  const [, kind, id] = name.match(/^(\w+)\.(.+)$/);
  if (kind === "fact") return content.facts[id];
  const own = content.assessments.find((each) => each.instrument === instrument);
  return own?.[PARTS[kind]][id];
}

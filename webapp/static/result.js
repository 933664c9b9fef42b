// The provisional result of a draft, worked out on the phone.

import { graded, opened } from "./grading.js";
import { h, say, t } from "./words.js";

/** Panels for each assessment, the screening pathway, and what the grades open. */
export function resultOf(files, content) {
  const panels = content.assessments.map(({ instrument }) => gradePanel(files, content, instrument));
  const { screening, determination } = opened(files, content);
  if (screening?.result) panels.push(screeningPanel(screening));
  panels.push(determination ? outcomes(determination) : h("p", { class: "empty" }, t("no_outcomes")));
  return [h("p", { class: "notice" }, t("result_note")), panels];
}

function gradePanel(files, content, id) {
  const instrument = files.form.instruments[id];
  if (!instrument) return null;
  const result = graded(files, content, id);
  const title = h("h2", { class: "panel__title" }, say(instrument.name));
  if (!result) return h("section", { class: "panel" }, title, h("p", {}, t("no_outcomes")));
  const { grade, bounds, missing } = result;
  const levels = new Map((files.rules.instruments[id].levels ?? []).map((level) => [level.level, level]));
  const name = (level) => say(levels.get(level)?.name);
  return h("section", { class: "panel grade" }, title,
    grade && h("p", { class: "grade__big" }, h("span", { class: "grade__level grade__level_words" }, say(grade.name))),
    !grade && bounds && h("p", {}, t("possible", { best: name(bounds.best), worst: name(bounds.worst) })),
    Object.values(result.results ?? {}).map((part) => h("p", {}, say(part.name), " ", h("b", {}, part.level === null ? "–" : say(levels.get(part.level)?.name)))),
    missing.length > 0 && h("p", {}, t("missing_n", { n: missing.length })),
    result.adjustments.map((a) => h("p", {}, say(a.say))),
    result.not_computed && h("p", { class: "notice" }, say(result.not_computed)),
    result.hints.map((hint) => h("div", { class: `hint hint_${hint.severity ?? "hint"}` }, h("p", {}, say(hint.say)))));
}

function screeningPanel({ result, actions, note }) {
  return h("section", { class: "panel" },
    h("h2", { class: "panel__title" }, t("screening")),
    h("p", {}, h("b", {}, say(result.name)), " ", say(result.advice)),
    h("p", { class: "small" }, say(result.because)),
    h("ul", { class: "plain" }, (actions ?? []).map((action) => h("li", {}, say(action.say)))),
    note && h("p", { class: "small" }, say(note)));
}

function outcomes({ outcomes: all }) {
  const list = (status) => {
    const found = all.filter((o) => o.status === status && !o.dropped_for && !o.ended);
    if (!found.length) return null;
    const one = (o) =>
      h("article", { class: `outcome outcome_${status}` },
        h("h4", { class: "outcome__name" }, say(o.name)),
        o.suspended && h("p", { class: "q__warning" }, say(o.suspended.say)),
        status === "eligible" && h("ul", { class: "benefits" }, o.benefits.map((b) => h("li", { class: "benefit" }, say(b.say)))));
    return [h("h3", { class: "panel__sub" }, t(status), " ", h("span", { class: "count" }, String(found.length))), found.map(one)];
  };
  return h("section", { class: "outcomes" }, h("h2", { class: "section-title" }, t("opens")), list("eligible"), list("unknown"));
}

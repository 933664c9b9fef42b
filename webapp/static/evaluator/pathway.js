// Screening pathways: from whatever screens were done to a graded result, what is still needed and what follows.

import { condition, factsOf } from "./conditions.js";
import { addDays, addMonths } from "./days.js";
import { plain, weakest } from "./reading.js";

const TRUTH = (truth) => (truth === null ? "unknown" : String(truth));
const wordOf = (instrument) => instrument.replaceAll("-", "_");
/** What conditions may call a stage and its instruments. */
const namesOf = (stage) => [
  ...stage.choose.flatMap((c) => ["done", "level", "positive"].map((what) => `${wordOf(c.instrument)}_${what}`)),
  ...["done", "positive", "conflict"].map((what) => `${stage.id}_${what}`),
];
const read = (lines) => new Set(lines.flatMap((line) => (line.when === undefined ? [] : factsOf(line.when))));
const withholds = (when, record) => (when === undefined ? true : condition(when)(record));

/** The library's `screen` for a case that is already read. */
export function walkPathway(rules, id, known, day) {
  return new Walk(rules, rules.pathways[id], known, day).result();
}

class Walk {
  constructor(rules, pathway, known, day) {
    Object.assign(this, { rules, pathway, known, day });
    this.record = { ...known.facts, on_day: day };
    this.marks = [pathway.mark];
    this.done = {};
    const graded = read(pathway.grading);
    this.deciding = pathway.stages.filter((s) => namesOf(s).some((name) => graded.has(name))).map((s) => s.id);
    for (const [instrument, grade] of Object.entries(known.grades)) {
      const word = wordOf(instrument);
      this.record[`${word}_done`] = grade.level !== null;
      if (grade.level !== null) {
        this.record[`${word}_level`] = grade.level;
        if ("positive" in grade) this.record[`${word}_positive`] = grade.positive;
      }
    }
    for (const instrument of [...Object.keys(rules.instruments), ...Object.keys(rules.levels)]) {
      this.record[`${wordOf(instrument)}_done`] ??= false;
    }
    for (const stage of pathway.stages) this.#lookUp(stage);
  }

  holds(line) {
    return withholds(line.when, this.record);
  }

  result() {
    const { pathway, day } = this;
    const entry = pathway.entry.map((c) => this.#clause(c));
    const statuses = entry.map((e) => e.status);
    const stages = pathway.stages.map((s) => this.#stage(s));
    const needed = stages.filter((s) => s.status === "needed").map((s) => s.id);
    const graded = this.deciding.some((id) => this.done[id].length) ? this.#grade() : null;
    const told = (clauses) => clauses.map((c) => this.#clause(c)).filter((c) => c.status === "true");
    const cautions = told(pathway.cautions);
    return {
      pathway: pathway.id,
      name: pathway.name,
      on: day,
      ruleset: { hash: pathway.hash, on: day },
      entry,
      enters: statuses.includes("true") ? true : statuses.includes("unknown") ? null : false,
      stages,
      conflicts: stages.filter((s) => s.conflict).map(conflictOf),
      result: graded,
      complete: graded !== null && !needed.length,
      needed,
      missing: this.#missing(statuses),
      cautions,
      actions: graded ? this.#actions(graded.code) : [],
      rescreen: graded ? this.#rescreen(graded.code) : null,
      flags: told(pathway.flags),
      decisions: told(pathway.decisions),
      warnings: this.known.warnings,
      note: pathway.note,
      evidence: weakest(this.marks),
      source: pathway.source,
    };
  }

  /** The sentence, source and evidence of a line that was used. */
  #told(line) {
    this.marks.push(line.mark);
    const words = line.words ? { words: line.words } : {};
    return { say: line.say, source: line.source ?? this.pathway.source, evidence: line.mark, ...words };
  }

  #clause(clause) {
    const truth = this.holds(clause);
    const names = factsOf(clause.when).filter((name) => name in this.known.facts);
    const facts = Object.fromEntries(names.map((name) => [name, plain(this.record[name])]));
    const told = truth ? this.#told(clause) : { say: clause.say, evidence: clause.mark };
    return { id: clause.id, status: TRUTH(truth), facts, ...told };
  }

  /** What was done of a stage, and what conditions may know of it. */
  #lookUp(stage) {
    const done = [];
    for (const choice of stage.choose) {
      const grade = this.known.grades[choice.instrument];
      if (!grade || grade.level === null) continue;
      this.marks.push("unconfirmed" in grade ? "recall" : choice.mark);
      done.push({ instrument: choice.instrument, ...grade });
    }
    this.done[stage.id] = done;
    const positives = done.filter((d) => "positive" in d).map((d) => d.positive);
    if (positives.length) this.record[`${stage.id}_positive`] = positives.some(Boolean);
    this.record[`${stage.id}_done`] = done.length > 0;
    this.record[`${stage.id}_conflict`] = new Set(positives).size > 1;
  }

  #stage(stage) {
    const done = this.done[stage.id];
    const wanted = this.holds(stage);
    let status = wanted ? "needed" : "perhaps";
    if (done.length) status = "done";
    else if (wanted === false) status = "not_needed";
    else if (stage.optional) status = "optional";
    const source = stage.source ?? this.pathway.source;
    const shown = {
      id: stage.id, name: stage.name, status, done, conflict: this.record[`${stage.id}_conflict`], source, evidence: stage.mark,
    }; // prettier-ignore
    if (!done.length && wanted !== false) {
      shown.choose = stage.choose.filter((c) => this.holds(c) !== false).map((c) => this.#choice(c, source));
    }
    return shown;
  }

  #choice(choice, source) {
    const shown = { instrument: choice.instrument, name: choice.name };
    if (choice.say) shown.say = choice.say;
    Object.assign(shown, { source: choice.source ?? source, evidence: choice.mark });
    if (!this.holds(choice)) shown.depends_on = factsOf(choice.when).filter((name) => !(name in this.record));
    return shown;
  }

  #grade() {
    const line = this.pathway.grading.find((each) => this.holds(each));
    const { code, level, name, advice } = this.pathway.results.find((r) => r.code === line.result);
    const { say, ...told } = this.#told(line);
    return { code, level, name, advice, because: say, ...told };
  }

  #applies(line, code) {
    return (!line.results || line.results.includes(code)) && this.holds(line);
  }

  #actions(code) {
    const found = this.pathway.actions.filter((a) => this.#applies(a, code));
    return found.map((a) => ({ id: a.id, kind: a.kind, ...this.#told(a) }));
  }

  #rescreen(code) {
    const line = this.pathway.rescreen.find((each) => this.#applies(each, code));
    if (!line) return null;
    const asked = read([line]);
    const stages = this.pathway.stages.filter((s) => this.deciding.includes(s.id) || namesOf(s).some((n) => asked.has(n)));
    const last = stages.flatMap((s) => this.done[s.id].map((d) => d.date)).reduce((a, b) => (b > a ? b : a));
    const due = {};
    if (line.days !== undefined) due.due = addDays(last, line.days);
    else if (line.months !== undefined) due.due = addMonths(last, line.months);
    return { ...due, ...this.#told(line) };
  }

  /** The facts that would settle whether the person enters. */
  #missing(statuses) {
    if (statuses.includes("true")) return [];
    const open = this.pathway.entry.filter((c) => this.holds(c) === null).flatMap((c) => factsOf(c.when));
    const names = open.filter((name) => !(name in this.record));
    return [...new Set(names.flatMap((name) => this.rules.facts[name]?.roots ?? [name]))];
  }
}

const CONFLICT = ["instrument", "code", "date", "positive"];
function conflictOf(stage) {
  const screens = stage.done.map((d) => Object.fromEntries(CONFLICT.filter((k) => k in d).map((k) => [k, d[k]])));
  return { stage: stage.id, screens };
}

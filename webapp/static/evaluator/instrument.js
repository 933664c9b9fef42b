// Answers -> scores -> grade, with every step that led there. Nothing here knows any instrument by name.

import { condition, factsOf } from "./conditions.js";
import { dimensionsOf, resultsOf, scoresOf, traceOf } from "./explain.js";
import { plain, product, weakest } from "./reading.js";
import { RequestReader } from "./request.js";
import { compiledSteps, SKIPPED, usesOf } from "./steps.js";

/** Up to this many completions a bound is found by trying them all, as the library does. */
const MOST_COMPLETIONS = 4096;

/** One instrument, compiled: turns a request into the result of the library's `assess`. */
export class Scorer {
  constructor(it, rules) {
    this.it = it;
    this.sayings = rules.sayings;
    this.reader = new RequestReader(it, rules.facts);
    this.questions = this.reader.questions;
    this.facts = this.reader.facts;
    this.steps = Object.fromEntries((it.steps ?? []).map((step) => [step.id, step]));
    this.compiled = compiledSteps(it.steps ?? []);
    this.uses = usesOf(it.steps ?? []);
    const compiled = (part) => ({ ...part, holds: condition(part.when), reads: factsOf(part.when) });
    this.adjustments = (it.adjustments ?? []).map(compiled);
    this.hints = (it.hints ?? []).map(compiled);
    this.decisions = (it.decisions ?? []).map(compiled);
    this.matters = Object.fromEntries(Object.entries(it.matters ?? {}).map(([name, when]) => [name, condition(when)]));
    this.levels = new Map((it.levels ?? []).map((level) => [level.level, level]));
    this.top = Math.max(0, ...this.levels.keys());
  }

  /** The result for one request. */
  assess(given) {
    const { it } = this;
    const request = this.reader.read(given);
    const { record, points } = request;
    const blocked = this.#blocked(request.settings);
    if (!blocked) this.#run(record, points);
    let preliminary = (it.grade && points[it.grade]) ?? null;
    record.preliminary_level = preliminary;
    let { level, adjustments, skipped } = this.#adjust(record, preliminary);
    if (skipped) preliminary = null;
    const single = it.grade && !it.results;
    let settled = single ? level !== null : !request.missing.length;
    // A brief screen may stop at the first positive answer; a standard is graded from all its items.
    if (request.missing.length && !skipped && it.kind !== "screening") {
      [settled, level, adjustments] = [false, null, []];
    }
    const used = this.#path(record, points);
    const marks = [...(skipped ? [] : [this.#mark(used)]), ...adjustments.map((a) => a.evidence)];
    const evidence = weakest(marks);
    const told = !skipped && !blocked;
    const result = {
      instrument: it.id,
      name: it.name,
      date: request.day,
      ruleset: { hash: it.hash, on: request.day },
      complete: settled && !blocked,
      scores: told ? scoresOf(this, points) : {},
      dimensions: told ? dimensionsOf(this, points) : {},
      preliminary: preliminary === null ? null : this.levels.get(preliminary),
      adjustments,
      grade: level === null || blocked ? null : this.levels.get(level),
      missing: settled ? [] : this.#missing(request, used, blocked),
      warnings: this.#warnings(request, skipped),
      trace: traceOf(this, skipped ? {} : request.given, points, used, adjustments, level),
      evidence,
      decisions: this.decisions.filter((d) => d.holds(record)).map(({ id, say, reason }) => ({ id, say, reason })),
    };
    if (it.results) result.results = resultsOf(this, points);
    const listed = (values, names) => Object.fromEntries(names.map((name) => [name, plain(values[name])]));
    if (it.settings) result.settings = listed(request.settings, Object.keys(request.settings));
    if (request.assumed.length) result.assumed = listed(this.reader.assume, request.assumed);
    if (blocked || it.not_computed) result.not_computed = blocked ?? it.not_computed;
    if (evidence === "recall") {
      const released = request.settings.official_output === "released";
      result.unconfirmed = this.sayings.unconfirmed;
      result.official_output = { blocked: !released, say: released ? this.sayings.released : this.sayings.blocked };
    }
    if (it.grade && !settled && !blocked) result.bounds = this.#bounds(record, request.missing, used);
    return result;
  }

  #run(record, points) {
    for (const [name, step] of this.compiled) points[name] = record[name] = step(record, points);
  }

  /** The final level (null: not settled), the adjustments that hold, and whether items do not count at all. */
  #adjust(record, preliminary) {
    const holding = this.adjustments.map((a) => [a, a.holds(record)]);
    const raising = holding.filter(([a, truth]) => truth && a.raise_by).map(([a]) => a);
    record.raise_triggers = raising.length;
    for (const [a, truth] of holding) {
      if (!truth || a.set_level === undefined) continue;
      if (a.without_items) return { level: a.set_level, adjustments: [told(a, null)], skipped: true };
      if (preliminary !== null) {
        return { level: a.set_level, adjustments: [told(a, a.set_level - preliminary)], skipped: false };
      }
    }
    const open = holding.filter(([, truth]) => truth === null).map(([a]) => a);
    const moved = [...raising, ...open];
    if (
      preliminary === null ||
      open.some((a) => a.set_level !== undefined) ||
      this.#raised(preliminary, raising) !== this.#raised(preliminary, moved)
    ) {
      return { level: null, adjustments: [], skipped: false };
    }
    let level = preliminary;
    const adjustments = [];
    const once = this.it.raise_once ?? false;
    for (const a of once ? [...raising].sort((x, y) => y.raise_by - x.raise_by) : raising) {
      const target = once && adjustments.length ? level : Math.min(this.top, level + a.raise_by);
      adjustments.push(told(a, target - level));
      level = target;
    }
    return { level, adjustments, skipped: false };
  }

  #raised(level, raising) {
    const by = raising.map((a) => a.raise_by).filter(Boolean);
    return Math.min(this.top, level + (this.it.raise_once ? Math.max(0, ...by) : by.reduce((a, b) => a + b, 0)));
  }

  /** The names on the path to the results. */
  #path(record, points) {
    const found = new Set();
    const stack = [...(this.it.grade ? [this.it.grade] : []), ...(this.it.results ?? []).map((r) => r.of)];
    while (stack.length) {
      const name = stack.pop();
      if (found.has(name) || points[name] === SKIPPED) continue;
      found.add(name);
      if (Object.hasOwn(this.uses, name)) stack.push(...this.uses[name](record));
    }
    return found;
  }

  #mark(used) {
    const own = (name) => this.questions[name]?.mark ?? this.steps[name]?.mark;
    return weakest([...used].map(own).filter(Boolean));
  }

  #missing(request, used, blocked) {
    if (request.missing.length || blocked) return request.missing;
    const undecided = this.adjustments.filter((a) => a.holds(request.record) === null).flatMap((a) => a.reads);
    const names = new Set([...used, ...undecided]);
    return [...names].filter((n) => Object.hasOwn(this.facts, n) && !(n in request.record)).sort();
  }

  // -- what is still possible --------------------------------------------------------------------------
  /** The final level of some answers (and facts) on top of a record (context, settings), or null. */
  #gradeOf(record, answers) {
    const trial = Object.assign(Object.create(null), record, answers, { missing_items: 0 });
    const points = Object.create(null);
    for (const [id, answer] of Object.entries(answers)) {
      if (Object.hasOwn(this.questions, id)) points[id] = this.questions[id].worth(answer);
    }
    this.reader.countFacts(trial, points);
    this.reader.hide(trial, points);
    this.#run(trial, points);
    const preliminary = points[this.it.grade] ?? null;
    trial.preliminary_level = preliminary;
    return this.#adjust(trial, preliminary).level;
  }

  /** The best and the worst grade that completions of the missing answers and facts can still give. */
  #bounds(record, missing, used) {
    const { it, questions } = this;
    const everything = { best: Math.min(...this.levels.keys()), worst: this.top };
    const given = {};
    const base = Object.create(null);
    for (const [name, value] of Object.entries(record)) {
      if (Object.hasOwn(questions, name)) given[name] = value;
      else if (!Object.hasOwn(this.steps, name)) base[name] = value;
    }
    const read = new Set([...used, ...this.adjustments.flatMap((a) => a.reads)]);
    const asked = [...read].filter((n) => !(n in base) && !Object.hasOwn(questions, n)).sort();
    const lists = {};
    for (const name of asked) {
      if (Object.hasOwn(this.facts, name) || Object.hasOwn(this.reader.choices, name)) lists[name] = this.#possible(name);
    }
    const scored = Object.values(questions).every((q) => q.scored);
    let ways = [{}];
    if (it.monotone && scored && !this.reader.applies.length && !it.neither) {
      ways = ["best", "worst"].map((end) => Object.fromEntries(missing.map((id) => [id, questions[id][end]])));
    } else {
      for (const id of missing) lists[id] = questions[id].choices();
    }
    let size = ways.length;
    for (const values of Object.values(lists)) {
      size *= values === null ? MOST_COMPLETIONS + 1 : values.length;
      if (size > MOST_COMPLETIONS) return everything;
    }
    const found = new Set();
    const names = Object.keys(lists);
    for (const values of product(Object.values(lists))) {
      const chosen = Object.fromEntries(names.map((name, n) => [name, values[n]]));
      for (const way of ways) found.add(this.#gradeOf(base, { ...given, ...way, ...chosen }));
    }
    found.delete(null);
    return found.size ? { best: Math.min(...found), worst: Math.max(...found) } : everything;
  }

  /** All values of a context fact or a setting; null where there are too many to try. */
  #possible(name) {
    if (Object.hasOwn(this.reader.choices, name)) return this.reader.choices[name];
    const fact = this.facts[name];
    if (fact.type === "integer") {
      return fact.range ? Array.from({ length: fact.range[1] - fact.range[0] + 1 }, (_, n) => fact.range[0] + n) : null;
    }
    if (fact.type === "code") return Object.keys(fact.codes);
    return fact.type === "boolean" ? [false, true] : null;
  }

  // -- what else to say --------------------------------------------------------------------------------
  /** Why the owner's licence forbids computing the result, if it does. */
  #blocked(settings) {
    const { licence } = this.it;
    return licence?.switch && settings[licence.switch] !== true ? licence.say : null;
  }

  #warnings(request, skipped) {
    const { record } = request;
    const warnings = this.hints
      .filter((hint) => hint.holds(record))
      .map(({ id, items, severity, say }) => ({ id, items, severity, say }));
    const warn = (id, items, say) => warnings.push({ id, items, severity: "hint", say });
    const joined = (texts) => [texts.map((t) => t.zh).join("、"), texts.map((t) => t.en).join(", ")];
    const assumed = request.assumed.filter((n) => !Object.hasOwn(this.matters, n) || this.matters[n](record));
    if (assumed.length && !skipped) {
      const [zh, en] = joined(assumed.map((name) => this.facts[name].name));
      warn("assumed", assumed, { zh: `未填，按“无”计算：${zh}`, en: `Not given, counted as absent: ${en}` });
    }
    const open = (this.it.settings ?? []).filter((s) => request.settings[s.id] === null);
    if (open.length) {
      const [zh, en] = joined(open.map((setting) => setting.say));
      warn("choose", open.map((s) => s.id), { zh: `须先选定：${zh}`, en: `Must be chosen first: ${en}` });
    }
    const answered = Object.keys(this.questions).filter((id) => id in request.given);
    let unused = answered.filter((id) => !(id in record));
    if (skipped) {
      const deciding = this.adjustments.filter((a) => a.without_items && a.holds(record)).flatMap((a) => a.reads);
      unused = answered.filter((id) => !deciding.includes(id));
    }
    if (unused.length) warn("not_counted", unused, this.sayings.not_counted);
    return warnings;
  }
}

const told = ({ id, source, mark, say }, levels) => ({ id, levels, source, evidence: mark, say });

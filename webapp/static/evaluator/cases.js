// A case as given -> the facts of a person on a day: read, checked against the vocabulary, completed by derivation.

import { quantity, same } from "./conditions.js";
import { isDay } from "./days.js";
import { compared, plainNumber } from "./numbers.js";
import { allowedOf, attempt, Faults, flatten, InputError, isMapping, plain, readFact } from "./reading.js";

const CASE_KEYS = ["person", "facts", "assessments"];
const ASSESSMENT_KEYS = ["instrument", "date", "answers", "context", "settings", "grade", "code"];
const WAYS = ["answers", "grade", "code"];
const KEPT = ["bounds", "missing", "unconfirmed", "official_output", "results", "entered", "decisions"];

const alike = (a, b) => (Array.isArray(a) || Array.isArray(b) ? String(a) === String(b) : same(a, b));
const filled = (value) => Boolean(value) && (typeof value !== "object" || Object.keys(value).length > 0);

/** Reads cases by one file of rules. */
export class CaseReader {
  constructor(rules, scorer) {
    this.rules = rules;
    this.scorer = scorer;
    this.derived = Object.entries(rules.facts)
      .filter(([, fact]) => fact.derive)
      .map(([name, fact]) => ({ name, fact, value: quantity(fact.derive) }));
    this.graded = {};
    for (const [name, fact] of Object.entries(rules.facts)) {
      const instrument = fact.grade_of ?? fact.code_of;
      if (instrument) (this.graded[instrument] ??= []).push([name, fact]);
    }
  }

  /** The facts, grades, their dates and the warnings of a case on a day; throws InputError with all faults at once. */
  read(given, on) {
    const faults = new Faults();
    if (!isMapping(given)) {
      faults.add("", given, CASE_KEYS, "须为 JSON 对象", "must be a JSON object");
      faults.throwIfAny();
    }
    faults.unknownKeys(Object.keys(given), CASE_KEYS);
    const known = { facts: Object.create(null), grades: {}, gradeDates: {}, warnings: [] };
    for (const part of ["person", "facts"]) this.#facts(given[part] ?? null, part, known.facts, faults);
    this.#assessments(given.assessments ?? null, known, on, faults);
    this.#derive(known, on, faults);
    faults.throwIfAny();
    return known;
  }

  #facts(given, part, facts, faults) {
    if (given === null) return;
    if (!isMapping(given)) {
      faults.add(part, given, {}, "须为 JSON 对象", "must be a JSON object");
      return;
    }
    const vocabulary = this.rules.facts;
    for (const [name, value] of flatten(given, vocabulary)) {
      if (!Object.hasOwn(vocabulary, name)) faults.unknownKeys([name], Object.keys(vocabulary), part);
      else this.#fact(name, value, part, facts, faults);
    }
  }

  #fact(name, value, part, facts, faults) {
    const fact = this.rules.facts[name];
    const where = `${part}.${name}`;
    const shown = fact.personal ? null : value;
    if (fact.grade_of || fact.code_of || fact.pathway) {
      const instrument = fact.grade_of ?? fact.code_of ?? `(screens of the pathway ${fact.pathway})`;
      const allowed = { assessments: [{ instrument, date: "YYYY-MM-DD", grade: { level: 0 } }] };
      faults.add(where, value, allowed, "等级须连同评估日期写在 assessments 里", "a grade is given under assessments, with its date");
      return;
    }
    const refused = (en) => faults.add(where, shown, allowedOf(fact), `${fact.name?.zh ?? name}：不是允许的值`, en);
    let read = attempt(() => readFact(fact, value), refused);
    if (read === undefined || read === null) return;
    if (fact.type === "place" && !/^[0-9]{6}$/.test(read)) {
      const place = this.place(read);
      if (!place) {
        const ids = this.rules.places.map((p) => p.id).sort();
        faults.add(where, value, ids, "没有这个地区", `unknown place '${read}'`);
        return;
      }
      read = place.id;
    }
    if (!(name in facts)) facts[name] = read;
    else if (!alike(facts[name], read)) {
      faults.add(where, shown, null, "同一事实有两个不同的值", "the same fact is given twice with different values");
    }
  }

  /** The place of that id, administrative code, alias or Chinese name. */
  place(given) {
    return this.rules.places.find((p) => p.id === given || p.code === given || p.aliases?.includes(given) || p.name === given);
  }

  #assessments(given, known, on, faults) {
    if (given === null) return;
    if (!Array.isArray(given)) {
      faults.add("assessments", given, [], "须为列表", "must be a list");
      return;
    }
    const byInstrument = new Map();
    given.forEach((item, place) => {
      const where = `assessments.${place}`;
      const read = this.#assessment(item, where, known, on, faults);
      if (!read) return;
      if (!byInstrument.has(read.instrument)) byInstrument.set(read.instrument, []);
      const readings = byInstrument.get(read.instrument);
      const before = readings.filter((r) => r.day === read.day && r.said !== null);
      if (read.said !== null && before.some((r) => r.said !== read.said)) {
        faults.add(where, read.day, null, "同一量表同一天有两个不同的结果", "two different results of one instrument on one day");
      }
      readings.push(read);
    });
    for (const [id, readings] of byInstrument) {
      // The latest counts; items never replace a level where the instrument computes none.
      const computes = !this.rules.instruments[id]?.not_computed;
      const rank = (r) => [computes || r.said !== null, r.day, r.said !== null, Boolean(r.result.entered)];
      const latest = readings.reduce((a, b) => (above(rank(b), rank(a)) ? b : a));
      this.#use(id, latest, known);
    }
    const every = [...byInstrument.values()].flat();
    const newest = (a, b) => (a.day === b.day ? 0 : a.day < b.day ? 1 : -1) || (a.instrument < b.instrument ? 1 : a.instrument > b.instrument ? -1 : 0);
    for (const read of every.sort(newest)) {
      for (const [name, value] of Object.entries(read.context)) {
        // What was so then: the newest finding counts, and what a derived fact was is for its own day only.
        if (!this.rules.facts[name].derive && !(name in known.facts)) known.facts[name] = value;
      }
    }
  }

  #assessment(item, where, known, on, faults) {
    if (!isMapping(item)) {
      faults.add(where, item, ASSESSMENT_KEYS, "须为 JSON 对象", "must be a JSON object");
      return null;
    }
    const before = faults.errors.length;
    faults.unknownKeys(Object.keys(item), ASSESSMENT_KEYS, where);
    const { rules } = this;
    const id = item.instrument;
    const ids = [...Object.keys(rules.instruments), ...Object.keys(rules.levels)].sort();
    if (typeof id !== "string" || !ids.includes(id)) {
      faults.add(`${where}.instrument`, id, ids, "没有这个量表", `unknown instrument '${id}'`);
      return null;
    }
    if (!isDay(item.date)) {
      faults.add(`${where}.date`, item.date, "YYYY-MM-DD", "评估须有日期", "an assessment needs its date");
    } else if (item.date > on) {
      faults.add(`${where}.date`, item.date, `<= ${on}`, "评估日期晚于认定日期", "the assessment lies after the day asked about");
    }
    const ways = WAYS.filter((key) => (item[key] ?? null) !== null);
    if (ways.length !== 1) faults.add(where, ways, WAYS, "须且只须给出其一", "give exactly one of them");
    if (faults.errors.length > before) return null;
    const machine = this.scorer(id);
    if (!machine && ways[0] === "answers") {
      faults.add(where, id, Object.keys(rules.instruments), "这部手机上没有这个量表", "this instrument is not on this phone");
      return null;
    }
    return ways[0] === "answers"
      ? this.#answered(machine, item, where, known, faults)
      : this.#typedIn(machine, item, where, ways[0], faults);
  }

  #answered(machine, item, where, known, faults) {
    const context = {};
    for (const name of Object.keys(machine.facts)) if (name in known.facts) context[name] = plain(known.facts[name]);
    const then = { ...known.facts, on_day: item.date };
    for (const { name, value } of this.derived) {
      const found = Object.hasOwn(machine.facts, name) ? value(then) : null;
      if (found !== null) context[name] = plain(found);
    }
    const given = item.context ?? null;
    const own = isMapping(given) ? flatten(given, machine.facts) : new Map();
    for (const [name, v] of own) if (v !== null || !Object.hasOwn(context, name)) context[name] = v;
    const request = {
      date: item.date,
      answers: item.answers,
      context: given === null || isMapping(given) ? context : given,
      settings: item.settings ?? null,
    };
    const result = within(where, faults, () => machine.assess(request));
    if (!result) return null;
    const found = {};
    for (const [name, v] of own) if (v !== null) found[name] = readFact(this.rules.facts[name], v);
    return reading(machine.it.id, item.date, result, found);
  }

  #typedIn(machine, item, where, way, faults) {
    const id = item.instrument;
    const levels = machine ? [...machine.levels.values()] : this.rules.levels[id];
    const given = item[way];
    const said = way === "grade" && isMapping(given) ? given.level : given;
    const level = levels.find((each) => (way === "grade" ? each.level === said : each.code === said));
    if (!level) {
      const allowed = levels.map((each) => (way === "grade" ? each.level : each.code));
      faults.add(`${where}.${way}`, given, allowed, "不是本量表的等级", "not a grade of this instrument");
      return null;
    }
    const beside = machine
      ? within(where, faults, () => machine.reader.read({ context: item.context, settings: item.settings }).record)
      : {};
    if (!beside) return null;
    const names = machine ? [...flatten(item.context ?? {}, machine.facts).keys()] : [];
    const context = Object.fromEntries(names.filter((n) => n in beside).map((n) => [n, beside[n]]));
    return reading(id, item.date, { grade: level, complete: true, entered: true }, context);
  }

  #use(id, { day, result }, known) {
    const { grade } = result;
    const shown = { level: null, date: day, ...grade };
    for (const key of KEPT) if (filled(result[key])) shown[key] = result[key];
    known.grades[id] = shown;
    for (const [name, fact] of this.graded[id] ?? []) {
      known.gradeDates[name] = day;
      if (grade) known.facts[name] = fact.grade_of ? grade.level : grade.code;
    }
    for (const warning of result.warnings ?? []) known.warnings.push({ ...warning, instrument: id });
  }

  #derive({ facts }, on, faults) {
    if (facts.birth_date !== undefined && facts.birth_date > on) {
      faults.add("person.birth_date", null, `<= ${on}`, "出生日期晚于认定日期", "born after the day asked about");
      return;
    }
    const record = { ...facts, on_day: on };
    for (const { name, fact, value } of this.derived) {
      const derived = value(record);
      if (derived === null) continue;
      const [low, high] = fact.range ?? [derived, derived];
      if (name in facts && !same(facts[name], derived)) {
        const [given, found] = [plainNumber(facts[name]), plainNumber(derived)];
        faults.add(`facts.${name}`, given, found, "与推算的值不一致", "contradicts the value derived from other facts");
      } else if (compared(derived, low) < 0 || compared(derived, high) > 0) {
        faults.add(name, plainNumber(derived), allowedOf(fact), `${fact.name?.zh ?? name}超出范围`, "out of range");
      }
      facts[name] = derived;
    }
  }
}

/** One assessment as read: its result, what it found beside it, and the level or levels it says (as text; null: none). */
function reading(instrument, day, result, context) {
  let said = null;
  if (result.grade) said = String(result.grade.level);
  else {
    const levels = Object.values(result.results ?? {}).map((part) => part.level);
    if (levels.some((level) => level !== null)) said = String(levels.map(String));
  }
  return { instrument, day, result, context, said };
}

const above = (a, b) => {
  const at = a.findIndex((part, n) => part !== b[n]);
  return at >= 0 && a[at] > b[at];
};

/** What `read` gives; the faults of its own request are told under the place of the assessment. */
function within(where, faults, read) {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    faults.errors.push(...error.errors.map((e) => ({ ...e, where: `${where}.${e.where}` })));
    return null;
  }
}

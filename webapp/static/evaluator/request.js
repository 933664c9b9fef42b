// A request for one instrument, read and completed: the record that its conditions see, and the points that add up.

import { condition, constant, same } from "./conditions.js";
import { compared, decimals, exact, isNumber, plainNumber } from "./numbers.js";
import { allowedOf, attempt, Faults, flatten, isMapping, mapping, plain, readDay, readFact, Refused } from "./reading.js";
import { SKIPPED } from "./steps.js";

const KEYS = ["date", "answers", "context", "settings"];
const keyOf = (answer) => (typeof answer === "string" ? `id ${answer}` : `score ${answer}`);

/** An item ready to be answered. */
export class Question {
  constructor(item, it) {
    this.id = item.id;
    this.item = item;
    this.range = item.range ?? null;
    this.best = constant(item.best);
    this.worst = constant(item.worst);
    this.mark = item.mark ?? it.mark;
    this.source = { document: it.source.document, clause: item.code ?? it.source.clause };
    this.options = new Map();
    for (const [answer, score, say, mark] of item.options ?? []) {
      const own = constant(answer);
      this.options.set(keyOf(own), { answer: own, score: score === null ? null : constant(score), say, mark: mark ?? this.mark });
    }
    this.scored = this.range !== null || [...this.options.values()].every((option) => option.score !== null);
  }

  get allowed() {
    if (this.range) return { from: this.range[0], to: this.range[1] };
    return [...this.options.values()].map((option) => plain(option.answer));
  }

  /** The answer in its one form; refuses what is none of the allowed ones. */
  read(given) {
    if (typeof given === "boolean") throw new Refused("true and false are not scores");
    const answer = typeof given === "number" ? exact(given) : given;
    if (answer === null) throw new Refused("not a finite number");
    if (!this.range) {
      const option = isNumber(answer) || typeof answer === "string" ? this.options.get(keyOf(answer)) : undefined;
      if (!option) throw new Refused("not one of the options");
      return option.answer;
    }
    if (!isNumber(answer)) throw new Refused("not a number");
    const most = this.item.decimals ?? 0;
    if (decimals(answer) > most) throw new Refused(`at most ${most} decimals`);
    if (compared(answer, this.range[0]) < 0 || compared(answer, this.range[1]) > 0) throw new Refused("out of range");
    return answer;
  }

  /** What an answer adds to a sum: its score, or a number entered itself; null where options have no scores. */
  worth(answer) {
    return this.range ? answer : this.options.get(keyOf(answer)).score;
  }

  /** All answers; null for a range with decimals. */
  choices() {
    if (!this.range) return [...this.options.values()].map((option) => option.answer);
    if (this.item.decimals) return null;
    return Array.from({ length: this.range[1] - this.range[0] + 1 }, (_, n) => this.range[0] + n);
  }

  /** The line of the trace for an answer. */
  line(answer) {
    const head = { step: this.id };
    if (this.range) {
      return { ...head, value: plainNumber(answer), because: this.item.name, source: this.source, evidence: this.mark };
    }
    const { score, say, mark } = this.options.get(keyOf(answer));
    return { ...head, value: plain(score === null ? answer : score), because: say, source: this.source, evidence: mark };
  }
}

/** Reads requests for one instrument. */
export class RequestReader {
  constructor(it, vocabulary) {
    this.it = it;
    this.questions = Object.fromEntries(it.items.map((item) => [item.id, new Question(item, it)]));
    this.applies = it.items.filter((item) => item.applies).map((item) => [item.id, condition(item.applies)]);
    this.required = it.items.filter((item) => !item.optional).map((item) => item.id);
    this.facts = Object.fromEntries((it.facts ?? []).map((name) => [name, vocabulary[name]]));
    this.assume = Object.fromEntries(Object.entries(it.assume ?? {}).map(([name, value]) => [name, constant(value)]));
    this.counts = Object.entries(this.facts).filter(([, fact]) => fact.counts);
    this.settings = Object.fromEntries(
      (it.settings ?? []).map((s) => [s.id, s.default === undefined ? null : constant(s.default)]),
    );
    this.choices = Object.fromEntries((it.settings ?? []).map((s) => [s.id, s.choices.map(constant)]));
    this.fixed = new Set((it.settings ?? []).filter((s) => s.fixed).map((s) => s.id));
  }

  /** The request, read; throws InputError with all faults at once. */
  read(given) {
    const faults = new Faults();
    if (!isMapping(given)) {
      faults.add("", given, { answers: {}, context: {} }, "须为 JSON 对象", "must be a JSON object");
      faults.throwIfAny();
    }
    faults.unknownKeys(Object.keys(given), KEYS);
    const request = {
      day: null, record: Object.create(null), points: Object.create(null), given: Object.create(null),
      missing: [], assumed: [], settings: { ...this.settings },
    }; // prettier-ignore
    const date = given.date ?? null;
    if (date !== null) {
      const refused = (en) => faults.add("date", date, "YYYY-MM-DD", "不是有效日期", en);
      request.day = attempt(() => readDay(date), refused) ?? null;
    }
    this.#answers(mapping(given, "answers", faults), request, faults);
    this.#context(mapping(given, "context", faults), request, faults);
    this.#settings(mapping(given, "settings", faults), request, faults);
    faults.throwIfAny();
    this.#complete(request);
    return request;
  }

  #answers(answers, { record, points, given }, faults) {
    for (const [id, value] of Object.entries(answers)) {
      if (!Object.hasOwn(this.questions, id)) {
        this.#unknownItem(id, faults);
        continue;
      }
      if (value === null) continue;
      const question = this.questions[id];
      const refused = (en) => faults.add(`answers.${id}`, value, question.allowed, `${question.item.name.zh}：不是允许的答案`, en);
      const answer = attempt(() => question.read(value), refused);
      if (answer === undefined) continue;
      given[id] = record[id] = answer;
      points[id] = question.worth(answer);
    }
  }

  #unknownItem(id, faults) {
    const { licence } = this.it;
    const known = Object.keys(this.questions);
    if (licence?.items !== "withheld") {
      faults.unknownKeys([id], known, "answers");
      return;
    }
    const zh = `本量表条目受版权保护（${licence.owner.zh}），只接受总分或分项得分。${licence.say.zh}`;
    const owner = `the items of this instrument may not be shipped (owner: ${licence.owner.en})`;
    faults.add(`answers.${id}`, id, known, zh, `${owner}; enter its totals. ${licence.say.en}`);
  }

  #context(context, { record }, faults) {
    for (const [name, value] of flatten(context, this.facts)) {
      if (!Object.hasOwn(this.facts, name)) {
        faults.unknownKeys([name], Object.keys(this.facts), "context");
        continue;
      }
      const fact = this.facts[name];
      const shown = fact.personal ? null : value;
      const refused = (en) => faults.add(`context.${name}`, shown, allowedOf(fact), `${fact.name?.zh ?? name}：不是允许的值`, en);
      const read = attempt(() => readFact(fact, value), refused);
      if (read !== undefined && read !== null) record[name] = read;
    }
  }

  #settings(chosen, { settings }, faults) {
    for (const [name, given] of Object.entries(chosen)) {
      if (!Object.hasOwn(this.choices, name)) {
        faults.unknownKeys([name], Object.keys(this.choices), "settings");
        continue;
      }
      const value = typeof given === "number" ? exact(given) : given;
      if (this.fixed.has(name) && !same(this.settings[name], value)) {
        const zh = "只能由部署在 settings.yaml 中设定";
        const en = "only the deployment may choose this, in settings.yaml";
        faults.add(`settings.${name}`, given, [plain(this.settings[name])], zh, en);
        continue;
      }
      const fits = this.choices[name].find((choice) => same(choice, value));
      if (fits === undefined) {
        faults.add(`settings.${name}`, given, this.choices[name].map(plain), "不是可选的值", "not one of the choices");
      } else {
        settings[name] = fits;
      }
    }
  }

  /** Assumptions, counted facts, settings, and the items that do not apply or are missing. */
  #complete(request) {
    const { record, points } = request;
    request.assumed = Object.keys(this.assume).filter((name) => !(name in record));
    for (const name of request.assumed) record[name] = this.assume[name];
    this.countFacts(record, points);
    for (const [name, value] of Object.entries(request.settings)) if (value !== null) record[name] = value;
    request.missing = this.required.filter((id) => !(id in request.given));
    for (const id of this.hide(record, points)) request.missing = request.missing.filter((other) => other !== id);
    record.missing_items = request.missing.length;
  }

  /** What counted facts (such as "twice") add to sums. */
  countFacts(record, points) {
    for (const [name, fact] of this.counts) points[name] = fact.counts[record[name]] ?? null;
  }

  /** Take out the items that do not apply; which they are. */
  hide(record, points) {
    const hidden = [];
    for (const [id, applies] of this.applies) {
      if (applies(record) !== false) continue;
      points[id] = SKIPPED;
      delete record[id];
      hidden.push(id);
    }
    return hidden;
  }
}


// Case -> determination: one outcome a programme, each explained down to clause and evidence.

import { condition, constant, factsOf, quantity } from "./conditions.js";
import { addMonths } from "./days.js";
import { Engine } from "./engine.js";
import { relevant, residual } from "./missing.js";
import { leastChange, nearMisses } from "./near.js";
import { walkPathway } from "./pathway.js";
import { plain } from "./reading.js";
import { plainNumber } from "./numbers.js";

const ASKS = "eligible:";
const LIES = "lies_in:";
const UNCONFIGURED = "unconfigured";

/** An administrative code without its empty pairs: what the codes of all places inside begin with. */
const stem = (code) => code.replace(/(00)+$/, "");

/** The programmes of a place, ready to decide. */
export class Decider {
  constructor(rules, cases) {
    this.rules = rules;
    this.cases = cases;
    this.programmes = Object.fromEntries(Object.entries(rules.programmes).map(([id, p]) => [id, ready(rules, p)]));
    const keys = Object.fromEntries(Object.entries(rules.programmes).map(([id, p]) => [id, p.criteria.map((c) => c.key)]));
    this.engine = new Engine(rules.criteria, keys);
    for (const programme of Object.values(this.programmes)) {
      programme.asked = programme.trees.map((tree) => {
        const inlined = this.#inlined(tree);
        return { tree: inlined, names: factsOf(inlined) };
      });
    }
    this.situations = new Map();
  }

  /** The determination of one case on a day. */
  decide(given, on) {
    const { rules } = this;
    const known = this.cases.read(given, on);
    const { facts } = known;
    facts.on_day = on;
    for (const id of Object.keys(rules.absent)) facts[ASKS + id] = false;
    facts.residence_place ??= rules.place;
    for (const [flag, [fact, place]] of Object.entries(rules.whereabouts)) {
      const inside = fact in facts ? this.#liesIn(facts[fact], place) : null;
      if (inside !== null) facts[flag] = inside;
    }
    for (const [name, pathway] of Object.entries(rules.pathway_facts)) {
      const screened = walkPathway(rules, pathway, known, on).result;
      if (screened) facts[name] = screened.code;
    }
    const verdicts = this.engine.run(facts);
    for (const id of rules.told) {
      if (["eligible", "ineligible"].includes(verdicts.outcomes[id])) facts[ASKS + id] = verdicts.outcomes[id] === "eligible";
    }
    const person = { known, facts, verdicts, on, warnings: [] };
    const outcomes = {};
    for (const id of rules.order) {
      if (id in rules.aliases) continue;
      outcomes[id] = id in rules.absent ? { ...rules.absent[id] } : this.#outcome(id, person);
    }
    this.#settle(outcomes);
    for (const [id, [target, name]] of Object.entries(rules.aliases)) {
      outcomes[id] = { ...outcomes[target], programme: id, name, same_as: target };
    }
    return {
      place: rules.place,
      on,
      ruleset: { hash: rules.hash, on },
      grades: known.grades,
      outcomes: rules.order.map((id) => outcomes[id]),
      plan: this.#plan(outcomes, facts),
      warnings: [...known.warnings, ...person.warnings],
    };
  }

  /** Whether a place lies in another; null when it is named too coarsely to say. */
  #liesIn(given, place) {
    const code = (id) => this.rules.places.find((p) => p.id === id)?.code ?? id;
    const [inner, outer] = [stem(code(given)), stem(code(place))];
    return inner.startsWith(outer) ? true : outer.startsWith(inner) ? null : false;
  }

  /** A condition with every ELIGIBLE(…) written out as that programme's own criteria. */
  #inlined(tree) {
    if (!Array.isArray(tree)) return tree;
    if (tree[0] === "?") {
      if (tree[1] === UNCONFIGURED) return true;
      const other = tree[1].startsWith(ASKS) ? this.programmes[tree[1].slice(ASKS.length)] : undefined;
      return other ? ["&", ...other.trees.map((part) => this.#inlined(part))] : tree;
    }
    return ["&", "|", "!"].includes(tree[0]) ? [tree[0], ...tree.slice(1).map((part) => this.#inlined(part))] : tree;
  }

  #outcome(id, person) {
    const { facts, verdicts } = person;
    const programme = this.programmes[id];
    const { written, trees } = programme;
    const truths = written.criteria.map((c) => verdicts.criteria[c.key]);
    let status = statusOf(verdicts.outcomes[id], written.criteria, truths);
    const missing = status === "unknown" ? this.#missing(id, programme, person) : [];
    if (status === "unknown" && !missing.length) status = "not_configured"; // nothing that a person could say is open
    const refused = status === "ineligible";
    const vocabulary = this.rules.facts;
    const result = {
      ...written.head,
      status,
      criteria: written.criteria.map((c, n) => criterionOf(c, truths[n], facts)),
      missing,
      near: refused ? nearMisses(vocabulary, written.criteria, truths, facts) : [],
      benefits: refused ? [] : benefitsOf(programme, facts, person.on),
      interactions: [],
      apply: written.apply,
    };
    if (refused) {
      const change = leastChange(vocabulary, trees, truths, facts);
      if (change?.length) result.what_if = change;
    }
    if (status === "unknown") result.ask = missing.map((name) => this.#question(name));
    if (status === "not_configured") result.not_configured = unconfigured(written, truths);
    const unconfirmed = this.#unconfirmed(written, person.known);
    if (unconfirmed) result.unconfirmed = unconfirmed;
    this.#dates(written, result, person);
    if (status === "eligible") effectsOf(programme, facts, result);
    return result;
  }

  /** The facts to ask for: exactly those that could still change the outcome. */
  #missing(id, { asked, written }, { facts, verdicts }) {
    const left = asked.filter((_, n) => verdicts.criteria[written.criteria[n].key] === null);
    const residuals = left.map(({ tree }) => residual(tree, facts));
    const situation = JSON.stringify([id, residuals]);
    if (!this.situations.has(situation)) this.situations.set(situation, this.#asks(residuals, asked));
    const { facts: vocabulary } = this.rules;
    // A place that is named too coarsely ("the province") is asked for again.
    return this.situations.get(situation).filter((name) => !(name in facts) || vocabulary[name].type === "place");
  }

  #asks(residuals, asked) {
    let found = relevant(residuals, this.rules.facts);
    // Every completion agrees, yet nobody has said it: what is open is asked all the same.
    if (!found.size) found = new Set(residuals.flatMap(factsOf));
    const names = asked.flatMap((a) => a.names).filter((name) => found.has(name));
    const roots = (name) => (name.startsWith(LIES) ? [name.split(":")[1]] : (this.rules.facts[name]?.roots ?? [name]));
    return [...new Set(names.flatMap(roots))];
  }

  #question(name) {
    const fact = this.rules.facts[name];
    const shown = { fact: name, say: fact.ask ?? fact.name, type: fact.type };
    const instrument = fact.grade_of ?? fact.code_of;
    if (instrument) shown.instrument = instrument;
    else if (fact.codes) shown.codes = fact.codes;
    return shown;
  }

  /** 未核对, when the outcome uses a grade that rests on unconfirmed figures, or such a criterion. */
  #unconfirmed(written, known) {
    for (const name of written.grade_facts ?? []) {
      const fact = this.rules.facts[name];
      const grade = known.grades[fact.grade_of ?? fact.code_of];
      if (grade?.unconfirmed) return grade.unconfirmed;
    }
    return written.unconfirmed ? this.rules.sayings.unconfirmed : null;
  }

  /** Validity of the assessment behind the outcome, and the next assessment. */
  #dates(written, result, { known, on, warnings }) {
    const id = written.head.programme;
    const warn = (kind, items, say) => {
      const warning = { id: kind, programme: id, items, severity: "hint", say };
      warnings.push(warning);
      (result.warnings ??= []).push(warning);
    };
    for (const [key, shown] of [["valid", "until"], ["reassess", "due"]]) {
      if (!written[key]) continue;
      const { months, ...entry } = written[key];
      for (const name of written.grade_facts ?? []) {
        const day = known.gradeDates[name];
        if (day === undefined || months === null) continue;
        entry[shown] = addMonths(day, months);
        if (key === "valid" && entry[shown] < on) warn("expired", [name], this.rules.sayings.expired);
      }
      result[key] = entry;
    }
    if (written.warn_after && on > written.warn_after && result.status !== "ineligible") {
      const last = written.warn_after;
      const zh = `文件或金额可能在 ${last} 后已失效，请先核实`;
      warn("lapsed", [], { zh, en: `The text or its figures may have lapsed after ${last}: check first` });
    }
  }

  /** Write each interaction that touches an outcome into it, and into its counterpart. */
  #settle(outcomes) {
    for (const [id, { written }] of Object.entries(this.programmes)) {
      const mine = outcomes[id];
      for (const { kind, with: otherId, say, evidence } of written.interactions ?? []) {
        const other = outcomes[otherId];
        if (!other) continue;
        const applies = mine.status === "eligible" && other.status === "eligible";
        const entry = { kind, with: otherId, say, evidence, applies };
        if (applies && kind === "higher_only") higherOnly(mine, other, entry);
        else if (applies && kind === "cannot_combine") drop(mine, otherId, entry);
        else if (applies && kind === "suspends") drop(other, id, entry);
        mine.interactions.push(entry);
      }
    }
  }

  /** The services that the outcomes open, in the order of the phases of care. */
  #plan(outcomes, facts) {
    const { phases } = this.rules;
    const found = [];
    for (const [id, { services }] of Object.entries(this.programmes)) {
      const outcome = outcomes[id];
      if (outcome.status !== "eligible" || "dropped_for" in outcome || "ended" in outcome) continue;
      for (const service of services) if (service.holds(facts)) found.push({ id, service, outcome });
    }
    const place = ({ service }) => phases.indexOf(service.phase);
    found.sort((a, b) => place(a) - place(b) || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
    return found.map(({ id, service, outcome }, n) => ({
      order: n + 1,
      service: service.say,
      phase: service.phase,
      because: id,
      ...(outcome.standing === "announced" ? { announced: true } : {}),
      ...("suspended" in outcome ? { suspended: outcome.suspended.say } : {}),
    }));
  }
}

/** A programme with its conditions and amounts compiled. */
function ready(rules, written) {
  const holding = (part) => ({ ...part, holds: part.when === undefined ? () => true : condition(part.when) });
  return {
    written,
    trees: written.criteria.map((c) => rules.criteria[c.key]),
    benefits: (written.benefits ?? []).map((row) => ({
      ...holding(row),
      worth: row.amount === undefined ? null : quantity(row.amount),
      asks: row.amount === undefined ? [] : factsOf(row.amount),
    })),
    services: (written.services ?? []).map(holding),
    effects: (written.effects ?? []).map(holding),
  };
}

function statusOf(status, criteria, truths) {
  if (status !== "unknown" || !criteria.some((c) => c.open)) return status;
  return criteria.every((c, n) => c.open || truths[n] === true) ? "not_configured" : status;
}

function criterionOf(criterion, truth, facts) {
  const names = (criterion.shown ?? []).filter((name) => name in facts);
  const given = Object.fromEntries(names.map((name) => [name, plain(facts[name])]));
  const entry = { id: criterion.id, status: truth === null ? "unknown" : String(truth), facts: given, ...criterion.told };
  if (criterion.open) entry.not_configured = true;
  return entry;
}

/** What nobody could find: in this programme, or in one that it hangs on. */
function unconfigured(written, truths) {
  if (written.not_configured) return written.not_configured;
  const open = written.criteria.filter((_, n) => truths[n] === null).map((c) => c.told.say);
  return { zh: open.map((say) => say.zh).join("；"), en: open.map((say) => say.en).join("; ") };
}

/** The rows whose condition holds, or may hold once more is known (`depends_on`). */
function benefitsOf({ benefits }, facts, on) {
  const shown = [];
  for (const row of benefits) {
    const truth = row.holds(facts);
    if (truth === false) continue;
    const entry = { ...row.told };
    if (row.worth) {
      entry.amount = plainNumber(row.worth(facts));
      if (entry.amount === null) entry.amount_depends_on = row.asks.filter((name) => !(name in facts));
    } else if (row.dated) {
      entry.amount = figureOn(row.dated, on);
      if (entry.amount === null) entry.not_configured = true;
    }
    if (truth === null) entry.depends_on = row.names.filter((name) => !(name in facts));
    shown.push(entry);
  }
  return shown;
}

/** The dated figure of a day; null where it is unknown, or no figure holds yet. */
function figureOn(dated, on) {
  const [, value] = dated.findLast(([start]) => start === null || start <= on) ?? [null, "unknown"];
  return value === "unknown" ? null : plainNumber(constant(value));
}

function effectsOf({ effects }, facts, result) {
  for (const { effect, say, evidence, holds } of effects) {
    if (!holds(facts)) continue;
    const shown = { effect, say, evidence };
    result[effect === "suspend" ? "suspended" : "ended"] ??= shown;
    (result.effects ??= []).push(shown);
  }
}

function higherOnly(mine, other, entry) {
  const [first, second] = [comparable(mine), comparable(other)];
  if (!first || !second || first.unit !== second.unit) {
    entry.result = "ask";
  } else if (first.sum < second.sum) {
    drop(mine, other.programme, entry);
  } else {
    drop(other, mine.programme, entry);
  }
}

function drop(loser, winner, entry) {
  entry.result = { dropped: loser.programme, for: winner };
  loser.dropped_for = winner;
  loser.would_have = loser.benefits;
}

/** The one amount of an outcome, with its unit; null while a row of it, or a figure, is not known. */
function comparable({ benefits }) {
  const rows = benefits.filter((b) => "unit" in b && !b.guide);
  if (new Set(rows.map((b) => b.unit)).size !== 1 || rows.some((b) => b.amount === null || "depends_on" in b)) return null;
  return { sum: rows.reduce((sum, b) => sum + b.amount, 0), unit: rows[0].unit };
}

// The phone's own evaluator: provisional grade, screening result and outcomes, from the rules of one place as JSON
// (yyassess/exchange/phone.py). It gives what the library gives for the same request; a test holds it to that.

import { CaseReader } from "./cases.js";
import { isDay } from "./days.js";
import { Decider } from "./determine.js";
import { Engine } from "./engine.js";
import { Scorer } from "./instrument.js";
import { parsed } from "./numbers.js";
import { walkPathway } from "./pathway.js";

export { InputError } from "./reading.js";

const FORM = 1;
const machines = new WeakMap();

/** A day or a name that these rules do not hold. */
export class NotHere extends Error {}

function machineOf(rules) {
  let machine = machines.get(rules);
  if (!machine) {
    if (rules.form !== FORM) throw new NotHere(`rules of the form ${rules.form}; this evaluator reads ${FORM}`);
    const scorers = {};
    const scorer = (id) => {
      if (!Object.hasOwn(rules.instruments, id)) return null;
      return (scorers[id] ??= new Scorer(rules.instruments[id], rules));
    };
    const cases = new CaseReader(rules, scorer);
    machine = { scorer, cases, decider: new Decider(rules, cases) };
    machines.set(rules, machine);
  }
  return machine;
}

/** Whether the rules hold on a day. */
export function holdOn(rules, day) {
  return isDay(day) && (rules.from ?? day) <= day && day <= (rules.to ?? day);
}

function checkedDay(rules, day) {
  if (!holdOn(rules, day)) throw new NotHere(`these rules hold from ${rules.from} to ${rules.to}, not on ${day}`);
}

/**
 * Grade one person by one instrument, as the library's `assess` does.
 * @param {object} rules the parsed file of rules
 * @param {string} instrument its id
 * @param {object} request {date, answers, context, settings}; an answer left out is missing, never 0
 * @returns {object} the result of the public contract
 * @throws {InputError} all faults at once
 * @throws {NotHere} the instrument is not in the file
 */
export function assess(rules, instrument, request) {
  const scorer = machineOf(rules).scorer(instrument);
  if (!scorer) throw new NotHere(`no instrument ${instrument} in these rules`);
  return scorer.assess(request);
}

/**
 * Follow a screening pathway as far as a case allows, as the library's `screen` does.
 * @throws {InputError} all faults at once
 * @throws {NotHere} no such pathway
 */
export function screen(rules, given, on, pathway = "dementia") {
  if (!Object.hasOwn(rules.pathways, pathway)) throw new NotHere(`no pathway ${pathway} in these rules`);
  return walkPathway(rules, pathway, machineOf(rules).cases.read(given, on), on);
}

/**
 * Decide what a person may get, as the library's `determine` does.
 * @param {object} rules the parsed file of rules
 * @param {object} given {person, facts, assessments}
 * @param {string} on the day asked about, YYYY-MM-DD
 * @throws {InputError} all faults at once
 * @throws {NotHere} the rules do not hold on that day
 */
export function determine(rules, given, on) {
  checkedDay(rules, on);
  return machineOf(rules).decider.decide(given, on);
}

/**
 * Bare conditions, for tests that compare evaluators: every criterion and programme for every record.
 * @param {object} program {criteria, programmes}: trees by key, keys by id
 * @param {object[]} records facts by name; a number with decimals as {"n": "0.35"}
 */
export function decideAll({ criteria, programmes }, records) {
  const engine = new Engine(criteria, programmes);
  const value = (given) => (typeof given?.n === "string" ? parsed(given.n) : given);
  const read = (record) => Object.fromEntries(Object.entries(record).map(([name, v]) => [name, value(v)]));
  return records.map((record) => engine.run(read(record)));
}

// What was given, read: every fault at once, each with its place, what was given and what is allowed.

import { isDay } from "./days.js";
import { compared, decimals, exact, isWhole, plainNumber } from "./numbers.js";

/** Input that cannot be assessed; `errors` has one entry a fault: where, given, allowed, say. */
export class InputError extends Error {
  constructor(errors) {
    super(errors.map((e) => `${e.where}: ${e.say.en}`).join("; "));
    this.name = "InputError";
    this.errors = errors;
  }
}

/** Collects faults, then throws them together. */
export class Faults {
  constructor() {
    this.errors = [];
  }

  add(where, given, allowed, zh, en) {
    this.errors.push({ where, given: given ?? null, allowed, say: { zh, en } });
  }

  throwIfAny() {
    if (this.errors.length) throw new InputError(this.errors);
  }

  unknownKeys(given, allowed, where = "") {
    for (const key of given) {
      if (allowed.includes(key)) continue;
      this.add(where ? `${where}.${key}` : key, key, allowed, `不认识的键 ${key}`, `unknown key '${key}'`);
    }
  }
}

/** A value that does not fit; caught where its place is known. */
export class Refused extends Error {}

export const isMapping = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** A part of a request that must be a mapping; empty when it is not given. */
export function mapping(given, key, faults) {
  const value = given[key] ?? null;
  if (value === null) return {};
  if (isMapping(value)) return value;
  faults.add(key, value, {}, "须为 JSON 对象", "must be a JSON object");
  return {};
}

/** Facts by their full names: {"care_risk_events": {"fall": …}} becomes "care_risk_events.fall". */
export function flatten(given, known) {
  const flat = new Map();
  for (const [name, value] of Object.entries(given)) {
    if (isMapping(value) && !Object.hasOwn(known, name)) {
      for (const [inner, v] of Object.entries(value)) flat.set(`${name}.${inner}`, v);
    } else {
      flat.set(name, value);
    }
  }
  return flat;
}

/** A day. */
export function readDay(given) {
  if (!isDay(given)) throw new Refused("not a day (YYYY-MM-DD)");
  return given;
}

function readNumber(fact, given) {
  if (typeof given !== "number") throw new Refused("not a number");
  const number = exact(given);
  if (number === null) throw new Refused("not a finite number");
  if (fact.type === "integer" && !isWhole(number)) throw new Refused("not a whole number");
  const allowed = fact.decimals ?? 0;
  if (decimals(number) > allowed) throw new Refused(`at most ${allowed} decimals`);
  if (fact.range && (compared(number, fact.range[0]) < 0 || compared(number, fact.range[1]) > 0)) {
    throw new Refused(`outside ${fact.range[0]} to ${fact.range[1]}`);
  }
  return number;
}

function readCode(fact, given) {
  if (typeof given !== "string") throw new Refused("not a code (text)");
  if (!Object.hasOwn(fact.codes ?? {}, given)) throw new Refused("not one of the codes");
  return given;
}

function readText(given) {
  if (typeof given !== "string") throw new Refused("not text");
  if (given.length > 2000 && [...given].length > 2000) throw new Refused("longer than 2000 characters");
  return given;
}

/** A JSON value as the value of a fact; null stays null (not known). */
export function readFact(fact, given) {
  if (given === null || given === undefined) return null;
  switch (fact.type) {
    case "boolean":
      if (typeof given !== "boolean") throw new Refused("not true or false");
      return given;
    case "integer":
    case "decimal":
      return readNumber(fact, given);
    case "code":
      return readCode(fact, given);
    case "codes":
      if (!Array.isArray(given)) throw new Refused("not a list of codes");
      return [...new Set(given.map((code) => readCode(fact, code)))].sort();
    case "date":
      return readDay(given);
  }
  return readText(given);
}

/** What may be given for a fact. */
export function allowedOf(fact) {
  if (fact.codes) return Object.keys(fact.codes);
  if (fact.type === "boolean") return [true, false];
  if (fact.range) return { from: fact.range[0], to: fact.range[1] };
  return { date: "YYYY-MM-DD", text: "text", place: "id of a place" }[fact.type] ?? fact.type;
}

/** A value as JSON has it. */
export const plain = (value) => (Array.isArray(value) ? value : plainNumber(value));

/** Calls `read`; a refusal is told to `refused`. Undefined then. */
export function attempt(read, refused) {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    refused(error.message);
    return undefined;
  }
}

const MARKS = ["verified", "single", "decision", "recall", "unknown"];

/** The weakest of some evidence marks. */
export function weakest(marks) {
  let worst = 0;
  for (const mark of marks) worst = Math.max(worst, MARKS.indexOf(mark));
  return MARKS[worst];
}

/** Every choice of one value of each list, the last list turning fastest. */
export function* product(lists) {
  const at = lists.map(() => 0);
  if (lists.some((list) => !list.length)) return;
  for (;;) {
    yield lists.map((list, n) => list[at[n]]);
    let place = lists.length - 1;
    while (place >= 0 && ++at[place] === lists[place].length) at[place--] = 0;
    if (place < 0) return;
  }
}

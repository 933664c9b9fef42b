// The rules of a place on this phone: questions, provisional grade and hints, by the same rules as the server's.

import { page } from "./words.js";

let evaluator = null;
const FORM = 1;
const loaded = new Map();
/** Warnings that are about gaps, which the pages show in their own way. */
const GAPS = new Set(["assumed", "choose"]);

function fetched(address) {
  if (!loaded.has(address)) {
    const answer = fetch(address, { headers: { Accept: "application/json" } }).then((found) => {
      if (!found.ok) throw new Error(`${address}: ${found.status}`);
      return found.json();
    });
    answer.catch(() => loaded.delete(address));
    loaded.set(address, answer);
  }
  return loaded.get(address);
}

/** Rules and questions by their addresses {rules, form}; rejects where they are not to be had. */
export async function files(addresses) {
  const [rules, form] = await Promise.all([fetched(addresses.rules), fetched(addresses.form)]);
  evaluator ??= await import(page.evaluator);
  if (form.form !== FORM) throw new Error(`questions of the form ${form.form}; this script reads ${FORM}`);
  return { rules, form };
}

/** All questions of an instrument by field name. */
export function questions(instrument) {
  const all = [...instrument.pages.flatMap((page) => page.questions), ...(instrument.settings ?? [])];
  all.push(...(instrument.groups ?? []).flatMap((group) => group.questions));
  return new Map(all.map((question) => [question.name, question]));
}

/** A value, as typed or as stored, in the type that the rules read; undefined when nothing was said. */
export function typed(question, value) {
  if (value === null || value === undefined || value === "") return undefined;
  if (Array.isArray(value)) return value;
  if (typeof value !== "string") return value;
  if (question.type === "boolean") return value === "yes";
  if (question.kind === "number") return /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : undefined;
  const choice = question.choices?.find((each) => each.value === value);
  return choice && "typed" in choice ? choice.typed : value;
}

/** A draft's content as the evaluator reads it: {person, facts, assessments}. */
export function caseOf({ rules, form }, content) {
  const facts = {};
  const assessments = [];
  for (const { instrument: id, answers, settings } of content.assessments) {
    const instrument = form.instruments[id];
    if (!instrument || !rules.instruments[id]) continue;
    const asked = questions(instrument);
    const read = (prefix, table) => {
      const pairs = Object.entries(table).map(([name, value]) => [name, asked.get(prefix + name) && typed(asked.get(prefix + name), value)]);
      return Object.fromEntries(pairs.filter(([, value]) => value !== undefined));
    };
    Object.assign(facts, read("fact.", content.facts));
    assessments.push({ instrument: id, date: content.visited_on, answers: read("item.", answers), settings: read("setting.", settings) });
  }
  const { birth_date, sex } = content.person;
  return { person: { birth_date, sex }, facts, assessments };
}

/** What the rules make of one assessment so far; null where they cannot tell. */
export function graded(files, content, id) {
  const given = caseOf(files, content);
  const own = given.assessments.find((each) => each.instrument === id);
  if (!own) return null;
  const known = new Set(files.rules.instruments[id].facts ?? []);
  const context = Object.fromEntries(Object.entries(given.facts).filter(([name]) => known.has(name)));
  try {
    const { date, answers, settings } = own;
    const result = evaluator.assess(files.rules, id, { date, answers, context, settings });
    return { ...result, hints: result.warnings.filter((w) => !GAPS.has(w.id)) };
  } catch (error) {
    if (error instanceof evaluator.InputError || error instanceof evaluator.NotHere) return null;
    throw error;
  }
}

/** Questions that other answers make pointless. */
export function pointless({ rules }, content, id, result) {
  if (!result || (result.complete && !Object.keys(result.scores).length)) return new Set();
  const uncounted = new Set(result.warnings.filter((w) => w.id === "not_counted").flatMap((w) => w.items));
  const answers = content.assessments.find((each) => each.instrument === id).answers;
  const items = (rules.instruments[id].items ?? []).filter((item) => item.applies !== undefined);
  const without = ({ id: item, optional }) => (item in answers ? uncounted.has(item) : !optional && !result.missing.includes(item));
  return new Set(items.filter(without).map((item) => item.id));
}

/** Screening and outcomes on the day of the visit; null where these rules cannot tell. */
export function opened(files, content) {
  const given = caseOf(files, content);
  const attempt = (work) => {
    try {
      return work();
    } catch (error) {
      if (error instanceof evaluator.InputError || error instanceof evaluator.NotHere) return null;
      throw error;
    }
  };
  return {
    screening: attempt(() => evaluator.screen(files.rules, given, content.visited_on)),
    determination: attempt(() => evaluator.determine(files.rules, given, content.visited_on)),
  };
}

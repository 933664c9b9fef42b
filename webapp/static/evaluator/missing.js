// Which unknown facts could still change an outcome: the library's own method (yyassess/entitlement/missing.py). What is
// left of a condition is tried on values that tell it apart: beside and at every constant, every named code and another.

import { condition, constant, factsOf, isComparison, isFact, literal, walk } from "./conditions.js";
import { addDays } from "./days.js";
import { compared, floored, isNumber, minus, plus, times, unit } from "./numbers.js";

/** Above this many combinations all facts of a component are listed: too many, never too few. */
const MOST_COMBINATIONS = 50_000;
/** The same where facts are compared with one another; above it such a comparison counts as free. */
const MOST_COUPLED = 5_000;
/** Of a list of codes more than this many are not tried in every combination. */
const MOST_CODES = 10;
const NO_RANGE = [-(10 ** 6), 10 ** 6];

/** A condition with its known parts put in. */
export function residual(tree, record) {
  const known = condition(tree)(record);
  if (known !== null) return known;
  switch (tree[0]) {
    case "&":
    case "|": {
      const neutral = tree[0] === "&";
      const rest = tree.slice(1).map((part) => residual(part, record)).filter((part) => part !== neutral);
      return rest.length === 1 ? rest[0] : [tree[0], ...rest];
    }
    case "!":
      return ["!", residual(tree[1], record)];
    case "in":
      return ["in", filled(tree[1], record), tree[2]];
  }
  return isComparison(tree) ? [tree[0], filled(tree[1], record), filled(tree[2], record)] : tree;
}

function filled(tree, record) {
  if (isFact(tree)) return (record[tree] ?? null) === null ? tree : literal(record[tree]);
  if (constant(tree) !== undefined) return tree;
  return [tree[0], ...tree.slice(1).map((part) => filled(part, record))];
}

/** The unknown facts on which the truth of all residuals together depends. */
export function relevant(residuals, facts) {
  const found = new Set();
  for (const component of components(residuals)) {
    const { names, possible } = decided(component, facts);
    if (!possible) return new Set();
    for (const name of names) found.add(name);
  }
  return found;
}

function components(parts) {
  let groups = [];
  for (const part of parts) {
    const names = new Set(factsOf(part));
    const touching = groups.filter((g) => [...g.names].some((name) => names.has(name)));
    const merged = { names: new Set([...names, ...touching.flatMap((g) => [...g.names])]) };
    merged.parts = [...touching.flatMap((g) => g.parts), part];
    groups = [...groups.filter((g) => !touching.includes(g)), merged];
  }
  return groups.map((g) => g.parts);
}

function decided(parts, facts) {
  let whole = ["&", ...parts];
  const everything = { names: factsOf(whole), possible: true };
  const behind = new Map();
  const coupled = new Set([...walk(whole)].filter(couples).flatMap(factsOf));
  let values = valuesOf(whole, coupled, facts);
  if (coupled.size && sizeOf(values) > MOST_COUPLED) {
    whole = freed(whole, behind);
    values = valuesOf(whole, new Set(), facts);
  }
  if (sizeOf(values) > MOST_COMBINATIONS) return everything;
  return told(whole, values, behind);
}

/** Each name with which alone the truth changes, somewhere. */
function told(whole, values, behind) {
  const names = [...values.keys()];
  const lists = [...values.values()];
  const truths = tried(condition(whole), names, lists);
  const found = new Set();
  let stride = truths.length;
  names.forEach((name, n) => {
    const size = lists[n].length;
    stride /= size;
    for (let at = stride; at < truths.length; at++) {
      if (Math.floor(at / stride) % size && truths[at] !== truths[at - stride]) {
        for (const each of behind.get(name) ?? [name]) found.add(each);
        return;
      }
    }
  });
  return { names: found, possible: truths.includes(1) };
}

/** The truth (1 or 0) of every choice of one value of each list, the last list turning fastest. */
function tried(holds, names, lists) {
  const truths = new Uint8Array(lists.reduce((size, list) => size * list.length, 1));
  if (!truths.length) return truths;
  const at = lists.map(() => 0);
  const record = Object.fromEntries(names.map((name, n) => [name, lists[n][0]]));
  for (let number = 0; ; number++) {
    truths[number] = holds(record) === true ? 1 : 0;
    let place = lists.length - 1;
    while (place >= 0 && ++at[place] === lists[place].length) {
      at[place] = 0;
      record[names[place]] = lists[place--][0];
    }
    if (place < 0) return truths;
    record[names[place]] = lists[place][at[place]];
  }
}

/** Whether a comparison is of anything but one fact and constants. */
function couples(tree) {
  if (Array.isArray(tree) && tree[0] === "in") return !isFact(tree[1]);
  if (!isComparison(tree)) return false;
  const [, left, right] = tree;
  const fixed = (part) => constant(part) !== undefined;
  return !((isFact(left) && fixed(right)) || (fixed(left) && isFact(right)));
}

/** The condition with every coupling comparison as a yes/no of its own; `behind`: the facts it stands for. */
function freed(tree, behind) {
  if (Array.isArray(tree) && ["&", "|", "!"].includes(tree[0])) {
    return [tree[0], ...tree.slice(1).map((part) => freed(part, behind))];
  }
  if (!couples(tree)) return tree;
  const name = `coupled:${JSON.stringify(tree)}`;
  behind.set(name, factsOf(tree));
  return ["?", name];
}

/** The values to try of every name; null where there are too many. */
function valuesOf(whole, coupled, facts) {
  const constants = new Map(factsOf(whole).map((name) => [name, []]));
  for (const tree of walk(whole)) {
    if (!Array.isArray(tree)) continue;
    const [kind, first, second] = tree;
    if (isComparison(tree)) {
      if (isFact(first) && constant(second) !== undefined) constants.get(first).push(constant(second));
      else if (isFact(second) && constant(first) !== undefined) constants.get(second).push(constant(first));
    } else if (kind === "in" && isFact(first)) constants.get(first).push(...second.map(constant));
    else if (kind === "has") constants.get(first).push(second);
  }
  const values = new Map();
  for (const [name, found] of constants) {
    const fact = facts[name] ?? { type: "boolean" };
    values.set(name, coupled.has(name) ? allValues(fact) : telling(found, fact));
  }
  return values;
}

const sizeOf = (values) => [...values.values()].reduce((size, list) => size * (list?.length ?? MOST_COMBINATIONS + 1), 1);

function allValues(fact) {
  if (fact.type === "boolean") return [true, false];
  if (fact.type === "code") return Object.keys(fact.codes ?? {});
  if (!["integer", "decimal"].includes(fact.type) || !fact.range) return null;
  const places = fact.type === "decimal" ? (fact.decimals ?? 0) : 0;
  const [low, high] = fact.range.map((end) => end * 10 ** places);
  if (high - low > MOST_COUPLED) return null;
  return Array.from({ length: high - low + 1 }, (_, n) => times(low + n, unit(places)));
}

/** Values that tell a condition with these constants apart. */
function telling(constants, fact) {
  const codes = Object.keys(fact.codes ?? {});
  const named = codes.filter((code) => constants.includes(code));
  switch (fact.type) {
    case "boolean":
      return [true, false];
    case "code":
      return [...named, ...codes.filter((code) => !named.includes(code)).slice(0, 1)];
    case "codes":
      return named.length > MOST_CODES ? null : subsets(named);
    case "date": {
      const days = new Set(constants.flatMap((day) => [addDays(day, -1), day, addDays(day, 1)]));
      return days.size ? [...days].sort() : ["1940-01-01", "2000-01-01"];
    }
  }
  const places = fact.type === "decimal" ? (fact.decimals ?? 0) : 0;
  const step = unit(places);
  const [low, high] = fact.range ?? NO_RANGE;
  const found = new Map([[String(low), low], [String(high), high]]);
  for (const number of constants.filter(isNumber)) {
    const below = floored(number, places);
    for (const near of [minus(below, step), below, plus(below, step)]) found.set(String(near), near);
  }
  return [...found.values()].filter((n) => compared(n, low) >= 0 && compared(n, high) <= 0).sort(compared);
}

function subsets(codes) {
  let found = [[]];
  for (const code of codes) found = found.flatMap((set) => [set, [...set, code]]);
  return found;
}


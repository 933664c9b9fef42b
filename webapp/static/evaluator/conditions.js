// Conditions in Kleene's three-valued logic: true, false, or null (not known). A condition comes as the parsed tree of
// the library, written as JSON (see yyassess/exchange/trees.py); no expression text is read here.

import { ageOn, monthsBetween } from "./days.js";
import { compared, Dec, isNumber, least, minus, most, parsed, plus, times } from "./numbers.js";

const COMPARE = {
  "=": (order) => order === 0,
  "<>": (order) => order !== 0,
  "<": (order) => order < 0,
  "<=": (order) => order <= 0,
  ">": (order) => order > 0,
  ">=": (order) => order >= 0,
};
const ARITHMETIC = { "+": plus, "-": minus, "*": times };
const FUNCTIONS = {
  age_on: ([birth, day]) => ageOn(birth, day),
  months_between: ([start, day]) => monthsBetween(start, day),
  least,
  greatest: most,
};

export const isComparison = (tree) => Array.isArray(tree) && Object.hasOwn(COMPARE, tree[0]);
export const isFact = (tree) => typeof tree === "string";

/** The value of a constant; undefined for any other tree. */
export function constant(tree) {
  if (typeof tree === "number" || tree instanceof Dec) return tree;
  if (!Array.isArray(tree)) return undefined;
  if (tree[0] === "n") return parsed(tree[1]);
  if (tree[0] === "s") return tree.slice(1);
  return tree[0] === "v" || tree[0] === "d" ? tree[1] : undefined;
}

/** A known value as a constant of a tree. */
export const literal = (value) => (isNumber(value) ? value : ["v", value]);

/** The order of two values of one kind: numbers by size, days and codes as texts. */
export function order(a, b) {
  if (isNumber(a) && isNumber(b)) return compared(a, b);
  return a === b ? 0 : a < b ? -1 : 1;
}

export const same = (a, b) => (isNumber(a) ? isNumber(b) && compared(a, b) === 0 : a === b);

/** A function from a record to the value of a tree, or null when a fact in it is not known. */
export function quantity(tree) {
  if (isFact(tree)) return (record) => record[tree] ?? null;
  const fixed = constant(tree);
  if (fixed !== undefined) return () => fixed;
  const parts = tree.slice(1).map(quantity);
  const work = ARITHMETIC[tree[0]];
  const calculate = work ? ([a, b]) => work(a, b) : FUNCTIONS[tree[0]];
  if (!calculate) throw new TypeError(`not a value: ${JSON.stringify(tree)}`);
  return (record) => {
    const values = parts.map((part) => part(record));
    return values.includes(null) ? null : calculate(values);
  };
}

const compiled = new WeakMap();

/** A function from a record to true, false or null; compiled once for each tree. */
export function condition(tree) {
  if (tree === true || tree === false) return () => tree;
  let found = compiled.get(tree);
  if (!found) compiled.set(tree, (found = compile(tree)));
  return found;
}

function compile(tree) {
  const kind = Array.isArray(tree) ? tree[0] : undefined;
  if (kind === "?") return (record) => record[tree[1]] ?? null;
  if (isComparison(tree)) return comparison(tree);
  switch (kind) {
    case "in": {
      const [value, choices] = [quantity(tree[1]), tree[2].map(constant)];
      return (record) => {
        const given = value(record);
        return given === null ? null : choices.some((choice) => same(choice, given));
      };
    }
    case "has":
      return (record) => record[tree[1]]?.includes(tree[2]) ?? null;
    case "!": {
      const inner = condition(tree[1]);
      return (record) => {
        const truth = inner(record);
        return truth === null ? null : !truth;
      };
    }
    case "&":
      return joined(tree, false);
    case "|":
      return joined(tree, true);
  }
  throw new TypeError(`not a condition: ${JSON.stringify(tree)}`);
}

function comparison([op, left, right]) {
  const [first, second, holds] = [quantity(left), quantity(right), COMPARE[op]];
  const fixed = constant(right);
  if (isFact(left) && fixed !== undefined) {
    return (record) => {
      const given = record[left] ?? null;
      return given === null ? null : holds(order(given, fixed));
    };
  }
  return (record) => {
    const a = first(record);
    if (a === null) return null;
    const b = second(record);
    return b === null ? null : holds(order(a, b));
  };
}

/** AND is settled by one false part, OR by one true part; otherwise one unknown part leaves it unknown. */
function joined(tree, settles) {
  const parts = tree.slice(1).map(condition);
  return (record) => {
    let result = !settles;
    for (const part of parts) {
      const truth = part(record);
      if (truth === settles) return settles;
      if (truth === null) result = null;
    }
    return result;
  };
}

/** Every tree inside a tree, itself first. */
export function* walk(tree) {
  yield tree;
  if (!Array.isArray(tree) || constant(tree) !== undefined || tree[0] === "?" || tree[0] === "has") return;
  for (const part of tree[0] === "in" ? [tree[1]] : tree.slice(1)) yield* walk(part);
}

/** The names a tree asks for, in the order of their first use. */
export function factsOf(tree) {
  const names = new Set();
  for (const part of walk(tree)) {
    if (isFact(part)) names.add(part);
    else if (Array.isArray(part) && (part[0] === "?" || part[0] === "has")) names.add(part[1]);
  }
  return [...names];
}

/** All hold: false as soon as one is false, else null if one is unknown. */
export function every(truths) {
  return truths.includes(false) ? false : truths.includes(null) ? null : true;
}

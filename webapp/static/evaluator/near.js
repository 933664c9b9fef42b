// Near misses and the least change: what is lacking, in facts that can still change.

import { condition, constant, factsOf, isComparison, walk } from "./conditions.js";
import { away, compared, isNumber, minus, plainNumber, plus, unit } from "./numbers.js";
import { product } from "./reading.js";

/** A least change touches at most so many facts; more is no longer an answer a family can use. */
const MOST_CHANGES = 2;

const stepOf = (fact) => (fact.type === "decimal" ? unit(fact.decimals ?? 0) : 1);

/** For each false criterion, the gap of its facts that can change ("2 months short"). */
export function nearMisses(vocabulary, criteria, truths, facts) {
  const found = [];
  criteria.forEach((criterion, n) => {
    if (truths[n] !== false) return;
    for (const limit of criterion.limits ?? []) {
      if (condition(limit)(facts) === false) found.push({ criterion: criterion.id, ...gapOf(vocabulary, limit, facts) });
    }
  });
  return found;
}

function gapOf(vocabulary, [op, name, right], facts) {
  const [fact, bound] = [vocabulary[name], constant(right)];
  const step = stepOf(fact);
  const needed = op === ">" ? plus(bound, step) : op === "<" ? minus(bound, step) : bound;
  return changed(fact, name, facts[name], needed);
}

/** The smallest set of changes that makes every false criterion true; null when there is none. */
export function leastChange(vocabulary, trees, truths, facts) {
  const wrong = trees.filter((_, n) => truths[n] === false);
  const movable = (name) => {
    const fact = vocabulary[name];
    return Boolean(fact?.can_change) && !fact.grade_of && ["integer", "decimal"].includes(fact.type) && name in facts;
  };
  const names = [...new Set(wrong.flatMap(factsOf).filter(movable))];
  if (!wrong.length || wrong.some((tree) => !factsOf(tree).some(movable))) return null;
  const conditions = wrong.map(condition);
  const candidates = Object.fromEntries(names.map((n) => [n, candidatesOf(vocabulary[n], n, wrong, facts[n])]));
  for (let size = 1; size <= Math.min(MOST_CHANGES, names.length); size++) {
    let best = null;
    for (const chosen of combinations(names, size)) {
      for (const values of product(chosen.map((name) => candidates[name]))) {
        const trial = Object.create(facts);
        chosen.forEach((name, n) => (trial[name] = values[n]));
        if (!conditions.every((holds) => holds(trial) === true)) continue;
        const steps = chosen.map((name, n) => away(values[n], facts[name])).reduce(plus, 0);
        if (best === null || compared(steps, best.steps) < 0) best = { steps, chosen, values };
      }
    }
    if (best) return best.chosen.map((name, n) => changed(vocabulary[name], name, facts[name], best.values[n]));
  }
  return null;
}

/** The choices of one or two names, in order. */
const combinations = (names, size) =>
  size === 1 ? names.map((n) => [n]) : names.flatMap((a, n) => names.slice(n + 1).map((b) => [a, b]));

/** Values at and just beside every number the fact is compared with, the nearest first; of two, what grows into it. */
function candidatesOf(fact, name, trees, given) {
  const step = stepOf(fact);
  const found = new Map();
  for (const tree of trees) {
    for (const part of walk(tree)) {
      if (!isComparison(part) || !factsOf(part).includes(name)) continue;
      for (const number of [...walk(part)].map(constant).filter(isNumber)) {
        for (const near of [minus(number, step), number, plus(number, step)]) found.set(String(near), near);
      }
    }
  }
  found.delete(String(given));
  const values = [...found.values()].sort(compared);
  const [low, high] = fact.range ?? [values[0] ?? 0, values.at(-1) ?? 0];
  const inside = values.filter((v) => compared(v, low) >= 0 && compared(v, high) <= 0);
  return inside.sort((a, b) => compared(away(a, given), away(b, given)) || compared(b, a));
}

function changed(fact, name, given, needed) {
  const gap = plainNumber(away(needed, given));
  const unitOf = fact.unit ?? { zh: "", en: "" };
  const many = gap === 1 ? unitOf.en.replace(/s+$/, "") : unitOf.en;
  const more = compared(needed, given) > 0;
  const say = {
    zh: `${more ? "还差" : "超出"}${gap}${unitOf.zh}`,
    en: `${gap} ${many} ${more ? "short" : "too many"}`.replaceAll("  ", " "),
  };
  return { fact: name, given: plainNumber(given), needed: plainNumber(needed), say };
}

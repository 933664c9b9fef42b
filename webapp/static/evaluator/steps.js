// The scoring steps of an instrument, each a function of the record (what conditions see) and the points (what adds up).
// A step whose input is missing is null: not known.

import { condition, constant, factsOf } from "./conditions.js";
import { away, compared, isNumber, least, meanOf, minus, most, plus } from "./numbers.js";

/** The points of an item that is not counted, because it does not apply. */
export const SKIPPED = Symbol("skipped");

const known = (points, name) => points[name] ?? null;
/** A step of ordered rules may take its value from a step or item; "unknown" is no name, so that it has none. */
const worth = (value, points) => {
  const taken = typeof value === "string" ? known(points, value) : constant(value);
  return taken === SKIPPED ? null : taken;
};

const MAKERS = {
  sum(step) {
    const bonus = (step.bonus ?? []).map(([when, add]) => [condition(when), constant(add)]);
    const [minuend, ...turned] = step.reverse ?? [0];
    const [low, high] = [step.at_least, step.at_most].map(constant);
    return (record, points) => {
      let result = 0;
      for (const name of step.of ?? []) {
        const value = known(points, name);
        if (value === null) return null;
        if (value !== SKIPPED) result = plus(result, value);
      }
      for (const name of turned) {
        const value = known(points, name);
        if (value === null) return null;
        if (value !== SKIPPED) result = plus(result, minus(minuend, value));
      }
      for (const [holds, add] of bonus) {
        const truth = holds(record);
        if (truth === null) return null;
        if (truth) result = plus(result, add);
      }
      if (low !== undefined) result = most([result, low]);
      if (high !== undefined) result = least([result, high]);
      return result;
    };
  },

  mean(step) {
    return (_, points) => {
      const given = step.of.map((name) => known(points, name)).filter((v) => v !== null && v !== SKIPPED);
      if (given.length < step.needed) return null;
      return meanOf(given.reduce(plus, 0), given.length, step.decimals ?? 0);
    };
  },

  count(step) {
    const holds = condition(step.when);
    return (record, points) => {
      const asked = Object.create(record);
      let result = 0;
      for (const name of step.of) {
        if (points[name] === SKIPPED) continue;
        asked.value = record[name] ?? null;
        if (asked.value === null) return null;
        const truth = holds(asked);
        if (truth === null) return null;
        if (truth) result += 1;
      }
      return result;
    };
  },

  extreme(step) {
    const pick = step.least ? least : most;
    return (_, points) => {
      const values = step.of.map((name) => known(points, name)).filter((value) => value !== SKIPPED);
      return values.includes(null) || !values.length ? null : pick(values);
    };
  },

  band(step) {
    const cuts = step.cuts.map(([at, level]) => [constant(at), level]);
    return (_, points) => {
      const value = known(points, step.of);
      if (value === null || value === SKIPPED) return null;
      const cut = cuts.findLast(([at]) => compared(at, value) <= 0);
      return cut ? cut[1] : null;
    };
  },

  matrix(step) {
    return (_, points) => {
      const [row, column] = [known(points, step.rows), known(points, step.columns)];
      return row === null || column === null ? null : step.cells[row][column];
    };
  },

  rules(step) {
    const lines = step.lines.map(([when, value]) => [when === null ? () => true : condition(when), value]);
    return (record, points) => {
      for (const [number, [holds, value]] of lines.entries()) {
        const truth = holds(record);
        if (truth) return worth(value, points);
        if (truth === null) return agreed(lines.slice(number), record, points);
      }
      return null;
    };
  },

  mode(step) {
    const holds = condition(step.when);
    return (record, points) => {
      const centre = known(points, step.near);
      const asked = step.of.filter((name) => points[name] !== SKIPPED);
      if (centre === null || centre === SKIPPED || asked.some((name) => known(points, name) === null)) return null;
      const counted = new Map();
      const answer = Object.create(record);
      for (const name of asked) {
        answer.value = record[name];
        if (!holds(answer)) continue;
        const found = counted.get(String(points[name]));
        counted.set(String(points[name]), [points[name], (found?.[1] ?? 0) + 1]);
      }
      const highest = Math.max(...[...counted.values()].map(([, times]) => times));
      const often = [...counted.values()].filter(([, times]) => times === highest).map(([value]) => value);
      if (!often.length) return null;
      return often.reduce((a, b) => nearer(a, b, centre));
    };
  },
};

/** The value on which an undecided line and all that may follow it agree; null when they do not. */
function agreed(lines, record, points) {
  const first = worth(lines[0][1], points);
  for (const [holds, value] of lines.slice(1)) {
    const may = holds(record);
    const other = worth(value, points);
    if (may !== false && !(first === other || (isNumber(first) && isNumber(other) && compared(first, other) === 0))) {
      return null;
    }
    if (may) break;
  }
  return first;
}

function nearer(a, b, centre) {
  const closer = compared(away(b, centre), away(a, centre)) || compared(b, a);
  return closer < 0 ? b : a;
}

/** The steps in order, each as [id, function of record and points]. */
export const compiledSteps = (steps) => steps.map((step) => [step.id, MAKERS[step.kind](step)]);

/** For each step, a function from a record to the names it used. */
export function usesOf(steps) {
  return Object.fromEntries(steps.map((step) => [step.id, uses(step)]));
}

function uses(step) {
  if (step.kind === "rules") return ruleUses(step);
  const bonus = (step.bonus ?? []).flatMap(([when]) => factsOf(when));
  const names = {
    sum: () => [...(step.of ?? []), ...bonus, ...(step.reverse ?? []).slice(1)],
    count: () => [...step.of, ...factsOf(step.when)],
    mode: () => [...step.of, ...factsOf(step.when), step.near],
    band: () => [step.of],
    matrix: () => [step.rows, step.columns],
  }[step.kind];
  const found = names ? names() : step.of;
  return () => found;
}

/** The conditions asked down to the line that answered, and what that line takes its value from. */
function ruleUses(step) {
  const lines = step.lines.map(([when, value]) => ({
    holds: when === null ? () => true : condition(when),
    names: when === null ? [] : factsOf(when),
    taken: typeof value === "string" && value !== "unknown" ? [value] : [],
  }));
  return (record) => {
    const asked = [];
    for (const { holds, names, taken } of lines) {
      const truth = holds(record);
      asked.push(...names);
      if (truth !== false) asked.push(...taken);
      if (truth) break;
    }
    return asked;
  };
}

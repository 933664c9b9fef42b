// The words and numbers of a result: scores, dimensions, results, and the trace step by step.

import { constant } from "./conditions.js";
import { compared, isWhole, minus, plainNumber } from "./numbers.js";
import { SKIPPED } from "./steps.js";

const number = (value) => plainNumber(value ?? null);

/** The reported steps by id; null where answers are missing. Numbers entered come first. */
export function scoresOf(machine, points) {
  const scores = {};
  for (const { id, range } of Object.values(machine.questions)) {
    if (range && (points[id] ?? null) !== null && points[id] !== SKIPPED) scores[id] = number(points[id]);
  }
  for (const step of machine.it.steps ?? []) if (step.shown) scores[step.id] = number(points[step.id]);
  return scores;
}

/** Each dimension's score, highest score and (where the instrument grades it) level. */
export function dimensionsOf(machine, points) {
  const found = {};
  for (const { id, name, total, level, max } of machine.it.dimensions) {
    const part = { name };
    if (total !== undefined) Object.assign(part, { score: number(points[total]), max });
    if (level !== undefined) {
      part.level = number(points[level]);
      const named = machine.steps[level].names?.[part.level];
      if (named) part.level_name = named;
    }
    found[id] = part;
  }
  return found;
}

/** The results of an instrument that has several. */
export function resultsOf(machine, points) {
  const found = {};
  for (const { id, name, of, score } of machine.it.results) {
    const level = points[of] ?? null;
    const shown = level === null ? { level: null, code: null } : machine.levels.get(level);
    found[id] = { name, ...shown, ...(score ? { score: number(points[score]) } : {}) };
  }
  return found;
}

/** The steps in order: items as answered, sums and tables, adjustments, the grade. */
export function traceOf(machine, given, points, used, adjustments, level) {
  const trace = [];
  const { it } = machine;
  for (const question of Object.values(machine.questions)) {
    if (question.id in given && points[question.id] !== SKIPPED) trace.push(question.line(given[question.id]));
  }
  for (const step of Object.keys(given).length ? it.steps ?? [] : []) {
    const value = points[step.id] ?? null;
    if (value === null || !(used.has(step.id) || step.shown)) continue;
    const because = wordsOf(machine, step, value, points);
    trace.push({ step: step.id, value: number(value), because, source: step.source ?? it.source, evidence: step.mark });
  }
  for (const { id, levels, say, source, evidence } of adjustments) {
    trace.push({ step: id, value: levels, because: say, source, evidence });
  }
  if (machine.levels.has(level)) {
    const because = machine.levels.get(level).name;
    trace.push({ step: "grade", value: level, because, source: it.source, evidence: it.mark });
  }
  return trace;
}

/** One step in words. */
function wordsOf(machine, step, value, points) {
  const { name } = step;
  const shown = number(value);
  if (step.kind === "band") {
    const score = points[step.of];
    const named = step.names?.[value] ?? machine.levels.get(value)?.name ?? { zh: String(value), en: String(value) };
    const [zh, en] = stretch(step, score);
    return {
      zh: `${name.zh}：${number(score)} 分落在 ${zh}，${named.zh}`,
      en: `${name.en}: ${number(score)} lies in ${en}, ${named.en}`,
    };
  }
  if (step.kind === "matrix") {
    const [row, column] = [number(points[step.rows]), number(points[step.columns])];
    return {
      zh: `${name.zh}：第 ${row} 行、第 ${column} 列为 ${shown}`,
      en: `${name.en}: row ${row}, column ${column} gives ${shown}`,
    };
  }
  const en = `${name.en}: ${shown}`;
  if (step.kind === "rules") return { zh: `${name.zh}：${shown}`, en };
  return { zh: step.kind === "sum" ? `${name.zh}合计 ${shown}` : `${name.zh} ${shown}`, en };
}

/** The scores around a score that get the same level, in words. */
function stretch(step, score) {
  const cuts = step.cuts.map(([at, level]) => [constant(at), level]);
  let first = cuts.findLastIndex(([at]) => compared(at, score) <= 0);
  let last = first;
  while (first && cuts[first - 1][1] === cuts[first][1]) first -= 1;
  while (last + 1 < cuts.length && cuts[last + 1][1] === cuts[last][1]) last += 1;
  const low = number(cuts[first][0]);
  if (last + 1 === cuts.length) return [`${low}及以上`, `${low} and above`];
  const above = cuts[last + 1][0];
  if (isWhole(score) && cuts.every(([at]) => isWhole(at))) {
    const range = `${low}–${number(minus(above, 1))}`;
    return [range, range];
  }
  return [`${low}到不足${number(above)}`, `${low} to below ${number(above)}`];
}

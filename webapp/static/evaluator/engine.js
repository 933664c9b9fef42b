// Facts -> every criterion true, false or unknown -> every programme's outcome. A criterion may ask for the outcome of
// another programme, which is then decided first.

import { condition, every, factsOf } from "./conditions.js";

const ASKS = "eligible:";
export const OUTCOME = (truth) => (truth === null ? "unknown" : truth ? "eligible" : "ineligible");

/** Programmes ready to decide: `criteria` by key, `programmes` by id as lists of keys. */
export class Engine {
  constructor(criteria, programmes) {
    this.programmes = programmes;
    this.criteria = Object.entries(criteria).map(([key, tree]) => ({
      key,
      holds: condition(tree),
      asks: factsOf(tree).filter((n) => n.startsWith(ASKS) && Object.hasOwn(programmes, n.slice(ASKS.length))),
    }));
    this.byKey = Object.fromEntries(this.criteria.map((criterion) => [criterion.key, criterion]));
  }

  /** The truth of every criterion, and every programme's outcome. */
  run(facts) {
    const record = Object.assign(Object.create(null), facts);
    const [truths, outcomes] = [{}, {}];
    const truth = (key) => {
      if (key in truths) return truths[key];
      const { holds, asks } = this.byKey[key];
      for (const name of asks) record[name] = outcome(name.slice(ASKS.length));
      return (truths[key] = holds(record));
    };
    const outcome = (id) => {
      if (!(id in outcomes)) outcomes[id] = every(this.programmes[id].map(truth));
      return outcomes[id];
    };
    const criteria = Object.fromEntries(this.criteria.map(({ key }) => [key, truth(key)]));
    const decided = Object.keys(this.programmes).map((id) => [id, OUTCOME(outcome(id))]);
    return { criteria, outcomes: Object.fromEntries(decided) };
  }
}

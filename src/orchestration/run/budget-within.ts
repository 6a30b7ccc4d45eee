// Budgets of a crew's run that is a part of a flow's: the flow's, seen from there, and both at once.

import { type Budget, NOTHING } from "./budget.ts";

/** The same budget; its keys are others than those of other crews. */
export function budgetWithin(budget: Budget, place: string): Budget {
  const whole = (key: string): string => `${place}/${key}`;
  return {
    reserve: (key, need, signal) => budget.reserve(whole(key), need, signal),
    apply: (key, decision) => budget.apply(whole(key), decision),
    fail: (key, amount) => budget.fail(whole(key), amount),
    refuseAll: () => budget.refuseAll(),
    settle: (key, amount) => budget.settle(whole(key), amount),
    get used() {
      return budget.used;
    },
    get held() {
      return budget.held;
    },
  };
}

/** A call needs room in both. What is used is told of the inner one. */
export function bothBudgets(inner: Budget, outer: Budget): Budget {
  return {
    async reserve(key, need, signal) {
      const own = await inner.reserve(key, need, signal);
      if (own.type === "refused") return own;
      try {
        const decision = await outer.reserve(key, need, signal);
        if (decision.type === "reserved") return decision;
        inner.settle(key, NOTHING);
        return { ...decision, by: "flow" };
      } catch (error) {
        inner.settle(key, NOTHING);
        throw error;
      }
    },
    apply(key, decision) {
      inner.apply(key, decision);
      const isOwn = decision.type === "refused" && decision.by === undefined; // others of the flow may go on
      if (!isOwn) outer.apply(key, decision);
    },
    fail: (key, amount) => {
      const own = inner.fail(key, amount);
      const others = outer.fail(key, amount);
      return own ?? others;
    },
    refuseAll() {
      inner.refuseAll(); // the crew's end: others of the flow may go on
    },
    settle(key, amount) {
      inner.settle(key, amount);
      outer.settle(key, amount);
    },
    get used() {
      return inner.used;
    },
    get held() {
      return inner.held;
    },
  };
}

// The account of one model call: its reservation in the run's budget, and what its attempts cost at the models that made them.

import type { ModelRef } from "../../inference/model/endpoint.ts";
import { type CallCost, costOf, type TokenPrice } from "../../inference/model/price.ts";
import type { Usage } from "../../inference/model/usage.ts";
import type { Durable } from "../durable/durable.ts";
import { type Amount, checkDecision, NOTHING } from "./budget.ts";
import { amountOf, type Reserving, worstCase } from "./reservation.ts";
import type { RunContext, World } from "./world.ts";

/** One call's account. It is closed once, with all that the call used. */
export interface Account {
  /** What the attempts that failed used. */
  readonly failed: Amount;
  /** The cost of an attempt at the model that is now asked; undefined without a price. */
  costOf(usage: Usage): CallCost | undefined;
  /** Counts an attempt that failed; `isLast` = the next one is at the call's next model. */
  fail(usage: Usage, isLast: boolean): void;
  /** @throws BosunError `run/over-budget` when nothing is left for another attempt. */
  checkNext(): void;
  /** Says again that nothing was left for another attempt: where a kept error tells it, this process has not decided it. */
  refuseAll(): void;
  /** Ends the reservation. */
  close(usage: Usage, cost: CallCost | undefined, failed: Amount): void;
}

type Opening = {
  readonly key: string;
  readonly whose: string;
  readonly call: Reserving;
  /** Ends the wait for room besides the run's own end. */
  readonly signal: AbortSignal | undefined;
};

/** Reserves what a call can take at most. @throws BosunError `run/over-budget` for a call that could pass a limit of its run. */
export async function openAccount(d: Durable, world: World, opening: Opening): Promise<Account> {
  const run = world.runOf(d.runId);
  const { budget } = run;
  const { key, whose, call, signal } = opening;
  if (budget) {
    const need = worstCase(call, { priceOf: run.priceOf, settingsOf: world.settingsOf });
    const decision = await d
      .step(`${key}/budget`, (step) => budget.reserve(key, need, either(step.signal, signal)))
      .catch((error: unknown) => {
        budget.settle(key, NOTHING); // a task that is aborted just as it gets room makes no call
        throw error;
      });
    budget.apply(key, decision);
    checkDecision(decision, whose);
  }
  return accountOf(world, run, opening);
}

/** The signal that aborts when one of them does. */
export function either(signal: AbortSignal, other: AbortSignal | undefined): AbortSignal {
  return other === undefined ? signal : AbortSignal.any([signal, other]);
}

function accountOf(
  { clock }: World,
  { budget, priceOf }: RunContext,
  { key, whose, call }: Opening,
): Account {
  let index = 0;
  let failed = NOTHING;
  let refused: ReturnType<NonNullable<typeof budget>["fail"]>;
  const price = (): TokenPrice | undefined => {
    const ref: ModelRef | undefined = call.models[index];
    return ref === undefined ? undefined : priceOf(ref);
  };
  return {
    get failed() {
      return failed;
    },
    costOf(usage) {
      const own = price();
      return own && costOf(own, usage, clock.now());
    },
    fail(usage, isLast) {
      const amount = amountOf(usage, price());
      failed = { tokens: failed.tokens + amount.tokens, usd: failed.usd + amount.usd };
      refused = budget?.fail(key, amount);
      if (isLast) index++;
    },
    checkNext: () => checkDecision(refused, `another attempt of ${whose}`),
    refuseAll: () => budget?.refuseAll(),
    close(usage, cost, all) {
      const tokens = usage.input.total + usage.output.total + all.tokens;
      budget?.settle(key, { tokens, usd: (cost?.amount ?? 0) + all.usd });
    },
  };
}

// The budget of one root run: what its calls have used, and what those under way may still use. Tasks and delegated children share it.
//
// A call reserves the most that it can take, and gives back what it did not. The decision is a step's result; a body says it again
// (`apply`), so that a replayed run has the same budget without deciding anew.
//
// Invariants
//   G1  used + held never passes a limit, so far as prompts are no longer than they were counted.
//   G2  A reservation ends exactly once, with what was used. Its call waits while others hold what it lacks, and is refused when no end
//       of theirs could give it room.
//   G3  After the first refusal every call of the run is refused: what is under way ends, nothing begins.

import { until } from "../../clock.ts";
import { BosunError } from "../../error.ts";
import type { RunLimits } from "../crew/run-limit.ts";

/** Tokens and US dollars; dollars are 0 where nothing bounds them. */
export type Amount = { readonly tokens: number; readonly usd: number };

export const NOTHING: Amount = { tokens: 0, usd: 0 };

/** Whether a call may be made. Plain JSON. */
export type BudgetDecision =
  | { readonly type: "reserved"; readonly need: Amount }
  | {
      readonly type: "refused";
      /** Of a crew in a flow: the flow's limits refuse, not the crew's own. */
      readonly by?: "flow" | undefined;
      readonly limit: keyof RunLimits;
      readonly most: number;
      readonly used: number;
      readonly held: number;
      readonly needed: number;
    };

export interface Budget {
  /** Reserves for the call of `key`, as soon as there is room. @throws the signal's reason. */
  reserve(key: string, need: Amount, signal: AbortSignal): Promise<BudgetDecision>;
  /** Takes over a decision that was made, by this process or an earlier one. Does nothing the second time. */
  apply(key: string, decision: BudgetDecision): void;
  /** Counts an attempt that failed. What is returned says why there is no room for another one. */
  fail(key: string, amount: Amount): BudgetDecision | undefined;
  /** Refuses every call from now on (G3). */
  refuseAll(): void;
  /** Ends a reservation. @param amount All that the call used, failed attempts included. */
  settle(key: string, amount: Amount): void;
  readonly used: Amount;
  readonly held: Amount;
}

export function createBudget(limits: RunLimits): Budget {
  return new RunBudget(limits);
}

class RunBudget implements Budget {
  readonly #limits: RunLimits;
  readonly #held = new Map<string, { readonly need: Amount; readonly failed: Amount }>();
  #settled = NOTHING;
  #isOver = false;
  #changed = Promise.withResolvers<void>();

  constructor(limits: RunLimits) {
    this.#limits = limits;
  }

  get used(): Amount {
    return [...this.#held.values()].reduce((sum, { failed }) => add(sum, failed), this.#settled);
  }

  get held(): Amount {
    return [...this.#held.values()].reduce((sum, { need }) => add(sum, need), NOTHING);
  }

  async reserve(key: string, need: Amount, signal: AbortSignal): Promise<BudgetDecision> {
    // Each round waits for the end of a call, which has time-outs of its own; calls under way are finitely many.
    for (;;) {
      const lacking = this.#lacking(need);
      const decision = lacking ?? ({ type: "reserved", need } as const);
      const canWait = lacking !== undefined && lacking.used + lacking.needed <= lacking.most;
      if (!canWait || this.#isOver || this.#held.size === 0) {
        const final = this.#isOver ? this.#refusal(need) : decision;
        this.apply(key, final);
        return final;
      }
      await until(this.#changed.promise, signal);
      signal.throwIfAborted(); // in the same moment: nobody would give the room back
    }
  }

  apply(key: string, decision: BudgetDecision): void {
    if (decision.type === "refused") this.refuseAll();
    else if (!this.#held.has(key)) this.#held.set(key, { need: decision.need, failed: NOTHING });
  }

  refuseAll(): void {
    this.#isOver = true;
    this.#wake();
  }

  fail(key: string, amount: Amount): BudgetDecision | undefined {
    const entry = this.#held.get(key);
    if (!entry) return undefined;
    this.#held.set(key, { ...entry, failed: add(entry.failed, amount) });
    const lacking = this.#lacking(NOTHING);
    if (lacking) this.apply(key, lacking);
    return lacking;
  }

  settle(key: string, amount: Amount): void {
    if (!this.#held.delete(key)) return;
    this.#settled = add(this.#settled, amount);
    this.#wake();
  }

  /** The limit that `need` more would pass; undefined = none. */
  #lacking(need: Amount): Extract<BudgetDecision, { readonly type: "refused" }> | undefined {
    const { used, held } = this;
    const { tokensPerRun = Infinity, usdPerRun = Infinity } = this.#limits;
    const of = (limit: keyof RunLimits, most: number, name: keyof Amount) =>
      ({
        type: "refused",
        limit,
        most,
        used: used[name],
        held: held[name],
        needed: need[name],
      }) as const;
    if (used.tokens + held.tokens + need.tokens > tokensPerRun)
      return of("tokensPerRun", tokensPerRun, "tokens");
    return used.usd + held.usd + need.usd > usdPerRun
      ? of("usdPerRun", usdPerRun, "usd")
      : undefined;
  }

  /** For a call that comes after a refusal, whatever it needs (G3). */
  #refusal(need: Amount): BudgetDecision {
    const lacking = this.#lacking(need);
    if (lacking) return lacking;
    const { used, held } = this;
    const { tokensPerRun, usdPerRun = 0 } = this.#limits;
    const [limit, most, name] =
      tokensPerRun === undefined
        ? (["usdPerRun", usdPerRun, "usd"] as const)
        : (["tokensPerRun", tokensPerRun, "tokens"] as const);
    return { type: "refused", limit, most, used: used[name], held: held[name], needed: need[name] };
  }

  #wake(): void {
    const { resolve } = this.#changed;
    this.#changed = Promise.withResolvers<void>();
    resolve();
  }
}

function add(a: Amount, b: Amount): Amount {
  return { tokens: a.tokens + b.tokens, usd: a.usd + b.usd };
}

/** @throws BosunError `run/over-budget` with the numbers, for a decision that refuses. */
export function checkDecision(decision: BudgetDecision | undefined, whose: string): void {
  if (decision === undefined || decision.type === "reserved") return;
  const { type: _, by: _by, ...numbers } = decision;
  const { limit, most, used, held, needed } = numbers;
  const show = limit === "usdPerRun" ? showUsd : showTokens;
  const others = held > 0 ? `, ${show(held)} reserved by calls under way` : "";
  const why =
    used + held + needed > most
      ? `could take ${show(needed)}`
      : `comes after one that was refused for ${limit}`;
  throw new BosunError(
    "run/over-budget",
    `${whose} ${why}, but of the run's ${show(most)} ${show(used)} are used${others}: it was not made. ` +
      `Raise limits.${limit}, or lower maxTokens`,
    { details: numbers },
  );
}

function showTokens(tokens: number): string {
  return `${tokens.toLocaleString("en-US")} tokens`;
}

function showUsd(usd: number): string {
  return `${Number(usd.toPrecision(4))} USD`;
}

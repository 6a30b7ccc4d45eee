// Lets a fault befall a generation while its tokens come.

import { type Clock, until } from "../../clock.ts";
import type { Fault } from "./fault.ts";
import type { GenerateEvent } from "./generate.ts";
import { engineDead, refused } from "./refusal.ts";
import type { Served } from "./served.ts";

/** Where a fault breaks an answer: its connection, or its JSON. Nothing follows. */
export type Broken = { readonly type: "broken"; readonly how: "cut" | "malformed" };

/** What a fault works on. */
export type Victim = {
  readonly replica: Served;
  readonly signal: AbortSignal;
  readonly clock: Clock;
};

/** The events up to the fault, and what comes of it. Without one: the events. */
export async function* playFault(
  events: AsyncIterable<GenerateEvent>,
  fault: Fault | undefined,
  victim: Victim,
): AsyncGenerator<GenerateEvent | Broken> {
  if (fault?.type === "kv-squeeze") victim.replica.squeeze?.(fault.share);
  try {
    if (fault && "after" in fault) yield* breakAfter(events, fault, victim);
    else yield* events;
  } finally {
    if (fault?.type === "kv-squeeze") victim.replica.squeeze?.(0);
  }
}

type Breaking = Extract<Fault, { readonly after: number }>;

async function* breakAfter(
  events: AsyncIterable<GenerateEvent>,
  fault: Breaking,
  victim: Victim,
): AsyncGenerator<GenerateEvent | Broken> {
  let isBroken = false;
  for await (const event of events) {
    if (isBroken || event.type !== "tokens" || event.to < fault.after) {
      yield event;
      continue;
    }
    isBroken = true;
    const { from, times } = event;
    const to = Math.max(from, fault.after);
    if (to > from) yield { type: "tokens", from, to, times: times.subarray(0, to - from) };
    const broken = await breakNow(fault, victim);
    if (!broken) continue;
    yield broken;
    return;
  }
}

async function breakNow(
  fault: Breaking,
  { replica, signal, clock }: Victim,
): Promise<Broken | undefined> {
  switch (fault.type) {
    case "cut":
    case "malformed":
      return { type: "broken", how: fault.type };
    case "engine-death":
      replica.kill();
      if (fault.restartMs > 0) clock.timer(fault.restartMs, () => replica.restart());
      return undefined; // the engine ends what it served by itself
    case "stuck":
      return until(new Promise<never>(() => undefined), signal);
    default:
      return fault satisfies never;
  }
}

/** The refusal of a server that is asked to refuse. */
export function statusFault({ status, retryAfterS }: Extract<Fault, { type: "status" }>): Error {
  const retryAfterMs = retryAfterS * 1_000;
  switch (status) {
    case 429:
      return refused({
        code: "model/rate-limited",
        status,
        type: "RateLimitError",
        message: "Too many requests",
        retryable: true,
        details: { retryAfterMs },
      });
    case 503:
      return refused({
        code: "model/overloaded",
        status,
        type: "ServiceUnavailableError",
        message: "The server is overloaded",
        retryable: true,
        details: { retryAfterMs },
      });
    case 500:
      return engineDead();
    default:
      return status satisfies never;
  }
}

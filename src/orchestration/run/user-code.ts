// Calls functions of the user: guardrails, conditions, hooks. They do real work in real time, may throw at once, and may never end.

import { type Clock, until } from "../../clock.ts";

/** What a function of the user comes to. @throws what it throws, or the signal's reason as soon as it aborts. */
export async function callUser<Args extends readonly unknown[], Result>(
  fn: (...args: Args) => Result | Promise<Result>,
  args: Args,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<Result> {
  signal.throwIfAborted();
  // Async, so that one that throws before its first await rejects too.
  const work = (async () => fn(...args))();
  return until(clock.external(work), signal);
}

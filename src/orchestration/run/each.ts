// Many kickoffs, a bounded number at once.

import { strict as assert } from "node:assert";

/** How one item ended. `index` = its place in the input, from 0. */
export type ItemResult<Item, Result> =
  | { readonly type: "done"; readonly index: number; readonly item: Item; readonly result: Result }
  | {
      readonly type: "failed";
      readonly index: number;
      readonly item: Item;
      readonly error: unknown;
    };

/**
 * Runs `work` for each item and yields what each came to, in the order in which they end. Items are pulled only when there is room,
 * so a list of any length is never in memory. Leaving the loop aborts what runs and waits for it.
 */
export async function* runEach<Item, Result>(
  items: Iterable<Item> | AsyncIterable<Item>,
  work: (item: Item, signal: AbortSignal) => Promise<Result>,
  options: { readonly concurrency: number; readonly signal: AbortSignal },
): AsyncGenerator<ItemResult<Item, Result>> {
  const { concurrency, signal } = options;
  assert(
    Number.isInteger(concurrency) && concurrency > 0,
    "concurrency is a positive whole number",
  );
  const controller = new AbortController();
  const abort = (): void => controller.abort(signal.reason);
  if (signal.aborted) abort();
  else signal.addEventListener("abort", abort, { once: true });
  const running = new Map<number, Promise<ItemResult<Item, Result>>>();
  const source = toAsync(items);
  let index = 0;
  let isDrained = false;
  try {
    for (;;) {
      while (!isDrained && !controller.signal.aborted && running.size < concurrency) {
        const next = await source.next();
        if (next.done) isDrained = true;
        else {
          running.set(index, settle(index, next.value, work, controller.signal));
          index++;
        }
      }
      if (running.size === 0) return;
      const ended = await Promise.race(running.values());
      running.delete(ended.index);
      yield ended;
    }
  } finally {
    signal.removeEventListener("abort", abort);
    if (running.size > 0) controller.abort();
    await Promise.all(running.values());
    await source.return(undefined);
  }
}

async function settle<Item, Result>(
  index: number,
  item: Item,
  work: (item: Item, signal: AbortSignal) => Promise<Result>,
  signal: AbortSignal,
): Promise<ItemResult<Item, Result>> {
  try {
    return { type: "done", index, item, result: await work(item, signal) };
  } catch (error) {
    return { type: "failed", index, item, error };
  }
}

async function* toAsync<Item>(items: Iterable<Item> | AsyncIterable<Item>): AsyncGenerator<Item> {
  yield* items;
}

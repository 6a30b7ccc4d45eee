// Many kickoffs, a bounded number at once.

import { strict as assert } from "node:assert";
import { createRacing } from "../durable/racing.ts";

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
 * Runs `work` for each item and yields what each came to, in the order in which they end. An item is pulled only when there is
 * room for it, so a list of any length is never in memory. Leaving the loop, and an abort, end what runs and wait for it.
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
  using abort = linkAbort(signal);
  const running = new Map<number, Promise<ItemResult<Item, Result>>>();
  const source = toAsync(items);
  const racing = createRacing(new AbortController().signal); // Promise.race would leave a reaction for each item
  let pulling: Promise<Pulled<Item>> | undefined;
  let index = 0;
  let isDrained = false;
  try {
    for (;;) {
      isDrained ||= abort.signal.aborted;
      if (!isDrained && running.size < concurrency) pulling ??= pull(source);
      const own = pulling && !isDrained ? { pulling, aborted: abort.aborted } : {};
      const pending: Pending<Item, Result> = { ...own, ...Object.fromEntries(running) };
      if (Object.keys(pending).length === 0) return;
      const first = await pending[await racing.winner(pending)];
      assert(first, "the winner is one of those that race");
      if (first.type === "pulled") {
        pulling = undefined;
        if (first.next.done) isDrained = true;
        else running.set(index, settle(index++, first.next.value, work, abort.signal));
      } else if (first.type !== "aborted") {
        running.delete(first.index);
        yield first;
      }
    }
  } finally {
    abort.abort();
    await Promise.all(running.values());
    // A source that is just being asked for its next item may never answer: it is asked to end, and not waited for.
    const ended = source.return(undefined);
    if (!pulling) await ended;
  }
}

type Pending<Item, Result> = Readonly<
  Record<string, Promise<Pulled<Item> | { readonly type: "aborted" } | ItemResult<Item, Result>>>
>;

type Pulled<Item> = { readonly type: "pulled"; readonly next: IteratorResult<Item, void> };

async function pull<Item>(source: AsyncGenerator<Item, void>): Promise<Pulled<Item>> {
  return { type: "pulled", next: await source.next() };
}

type Linked = Disposable & {
  readonly signal: AbortSignal;
  readonly abort: () => void;
  readonly aborted: Promise<{ readonly type: "aborted" }>;
};

/** A signal that aborts with its parent or by itself, and a promise of that. */
function linkAbort(parent: AbortSignal): Linked {
  const controller = new AbortController();
  const { promise, resolve } = Promise.withResolvers<{ readonly type: "aborted" }>();
  const abort = (): void => {
    controller.abort(parent.reason);
    resolve({ type: "aborted" });
  };
  if (parent.aborted) abort();
  else parent.addEventListener("abort", abort, { once: true });
  const dispose = (): void => parent.removeEventListener("abort", abort);
  return { signal: controller.signal, abort, aborted: promise, [Symbol.dispose]: dispose };
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

async function* toAsync<Item>(
  items: Iterable<Item> | AsyncIterable<Item>,
): AsyncGenerator<Item, void> {
  yield* items;
}

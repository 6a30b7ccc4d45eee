// Races over the same promises again and again, as a scheduler runs them: linear in promises, not in promises × races.
//
// Promise.race leaves a reaction on each loser, every time: a crew of 1,000 parallel tasks would leave a million. Here each promise
// is watched once, however often it races.

export interface Racing {
  /** The key of a promise that has settled: of several, the first in the record's order. @throws the signal's reason. */
  winner<T extends Readonly<Record<string, Promise<unknown>>>>(
    pending: T,
  ): Promise<keyof T & string>;
}

export function createRacing(signal: AbortSignal): Racing {
  const watched = new WeakSet<Promise<unknown>>();
  const settled = new WeakSet<Promise<unknown>>();
  let changed = Promise.withResolvers<void>();
  const tell = (): void => {
    changed.resolve();
    changed = Promise.withResolvers();
  };
  signal.addEventListener("abort", tell, { once: true });
  const watch = (promise: Promise<unknown>): void => {
    if (watched.has(promise)) return;
    watched.add(promise);
    const onSettled = (): void => {
      settled.add(promise);
      tell();
    };
    promise.then(onSettled, onSettled); // a rejection wins too: the caller reads it from the promise itself
  };
  return {
    async winner(pending) {
      const entries = Object.entries(pending);
      for (const [, promise] of entries) watch(promise);
      for (;;) {
        signal.throwIfAborted();
        const won = entries.find(([, promise]) => settled.has(promise));
        if (won) return won[0];
        await changed.promise;
      }
    },
  };
}

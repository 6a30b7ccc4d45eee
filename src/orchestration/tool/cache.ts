// Results of one run by what was asked: the same question is asked once, also while its answer is still on the way.
//
// Invariants
//   K1  A failure is never kept: the next call runs the tool again.
//   K2  At most `maxEntries` results are kept; of those the ones used longest ago go first.
//   K3  A caller whose shared execution was aborted by its owner is not failed by it: it executes by itself.

import { until } from "../../clock.ts";
import { strict as assert } from "node:assert";
import { putNewest } from "../../newest.ts";

/** A cache of JSON values. */
export interface ResultCache<Value> {
  /**
   * The kept or pending value for `key`, or what `execute` gives. `isShared` is true when this call did not execute.
   * @param signal The caller's. The execution belongs to the call that started it: it ends with that call's signal.
   * @throws what `execute` rejects with, or the signal's reason.
   */
  get(
    key: string,
    execute: () => Promise<Value>,
    signal: AbortSignal,
  ): Promise<{ readonly value: Value; readonly isShared: boolean }>;
  /** Keeps a value that was found elsewhere, unless there is one. */
  keep(key: string, value: Value): void;
}

/** A cache without entries. @param maxEntries Default 256. */
export function createResultCache<Value>(maxEntries: number = 256): ResultCache<Value> {
  assert(maxEntries > 0);
  // A Map keeps the order of insertion: an entry that is used is put at the end again, the first one is the oldest (K2).
  const entries = new Map<
    string,
    { readonly value: Promise<Value>; readonly owner: AbortSignal }
  >();
  return {
    async get(key, execute, signal) {
      // Each round ends with a value, a failure, or an owner that was aborted; callers are finitely many.
      for (;;) {
        const found = entries.get(key);
        if (!found) break;
        entries.delete(key);
        entries.set(key, found);
        try {
          return { value: await until(found.value, signal), isShared: true };
        } catch (error) {
          if (entries.get(key) === found) entries.delete(key);
          if (signal.aborted || !found.owner.aborted) throw error;
        }
      }
      const entry = { value: execute(), owner: signal };
      putNewest(entries, [key, entry], maxEntries);
      try {
        return { value: await entry.value, isShared: false };
      } catch (error) {
        if (entries.get(key) === entry) entries.delete(key); // K1
        throw error;
      }
    },
    keep(key, value) {
      if (entries.has(key)) return;
      const owner = new AbortController().signal; // of nobody who could abort
      putNewest(entries, [key, { value: Promise.resolve(value), owner }], maxEntries);
    },
  };
}

// Records that a fold adds entries to: copied for each event, or changed in place while many events are folded at once.

/** Records that the running `inOneGo` has made: nobody else has them, so they are changed in place. */
let made: WeakSet<object> | undefined;

/** Runs a fold over many events; linear, where each `withEntry` by itself copies the record. */
export function inOneGo<T>(fold: () => T): T {
  made = new WeakSet();
  try {
    return fold();
  } finally {
    made = undefined;
  }
}

/** The record with one more entry. */
export function withEntry<T>(
  record: Readonly<Record<string, T>>,
  name: string,
  value: T,
): Readonly<Record<string, T>> {
  if (made?.has(record)) {
    // Not by assignment: a task may be called "__proto__".
    const entry = { value, enumerable: true, configurable: true, writable: true };
    return Object.defineProperty(record, name, entry);
  }
  const copy = { ...record, [name]: value };
  made?.add(copy);
  return copy;
}

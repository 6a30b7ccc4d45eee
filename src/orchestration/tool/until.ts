// Waiting for work that may not listen to its signal.

/**
 * What `work` comes to, or the signal's reason as soon as it aborts. Work that goes on after that is abandoned: its late result
 * is thrown away and its late rejection is not an unhandled one.
 */
export function until<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    const stop = (): void => signal.removeEventListener("abort", onAbort);
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
    work.then(resolve, reject).finally(stop);
  });
}

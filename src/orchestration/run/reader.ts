// One reader of a RunLog: its own queue, merged where the reader is slow.
//
// The queue holds facts, which are bounded by the run's steps, and at most one delta of each channel between two facts of a path:
// so it is bounded without ever holding up the run. Deltas of different answers may change places; those of one never do.

import type { RunDelta, RunEvent } from "./event.ts";

export interface Reader {
  push(event: RunEvent): void;
  /** Looks again whether the first event may be yielded. */
  wake(): void;
  /** The next event that `isReady` lets through. @throws the signal's reason, and when there is none left what `closed` returns. */
  next(
    isReady: (event: RunEvent) => boolean,
    signal: AbortSignal,
    closed: () => Error | undefined,
  ): Promise<RunEvent>;
}

/** An event in the queue; a delta may grow while it waits. */
type Slot = { event: RunEvent };

/** A reader that begins with `earlier`. */
export function createReader(earlier: readonly RunEvent[]): Reader {
  const queue: Slot[] = earlier.map((event) => ({ event }));
  /** The waiting delta of each path, into which the next one of its channel is merged. */
  const growing = new Map<string, Slot>();
  let onWake: (() => void) | undefined;
  const wake = (): void => onWake?.();
  const wakened = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      onWake = () => {
        onWake = undefined;
        signal.removeEventListener("abort", wake);
        resolve();
      };
      signal.addEventListener("abort", wake, { once: true });
    });
  return {
    wake,
    push(event) {
      const path = event.path.join("/");
      const open = growing.get(path);
      if (
        event.type === "model-delta" &&
        open?.event.type === "model-delta" &&
        open.event.channel === event.channel
      ) {
        open.event = merge(open.event, event);
        return;
      }
      const slot = { event };
      queue.push(slot);
      if (event.type === "model-delta") growing.set(path, slot);
      else growing.delete(path);
      wake();
    },
    async next(isReady, signal, closed) {
      for (;;) {
        signal.throwIfAborted();
        const [first] = queue;
        if (first && isReady(first.event)) {
          queue.shift();
          if (first.event.type === "model-delta") growing.delete(first.event.path.join("/"));
          return first.event;
        }
        const reason = first ? undefined : closed();
        if (reason) throw reason;
        await wakened(signal);
      }
    },
  };
}

function merge(first: RunDelta, next: RunDelta): RunDelta {
  return { ...first, text: first.text + next.text };
}

// One reader of a RunLog: its own queue, merged where the reader is slow.
//
// The queue holds facts, which are bounded by the run's steps, and deltas, of which neighbours of one path become one: so it is
// bounded without ever holding up the run.

import type { Path } from "../../inference/model/model.ts";
import type { RunEvent } from "./event.ts";

export interface Reader {
  push(event: RunEvent): void;
  /** Looks again whether the first event may be yielded. */
  wake(): void;
  /** The next event that `isReady` lets through. @throws the signal's reason. */
  next(isReady: (event: RunEvent) => boolean, signal: AbortSignal): Promise<RunEvent>;
}

/** A reader that begins with `earlier`. */
export function createReader(earlier: readonly RunEvent[]): Reader {
  const queue = [...earlier];
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
      const merged = mergeDelta(queue.at(-1), event);
      if (merged) queue[queue.length - 1] = merged;
      else queue.push(event);
      wake();
    },
    async next(isReady, signal) {
      for (;;) {
        signal.throwIfAborted();
        const [first] = queue;
        if (first && isReady(first)) {
          queue.shift();
          return first;
        }
        await wakened(signal);
      }
    },
  };
}

/** Two deltas of one answer as one; undefined for anything else. */
function mergeDelta(last: RunEvent | undefined, next: RunEvent): RunEvent | undefined {
  if (last?.type !== "model-delta" || next.type !== "model-delta") return undefined;
  if (last.channel !== next.channel || !isSamePath(last.path, next.path)) return undefined;
  return { ...last, text: last.text + next.text };
}

function isSamePath(a: Path, b: Path): boolean {
  return a.length === b.length && a.every((part, index) => part === b[index]);
}

// Between the socket, which pushes, and the caller's loop, which pulls: one consumer, bounded, nothing lost.
//
// Deltas that wait are merged with the one before, so a slow consumer costs text, not events. Over MAX_BUFFERED characters the
// mailbox is full and the producer pauses until something is taken.

import type { BosunError } from "../../error.ts";
import type { ModelEvent } from "./model.ts";

type Delta = Extract<ModelEvent, { readonly type: "text-delta" | "reasoning-delta" }>;

const MAX_BUFFERED = 64 * 1024;

export interface Mailbox {
  put(type: Delta["type"], text: string): void;
  end(): void;
  fail(error: BosunError): void;
  isFull(): boolean;
  /** Calls back once, at the next taking. */
  onTaken(resume: () => void): void;
  /** What is there now, if anything. */
  take(): Delta | undefined;
  /** The next delta; undefined at the end. @throws the error, after the deltas before it. */
  next(): Promise<Delta | undefined>;
}

export function createMailbox(): Mailbox {
  let queue: Delta[] = [];
  let buffered = 0;
  let isEnded = false;
  let failure: BosunError | undefined;
  let wake: (() => void) | undefined;
  let resume: (() => void) | undefined;

  const signal = (): void => {
    const waiting = wake;
    wake = undefined;
    waiting?.();
  };
  const take = (): Delta | undefined => {
    const first = queue[0];
    if (first === undefined) return undefined;
    if (queue.length === 1) queue = [];
    else queue.shift();
    buffered -= first.text.length;
    const resumed = resume;
    resume = undefined;
    resumed?.();
    return first;
  };
  return {
    take,
    put(type, text) {
      const last = queue.at(-1);
      buffered += text.length;
      if (last?.type === type) queue[queue.length - 1] = { type, text: last.text + text };
      else queue.push({ type, text });
      signal();
    },
    end() {
      isEnded = true;
      signal();
    },
    fail(error) {
      if (isEnded) return;
      failure ??= error;
      signal();
    },
    isFull: () => buffered > MAX_BUFFERED,
    onTaken(callback) {
      resume = callback;
    },
    async next() {
      for (;;) {
        const delta = take();
        if (delta) return delta;
        if (failure) throw failure;
        if (isEnded) return undefined;
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
}

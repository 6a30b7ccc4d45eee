// Lines that somebody types, or that a pipe brings. The terminal stays as it is: it edits the line, and Ctrl-C stays a signal.

import { createInterface, type Interface } from "node:readline";
import type { Readable } from "node:stream";

/** Longest line that is taken whole; what is over it is cut off. */
const MAX_LINE = 1_048_576;

/** Nothing is read before the first `next`. */
export interface LineInput extends Disposable {
  /** The next line; undefined when there is none any more, or when the signal aborts. */
  next(signal: AbortSignal): Promise<string | undefined>;
  /** Throws away what was typed so far. */
  drop(): Promise<void>;
}

/** Reads a stream by lines; it is opened at the first `next`. Disposing it lets go of the stream. */
export function createLineInput(open: () => Readable): LineInput {
  let reading: Interface | undefined;
  const state = { isEnded: false };
  const waiting: string[] = [];
  let wake: (() => void) | undefined;
  const start = (): Interface => {
    const lines = createInterface({ input: open(), terminal: false, crlfDelay: Infinity });
    lines.on("line", (line) => {
      waiting.push(line.slice(0, MAX_LINE));
      lines.pause(); // a pipe may be endless: what nobody has asked for stays in it
      wake?.();
    });
    lines.on("close", () => {
      state.isEnded = true;
      wake?.();
    });
    return lines;
  };
  const woken = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      wake = () => {
        signal.removeEventListener("abort", onAbort);
        resolve();
      };
      const onAbort = (): void => wake?.();
      signal.addEventListener("abort", onAbort, { once: true });
    });
  return {
    async next(signal) {
      while (waiting.length === 0 && !state.isEnded && !signal.aborted) {
        reading ??= start();
        reading.resume();
        await woken(signal);
      }
      return signal.aborted ? undefined : waiting.shift();
    },
    async drop() {
      reading ??= start();
      reading.resume();
      // What the terminal holds comes within a turn or two of the event loop.
      for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
      waiting.length = 0;
    },
    [Symbol.dispose]() {
      reading?.close();
    },
  };
}

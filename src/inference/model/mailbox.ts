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
  /** The next delta, if there is one now. @throws the error, after the deltas before it. */
  take(): Delta | undefined;
  /** True when nothing is left and nothing will come. */
  isOver(): boolean;
  /** Resolves at the next change, or at `wake`. One waits at a time. */
  changed(): Promise<void>;
  wake(): void;
}

export function createMailbox(): Mailbox {
  return new Queue();
}

/** A class, because each of a thousand open calls has one. */
class Queue implements Mailbox {
  #deltas: { readonly type: Delta["type"]; text: string }[] = [];
  #buffered = 0;
  #isEnded = false;
  #failure: BosunError | undefined;
  #wake: (() => void) | undefined;
  #resume: (() => void) | undefined;

  put(type: Delta["type"], text: string): void {
    const last = this.#deltas.at(-1);
    this.#buffered += text.length;
    if (last?.type === type) last.text += text;
    else this.#deltas.push({ type, text });
    this.wake();
  }

  end(): void {
    this.#isEnded = true;
    this.wake();
  }

  fail(error: BosunError): void {
    if (this.#isEnded) return;
    this.#failure ??= error;
    this.wake();
  }

  isFull(): boolean {
    return this.#buffered > MAX_BUFFERED;
  }

  onTaken(resume: () => void): void {
    this.#resume = resume;
  }

  take(): Delta | undefined {
    const first = this.#deltas.shift();
    if (first === undefined) {
      if (this.#failure) throw this.#failure;
      return undefined;
    }
    this.#buffered -= first.text.length;
    const resume = this.#resume;
    this.#resume = undefined;
    resume?.();
    return first;
  }

  isOver(): boolean {
    return this.#isEnded && this.#deltas.length === 0;
  }

  changed(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve));
  }

  wake(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}

// The requests that wait: in order of arrival, or of priority.
//
// First come, first served is a queue whose front also takes what was preempted; by priority it is a sorted list, where the
// preempted goes to the place that its priority and arrival give it. The engine bounds it (maxNumQueuedReqs) or, like vLLM up to
// 0.28, does not.

import { comparePriority, type Sequence } from "./sequence.ts";

/** Waiting sequences. `at` counts from the front. */
export class WaitingQueue {
  readonly #policy: "fcfs" | "priority";
  /** Those before #head are gone: a queue of thousands is not moved for each one that leaves. */
  #items: (Sequence | undefined)[] = [];
  #head = 0;

  constructor(policy: "fcfs" | "priority") {
    this.#policy = policy;
  }

  get size(): number {
    return this.#items.length - this.#head;
  }

  peek(at: number): Sequence | undefined {
    return this.#items[this.#head + at];
  }

  /** A new arrival. O(1) first come, first served; O(n) moves by priority. */
  push(sequence: Sequence): void {
    if (this.#policy === "fcfs") this.#items.push(sequence);
    else this.#insert(sequence);
  }

  /** One that was preempted. */
  putBack(sequence: Sequence): void {
    if (this.#policy === "priority") this.#insert(sequence);
    else if (this.#head > 0) this.#items[--this.#head] = sequence;
    else this.#items.unshift(sequence);
  }

  /** Takes out the one at `at`. O(1) at the front. */
  removeAt(at: number): void {
    if (at > 0) {
      this.#items.splice(this.#head + at, 1);
      return;
    }
    this.#items[this.#head++] = undefined;
    if (this.#head > 64 && this.#head * 2 > this.#items.length) {
      this.#items.splice(0, this.#head);
      this.#head = 0;
    }
  }

  /** Takes out one that left. O(n). */
  remove(sequence: Sequence): void {
    const at = this.#items.indexOf(sequence, this.#head);
    if (at >= 0) this.removeAt(at - this.#head);
  }

  /** All, from the front on. */
  toArray(): readonly Sequence[] {
    return this.#items.slice(this.#head).filter((item) => item !== undefined);
  }

  #insert(sequence: Sequence): void {
    let low = this.#head;
    let high = this.#items.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#items[middle];
      if (other !== undefined && comparePriority(other, sequence) < 0) low = middle + 1;
      else high = middle;
    }
    this.#items.splice(low, 0, sequence);
  }
}

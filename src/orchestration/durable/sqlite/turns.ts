// The order in which a body is given what it gets (D5): kept outcomes by their place in the journal, then new ones as they are kept.
//
// One at a time, each in a turn of the event loop of its own: whatever the body does about one of them it has done before it gets
// the next, in every execution alike. What is done for the first time waits until no kept outcome is asked for.

import type { Clock } from "../../../clock.ts";

type Asked = { readonly seq: number; readonly deliver: () => void };

export class Turns {
  readonly #clock: Clock;
  /** Kept outcomes that were asked for, the first one last: a body may ask for thousands at once. */
  readonly #asked: Asked[] = [];
  /** New outcomes that are kept. */
  readonly #kept: (() => void)[] = [];
  /** Work that waits for the end of the replay. */
  #held: (() => void)[] = [];
  #isReplaying: boolean;
  /** Of the commit whose first outcome was given at once. */
  #commit = -1;
  #release: (() => void) | undefined;
  /** How much the body waits for that is not of the journal. */
  #holds = 0;

  /** @param isReplaying Whether there are kept outcomes. */
  constructor(clock: Clock, isReplaying: boolean) {
    this.#clock = clock;
    this.#isReplaying = isReplaying;
    if (isReplaying) this.#schedule();
  }

  /** Delivers a kept outcome when its turn comes. Returns how to take it back. */
  recall(seq: number, deliver: () => void): () => void {
    const asked = { seq, deliver };
    this.#asked.splice(this.#placeOf(seq), 0, asked);
    this.#schedule();
    return () => {
      const index = this.#asked.indexOf(asked);
      if (index >= 0) this.#asked.splice(index, 1);
    };
  }

  /** Does something for the first time: now, or after the replay. */
  begin(work: () => void): void {
    if (this.#isReplaying) this.#held.push(work);
    else work();
  }

  /** Delivers a new outcome. @param commit The number of the commit that kept it: the first of each is delivered at once. */
  deliver(commit: number, deliver: () => void): void {
    if (commit !== this.#commit && this.#kept.length === 0 && this.#holds === 0) {
      this.#commit = commit;
      deliver();
      return;
    }
    this.#kept.push(deliver);
    this.#schedule();
  }

  /** Nothing is given, and no replay ends, while this goes on: what the body asks for after it may come first. */
  hold(work: Promise<unknown>): void {
    this.#holds++;
    const letGo = (): void => {
      this.#holds--;
      this.#schedule();
    };
    work.then(letGo, letGo);
  }

  #schedule(): void {
    if (this.#release || this.#holds > 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#release = resolve;
    void this.#clock.external(promise); // a virtual clock stands still meanwhile
    setImmediate(this.#turn);
  }

  readonly #turn = (): void => {
    const release = this.#release;
    this.#release = undefined;
    if (this.#holds > 0) return release?.();
    const next = this.#takeFirst();
    if (next) next();
    else if (this.#isReplaying) this.#endReplay();
    if (next || this.#asked.length > 0 || this.#kept.length > 0) this.#schedule();
    release?.();
  };

  #endReplay(): void {
    this.#isReplaying = false;
    const held = this.#held;
    this.#held = [];
    for (const work of held) work();
  }

  #takeFirst(): (() => void) | undefined {
    return this.#asked.pop()?.deliver ?? this.#kept.shift();
  }

  /** Where it goes in: before the first that comes earlier than it. */
  #placeOf(seq: number): number {
    let [low, high] = [0, this.#asked.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#asked[middle]?.seq ?? 0) > seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

// Drives engines on a clock: one timer for all replicas of a clock, none when all are idle.
//
// In virtual time a timer costs more than a step of an engine. So from one timer the loop goes on with steps whose end nobody sees,
// up to the clock's horizon: before it nothing else can happen, and the result is the same as with a timer for each step.
//
// Invariants
//   O1  A step with news is finished when the clock shows its end, never before.
//   O2  The earliest step goes first; of equal ones, that of the replica that began to step first.
//   O3  After news was handed over nothing runs ahead: what consumers do about it comes first.

import type { Clock, Timer } from "../../clock.ts";

/** Something that goes from step to step. */
export interface Stepper {
  /** When its next step ends or begins; Infinity when it is idle. */
  readonly nextAtMs: number;
  /** True when somebody hears of what happens then. */
  readonly hasNews: boolean;
  /** Takes the step at `nextAtMs`. Must not throw. */
  advance(): void;
}

/** The steppers of one clock. */
export class StepLoop {
  readonly #clock: Clock;
  /** Those that are not idle: a handful, so the earliest is looked for. */
  readonly #busy: Stepper[] = [];
  #timer: Timer | undefined = undefined;
  #timerAtMs = Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** To be called when an idle stepper has something to do again, or a busy one something earlier. */
  wake(stepper: Stepper): void {
    if (!this.#busy.includes(stepper)) this.#busy.push(stepper);
    if (stepper.nextAtMs < this.#timerAtMs) this.#arm(stepper.nextAtMs);
  }

  #run(): void {
    this.#timerAtMs = -Infinity; // wake() must not arm the timer while this does.
    const now = this.#clock.now();
    let horizon = this.#clock.horizon?.() ?? now;
    for (;;) {
      const next = this.#takeEarliest();
      if (next === undefined) {
        this.#timerAtMs = Infinity;
        return;
      }
      const { nextAtMs, hasNews } = next;
      if (nextAtMs > now && (hasNews || nextAtMs >= horizon)) {
        this.#arm(nextAtMs); // O1
        return;
      }
      next.advance();
      if (hasNews) horizon = now; // O3
    }
  }

  /** O2. Forgets those that are idle. */
  #takeEarliest(): Stepper | undefined {
    let earliest: Stepper | undefined;
    let kept = 0;
    for (const stepper of this.#busy) {
      if (stepper.nextAtMs === Infinity) continue;
      this.#busy[kept++] = stepper;
      if (earliest === undefined || stepper.nextAtMs < earliest.nextAtMs) earliest = stepper;
    }
    this.#busy.length = kept;
    return earliest;
  }

  #arm(atMs: number): void {
    this.#timerAtMs = atMs;
    const delayMs = Math.max(0, atMs - this.#clock.now());
    if (this.#timer) this.#timer.restart(delayMs);
    else this.#timer = this.#clock.timer(delayMs, () => this.#run());
  }
}

const loops = new WeakMap<Clock, StepLoop>();

/** The loop of this clock. */
export function stepLoopOf(clock: Clock): StepLoop {
  const loop = loops.get(clock) ?? new StepLoop(clock);
  loops.set(clock, loop);
  return loop;
}

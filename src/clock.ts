// Time as a value: the system's clock and a virtual one.
//
// The only file with setTimeout, Date.now and performance.now (a lint rule keeps it so): whatever waits takes a Clock, and the
// same code then runs in real time and in virtual time. Knows nothing of runs, models or servers.
//
// Invariants
//   T1  A timer fires at most once for each start or restart, never after it was disposed.
//   T2  Timers of one clock fire in the order of their time, and of their start when the times are equal.
//   T3  The virtual clock moves only when no microtask is left, no `external` work is pending and a timer is waiting. External work
//       that has come to nothing for EXTERNAL_PATIENCE_MS of real time is not waited for: it may wait for the clock itself.

/** A one-shot timer. Disposing it stops it. */
export interface Timer extends Disposable {
  /** Starts it anew: it fires `ms` milliseconds from now. */
  restart(ms: number): void;
}

/** A signal that aborts when its time is over or when its parent aborts. Dispose it when the work has ended. */
export interface Deadline extends Disposable {
  readonly signal: AbortSignal;
  /** True when the time, not the parent, ended it. */
  readonly expired: boolean;
}

/** The time that a part of Bosun lives in. All times are milliseconds. */
export interface Clock {
  /** Milliseconds since 1970 on the system clock (never goes back), since the clock's start on a virtual one. */
  now(): number;
  /** Calls `fire` once, `ms` milliseconds from now, as soon as it can where that is past. `fire` must not throw. */
  timer(ms: number, fire: () => void): Timer;
  /** Resolves after `ms` milliseconds. @throws the signal's reason as soon as `signal` aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** `reason` becomes the signal's reason when the time is over. */
  deadline(ms: number, signal: AbortSignal, reason: () => Error): Deadline;
  /** Keeps a virtual clock standing still while real work (a socket, a child process) is pending (T3). */
  external<T>(work: Promise<T>): Promise<T>;
  /**
   * The time before which no other timer is due and nothing else can happen. A timer's callback may settle there what nobody sees
   * until then, without a timer for each bit of it. Only virtual clocks know.
   */
  horizon?(): number;
}

/** A clock whose time jumps from timer to timer. */
export interface VirtualClock extends Clock {
  /** Moves the time forward by `ms`, firing what falls due on the way. Needed only with `auto: false`. */
  advance(ms: number): Promise<void>;
}

/** How long a virtual clock stands still for external work that comes to nothing, in real milliseconds. */
const EXTERNAL_PATIENCE_MS = 1_000;

/** Node's longest timer; longer ones would fire at once. */
const LONGEST_TIMER_MS = 2_147_483_647;

/** The machine's clock. */
export const systemClock: Clock = withDerived({
  now: () => ORIGIN_MS + performance.now(),
  timer: (ms, fire) => new SystemTimer(ms, fire),
  external: (work) => work,
});

/** Read once: `now` is asked for every token, and the getter costs more than the clock. */
const ORIGIN_MS = performance.timeOrigin;

/** A class, because a thousand runs hold five thousand timers: as closures each took 300 bytes more. */
class SystemTimer implements Timer {
  readonly #fire: () => void;
  #handle: NodeJS.Timeout;
  #ms: number;
  #isDisposed = false;

  constructor(ms: number, fire: () => void) {
    this.#fire = fire;
    this.#ms = ms;
    this.#handle = setTimeout(fire, toDelay(ms));
  }

  restart(ms: number): void {
    if (this.#isDisposed) return; // T1
    // refresh() re-arms without a new object.
    if (ms === this.#ms) this.#handle.refresh();
    else {
      clearTimeout(this.#handle);
      this.#ms = ms;
      this.#handle = setTimeout(this.#fire, toDelay(ms));
    }
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    clearTimeout(this.#handle);
  }
}

/** Node warns on stderr of a time that is past: a limit that a busy process has overrun. */
function toDelay(ms: number): number {
  return Math.min(Math.max(ms, 0), LONGEST_TIMER_MS);
}

/**
 * A clock that starts at 0 and needs no waiting: whenever nothing else can happen, the time jumps to the next timer.
 * @param options.auto false leaves every move to `advance`.
 */
export function createVirtualClock(options: { readonly auto?: boolean } = {}): VirtualClock {
  const { auto = true } = options;
  const timeline = createTimeline();
  let externalCount = 0;
  let isScheduled = false;
  let patience: NodeJS.Timeout | undefined;
  /** How far the time may move without another word. */
  let limit = auto ? Infinity : 0;

  // Timers wait for setImmediate, which comes after every microtask: whatever could run at this time has then run (T3).
  const move = (): void => {
    timeline.fireNext();
    schedule();
  };
  const schedule = (): void => {
    if (!auto || isScheduled || timeline.nextAt() === undefined) return;
    if (externalCount > 0) {
      clearTimeout(patience);
      patience = setTimeout(move, EXTERNAL_PATIENCE_MS);
      return;
    }
    isScheduled = true;
    setImmediate(() => {
      isScheduled = false;
      if (externalCount === 0) move();
      else schedule();
    });
  };
  const clock = withDerived({
    now: () => timeline.now(),
    timer: (ms, fire) => timeline.timer(ms, fire, schedule),
    async external(work) {
      externalCount++;
      try {
        return await work;
      } finally {
        externalCount--;
        if (externalCount === 0) clearTimeout(patience);
        schedule();
      }
    },
  });
  const horizon = (): number =>
    externalCount > 0 ? timeline.now() : Math.min(timeline.nextAt() ?? Infinity, limit);
  return {
    ...clock,
    horizon,
    async advance(ms) {
      const end = timeline.now() + ms;
      if (!auto) limit = end;
      await settle();
      for (let at = timeline.nextAt(); at !== undefined && at <= end; at = timeline.nextAt()) {
        timeline.fireNext();
        await settle();
      }
      timeline.moveTo(end);
    },
  };
}

type Timeline = {
  now(): number;
  nextAt(): number | undefined;
  fireNext(): void;
  moveTo(at: number): void;
  timer(ms: number, fire: () => void, onStart: () => void): Timer;
};

/** The virtual time and what waits in it. */
function createTimeline(): Timeline {
  const waitingTimers: Waiting[] = [];
  let time = 0;
  let order = 0;
  return {
    now: () => time,
    nextAt: () => waitingTimers[0]?.at,
    moveTo: (at) => void (time = Math.max(time, at)),
    fireNext() {
      const next = waitingTimers.shift();
      if (!next) return;
      time = Math.max(time, next.at);
      next.fire();
    },
    timer(ms, fire, onStart) {
      let waiting: Waiting | undefined;
      let isDisposed = false;
      const stop = (): void => {
        const at = waiting ? waitingTimers.indexOf(waiting) : -1;
        if (at >= 0) waitingTimers.splice(at, 1);
      };
      const start = (delayMs: number): void => {
        if (isDisposed) return; // T1
        stop();
        waiting = { at: time + Math.max(0, delayMs), order: order++, fire };
        insert(waitingTimers, waiting);
        onStart();
      };
      start(ms);
      return {
        restart: start,
        [Symbol.dispose]() {
          isDisposed = true;
          stop();
        },
      };
    },
  };
}

type Waiting = { readonly at: number; readonly order: number; readonly fire: () => void };

/** Keeps the list sorted by time, then by start (T2). O(n) to insert: some hundred timers at most wait at once. */
function insert(timers: Waiting[], waiting: Waiting): void {
  let at = timers.length;
  for (let before = timers[at - 1]; before && before.at > waiting.at; before = timers[at - 1]) at--;
  timers.splice(at, 0, waiting);
}

function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function withDerived(base: Pick<Clock, "now" | "timer" | "external">): Clock {
  return {
    ...base,
    sleep(ms, signal) {
      return new Promise((resolve, reject) => {
        if (signal.aborted) {
          reject(signal.reason);
          return;
        }
        const onAbort = (): void => {
          timer[Symbol.dispose]();
          reject(signal.reason);
        };
        const timer = base.timer(ms, () => {
          signal.removeEventListener("abort", onAbort);
          resolve();
        });
        signal.addEventListener("abort", onAbort, { once: true });
      });
    },
    deadline(ms, signal, reason) {
      const controller = new AbortController();
      let expired = false;
      const timer = base.timer(ms, () => {
        expired = true;
        signal.removeEventListener("abort", onAbort);
        controller.abort(reason());
      });
      const onAbort = (): void => {
        timer[Symbol.dispose]();
        controller.abort(signal.reason);
      };
      if (signal.aborted) onAbort();
      else signal.addEventListener("abort", onAbort, { once: true });
      return {
        signal: controller.signal,
        get expired() {
          return expired;
        },
        [Symbol.dispose]() {
          timer[Symbol.dispose]();
          signal.removeEventListener("abort", onAbort);
        },
      };
    },
  };
}

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

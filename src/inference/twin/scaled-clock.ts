// A clock that runs faster than another: a twin at 100 times real time.

import type { Clock } from "../../clock.ts";

/** A clock that shows the same time as `clock` now and then runs `speed` times as fast. All its times are its own milliseconds. */
export function createScaledClock(clock: Clock, speed: number): Clock {
  const originMs = clock.now();
  return {
    now: () => originMs + (clock.now() - originMs) * speed,
    timer(ms, fire) {
      const timer = clock.timer(ms / speed, fire);
      return {
        restart: (nextMs) => timer.restart(nextMs / speed),
        [Symbol.dispose]: () => timer[Symbol.dispose](),
      };
    },
    sleep: (ms, signal) => clock.sleep(ms / speed, signal),
    deadline: (ms, signal, reason) => clock.deadline(ms / speed, signal, reason),
    external: (work) => clock.external(work),
  };
}

// The time limit of a run. It stands still while the run, or a child of it, waits for somebody outside.

import type { Clock } from "../../clock.ts";

export interface Limit extends Disposable {
  /** Stands still until as many `resume` as `pause` have been called; its parents too. */
  pause(): void;
  resume(): void;
}

/** @param timeoutMs undefined = no limit of its own; pausing still reaches `parent`. */
export function createLimit(
  clock: Clock,
  timeoutMs: number | undefined,
  onExpired: () => void,
  parent?: Limit,
): Limit {
  let paused = 0;
  let isOver = false;
  let leftMs = timeoutMs ?? 0;
  let startedAt = clock.now();
  const expire = (): void => {
    isOver = true;
    onExpired();
  };
  const start = (): Disposable | undefined =>
    timeoutMs === undefined ? undefined : clock.timer(leftMs, expire);
  let timer = start();
  return {
    pause() {
      parent?.pause();
      if (paused++ > 0) return;
      leftMs -= clock.now() - startedAt;
      timer?.[Symbol.dispose]();
    },
    resume() {
      parent?.resume();
      if (--paused > 0 || isOver) return;
      startedAt = clock.now();
      timer = start();
    },
    [Symbol.dispose]() {
      isOver = true;
      timer?.[Symbol.dispose]();
    },
  };
}

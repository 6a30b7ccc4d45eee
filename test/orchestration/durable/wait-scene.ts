// What the tests of waits share: an inline engine on a clock that stands still, and flows of one body.

import { createVirtualClock, type VirtualClock } from "../../../src/clock.ts";
import { BosunError } from "../../../src/error.ts";
import type { Json } from "../../../src/json.ts";
import type { Durable, Flow } from "../../../src/orchestration/durable/durable.ts";
import type { StartOptions } from "../../../src/orchestration/durable/engine.ts";
import {
  createInlineEngine,
  type InlineEngine,
} from "../../../src/orchestration/durable/inline.ts";

export const flow = <O extends Json>(
  run: (d: Durable, input: Json) => Promise<O>,
): Flow<Json, O> => ({
  name: "test",
  version: "1",
  run,
});

type Body<O> = (d: Durable) => Promise<O>;
type Started = {
  readonly engine: InlineEngine;
  readonly clock: VirtualClock;
  readonly run: <O extends Json>(body: Body<O>, options?: Partial<StartOptions>) => Promise<O>;
};

export function started(): Started {
  const clock = createVirtualClock({ auto: false });
  const engine = createInlineEngine({ clock });
  return {
    clock,
    engine,
    run: (body, options = {}) => {
      const { signal } = new AbortController();
      const running = engine
        .start(flow(body), {}, { id: "r", signal, ...options })
        .then((handle) => handle.result());
      running.catch(() => undefined); // each test looks at it later
      return running;
    },
  };
}

export const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "none",
    (error: unknown) => (error instanceof BosunError ? error.code : String(error)),
  );
export const orNothing = (value: Json | undefined): Json => value ?? "nothing came";

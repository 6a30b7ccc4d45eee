// A run's place in its queue: taken before its body begins, given back while it only waits, taken again before it goes on.
//
// All of it is asked at places that the body's progress alone decides, so that each execution asks the same (K3).

import type { WorkflowContext } from "@restatedev/restate-sdk";
import type { EngineParts } from "./engine-parts.ts";
import type { RestateJournal } from "./journal.ts";
import type { Meta } from "./meta.ts";
import { QUEUE_SERVICE } from "./name.ts";

export type Place = {
  /** Resolves when the run has a place, or when `isOver`. */
  take(isOver: () => boolean): Promise<void>;
  /** Gives the place back when the run only waits. */
  look(): void;
  /** Takes it again. */
  back(): Promise<void>;
  /** The run has ended. */
  leave(): void;
  /** Nobody waits for a place any more. */
  letGo(): void;
  onLetGo(call: () => void): void;
};

/** State of the run that says that it has had a place. */
export const BEGUN = "begun";

export function createPlace(
  { sdk }: EngineParts,
  ctx: WorkflowContext,
  { meta, journal }: { readonly meta: Meta; readonly journal: RestateJournal },
): Place {
  const { queue, priority = 0, tenant } = meta;
  const letGoes: (() => void)[] = [];
  let hasPlace = false;
  let isLetGo = false;
  const send = (method: "ask" | "leave", parameter: object): void =>
    void ctx.genericSend({
      service: QUEUE_SERVICE,
      method,
      key: queue ?? "",
      parameter: new TextEncoder().encode(JSON.stringify(parameter)),
      headers: { "content-type": "application/json" },
    });
  const ask = (hasBegun: boolean) => {
    const { id: awakeable, promise } = ctx.awakeable<null>();
    const { service } = ctx.request().target;
    send("ask", { id: ctx.key, service, awakeable, priority, tenant, hasBegun });
    hasPlace = true;
    return promise;
  };
  const leave = (): void => {
    if (hasPlace) send("leave", { id: ctx.key });
    hasPlace = false;
  };
  return {
    async take(isOver) {
      if (queue === undefined || isOver()) return;
      await new Promise<void>((resolve) => {
        letGoes.push(resolve);
        journal.pump.add(ask(false), () => resolve());
      });
      ctx.set(BEGUN, true);
    },
    look() {
      if (queue !== undefined && hasPlace && !isLetGo && journal.isWaiting) leave();
    },
    async back() {
      if (queue === undefined || hasPlace || isLetGo || !journal.isWaiting) return;
      await sdk.RestatePromise.race([ask(true), ctx.promise<null>("cancel").get()]);
    },
    leave,
    letGo() {
      isLetGo = true;
      for (const call of letGoes) call();
    },
    onLetGo: (call) => void letGoes.push(call),
  };
}

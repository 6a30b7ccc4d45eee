// The requests of a fault server, and who waits for which of them.

import type { Socket } from "node:net";
import { type ReceivedRequest, routeOf } from "./received-request.ts";

/** The side that closed a connection. */
export type Closer = "client" | "server";

/** What is waited for of one call; a test may wait before the call comes. */
type Slot = {
  readonly received: PromiseWithResolvers<ReceivedRequest>;
  readonly closed: PromiseWithResolvers<Closer>;
};

/** All requests that came. */
export type CallLog = {
  readonly requests: readonly ReceivedRequest[];
  readonly calls: readonly ReceivedRequest[];
  /** The number of the call; undefined for a request that is none. */
  add(request: ReceivedRequest, socket: Socket, closer: () => Closer): number | undefined;
  slot(index: number): Slot;
};

/** An empty log. */
export function createCallLog(): CallLog {
  const requests: ReceivedRequest[] = [];
  const calls: ReceivedRequest[] = [];
  const slots = new Map<number, Slot>();
  const slotOf = (index: number): Slot => {
    const slot = slots.get(index) ?? {
      received: Promise.withResolvers(),
      closed: Promise.withResolvers(),
    };
    slots.set(index, slot);
    return slot;
  };
  return {
    requests,
    calls,
    slot: slotOf,
    add(request, socket, closer) {
      requests.push(request);
      if (request.method !== "POST" || routeOf(request) !== "/v1/chat/completions")
        return undefined;
      const index = calls.push(request) - 1; // F1 of fault-server.ts
      const slot = slotOf(index);
      slot.received.resolve(request);
      socket.setMaxListeners(0); // one listener for each call of a connection that is kept
      if (socket.destroyed) slot.closed.resolve(closer());
      else socket.once("close", () => slot.closed.resolve(closer()));
      return index;
    },
  };
}

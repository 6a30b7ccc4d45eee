// One client for each distinct connection, however many objects describe it and with whatever settings.

import type { Clock } from "../../clock.ts";
import { createEndpointModel, type EndpointModel } from "../model/client.ts";
import { type Endpoint, withoutSettings } from "../model/endpoint.ts";
import type { Env } from "../model/http.ts";
import { putNewest } from "../../newest.ts";

export type Clients = { of(endpoint: Endpoint): EndpointModel; close(): void };

/** Most endpoints that are kept with their connections; the longest unused go first. */
const MAX_CLIENTS = 256;

/** Makes clients when they are asked for and keeps them. */
export function createClients(clock: Clock, env: Env | undefined): Clients {
  const byObject = new WeakMap<Endpoint, EndpointModel>();
  const byText = new Map<string, EndpointModel>();
  return {
    of(endpoint) {
      const found = byObject.get(endpoint);
      if (found) return found;
      const connection = withoutSettings(endpoint);
      const text = textOf(connection);
      const client = byText.get(text) ?? createEndpointModel({ endpoint: connection, clock, env });
      // The oldest is let go, not closed: a call may still use it, and its idle sockets close by themselves after some seconds.
      putNewest(byText, [text, client], MAX_CLIENTS);
      byObject.set(endpoint, client);
      return client;
    },
    close() {
      for (const client of byText.values()) client.close();
      byText.clear();
    },
  };
}

/** Equal for connections that are equal, in whatever order their headers and time-outs stand. */
function textOf({ headers = {}, timeouts = {}, ...rest }: Endpoint): string {
  const sorted = [headers, timeouts].map((fields) =>
    Object.entries(fields).toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
  return JSON.stringify([rest, sorted]);
}

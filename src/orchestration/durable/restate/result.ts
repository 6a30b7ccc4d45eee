// What a run comes to, told by the server to whoever waits for it.

import { BosunError, isBosunError } from "../../../error.ts";
import { isObject, type Json } from "../../../json.ts";
import { fromStored, type Stored } from "../sqlite/value.ts";
import type { EngineParts } from "./engine-parts.ts";
import type { RunRow } from "./query.ts";
import { fromTerminal } from "./terminal.ts";

/** A wait that was cut off after so long was only long: it is taken up again. */
const LONG_MS = 10_000;
const RETRY_MS = 200;

/** @throws the run's error; the signal's reason; `run/unknown`; `store/failed` when the server does not answer. */
export async function readResult(
  { http, clock, blobs }: EngineParts,
  { service, id }: Pick<RunRow, "service" | "id">,
  signal: AbortSignal,
): Promise<Json> {
  for (;;) {
    const begunAt = clock.now();
    try {
      const answer = await http.ingress(`/restate/workflow/${service}/${id}/attach`, { signal });
      const { status, body } = answer;
      if (status === 200 && isObject(body))
        return fromStored((body["value"] ?? null) as Stored, blobs) ?? null; // `as`: the execution made it
      if (status === 404) throw new BosunError("run/unknown", `run ${id} is gone`);
      if (isObject(body) && body["source"] === "invocation") throw fromTerminal(body, id);
    } catch (error) {
      const isCut = isBosunError(error) && error.code === "store/failed" && error.retryable;
      if (signal.aborted || !isCut || clock.now() - begunAt < LONG_MS) throw error;
    }
    await clock.sleep(RETRY_MS, signal);
  }
}

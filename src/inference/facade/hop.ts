// What the façade says and reads besides OpenAI's surface when it stands before a pool: a Bosun behind it needs more. Pure.

import type { JsonObject } from "../../json.ts";
import type { ModelRef, ModelSettings } from "../model/endpoint.ts";
import {
  FALLBACK_HEADER,
  FINAL_HEADER,
  fromQueueHeader,
  QUEUE_HEADER,
  THINKING_FIELD,
  toGatewayField,
} from "../model/gateway.ts";
import type { ModelRequest, Reply } from "../model/model.ts";
import { toWireError, type WireError } from "./wire-error.ts";

/** The models of an alias, in the order in which they are tried. */
export type Aliases = Readonly<Record<string, readonly [ModelRef, ...ModelRef[]]>>;

/** The call as the pool makes it. @throws BosunError `server/bad-request` for a header that is wrong. */
export function toPoolRequest(
  request: ModelRequest,
  [first, ...fallbacks]: readonly [ModelRef, ...ModelRef[]],
  headers: Headers,
): ModelRequest {
  const { [THINKING_FIELD]: thinking, priority, ...others } = request.settings.extraBody ?? {};
  const timeouts = fromQueueHeader(headers.get(QUEUE_HEADER));
  const { hints } = request;
  return {
    ...request,
    models: headers.get(FALLBACK_HEADER) === "false" ? [first] : [first, ...fallbacks],
    settings: { ...request.settings, ...readThinking(thinking), extraBody: others },
    // vLLM's field. The pool sends it on to servers that take it; others would refuse it.
    hints: typeof priority === "number" ? { priority, ...hints } : hints,
    ...(timeouts ? { timeouts } : {}),
  };
}

/** The error with what a Bosun needs to have it as it was, and with the word that a repetition is no use. */
export function toHopError(error: unknown, requestId: string): WireError {
  const wire = toWireError(error, requestId);
  const bosun = toGatewayField(error);
  if (bosun === undefined) return wire;
  const isBusy = wire.headers["retry-after"] !== undefined;
  const headers = {
    ...wire.headers,
    [FINAL_HEADER]: "true",
    // What OpenAI's own clients ask before they repeat; a full queue may be asked again after a while.
    ...(isBusy ? {} : { "x-should-retry": "false" }),
  };
  return { ...wire, body: { error: { ...wire.body.error, bosun } }, headers };
}

/** What is known of a call when its answer begins. */
export function toHopHeaders(reply: {
  readonly queueMs: number;
  readonly endpoint: string | undefined;
}): Readonly<Record<string, string>> {
  const { queueMs, endpoint } = reply;
  const waited = { [QUEUE_HEADER]: String(Math.round(queueMs)) };
  return endpoint === undefined ? waited : { ...waited, "x-bosun-endpoint": headerText(endpoint) };
}

/** What no header takes is percent-encoded. */
function headerText(text: string): string {
  return text.toWellFormed().replace(/[^\x21-\x7e]/gu, encodeURIComponent);
}

/** The same of a whole answer. */
export function toReplyHeaders({ timings, endpoint }: Reply): Readonly<Record<string, string>> {
  return toHopHeaders({ queueMs: timings.queueMs, endpoint });
}

function readThinking(value: unknown): Pick<ModelSettings, "thinking"> {
  if (typeof value === "boolean") return { thinking: value };
  const tokens = (value as JsonObject | null | undefined)?.["budgetTokens"]; // `as`: parsed JSON of any shape
  return Number.isSafeInteger(tokens) && Number(tokens) >= 0
    ? { thinking: { budgetTokens: Number(tokens) } }
    : {};
}

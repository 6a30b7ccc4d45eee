// What reaches a run from outside, wherever it is executed: signals, cancels, and its move to this process.

import { randomUUID } from "node:crypto";
import { BosunError } from "../../../error.ts";
import { isObject, type Json } from "../../../json.ts";
import { type Stored, toErrorJson, toStored } from "../sqlite/value.ts";
import type { EngineParts } from "./engine-parts.ts";
import type { RunInput } from "./execution.ts";
import { textAt } from "./field.ts";
import { type Asked, textOf } from "./http.ts";
import { type Meta, META_HEADER, toHeader } from "./meta.ts";
import { QUEUE_SERVICE } from "./name.ts";
import type { RunRow } from "./query.ts";

/** How long it is waited for a worker that takes a signal. The server keeps it for one that comes later. */
const WORKER_WITHIN_MS = 2_000;
const MOVE_TRIES = 40;
const MOVE_PAUSE_MS = 25;
const LIVE = new AbortController().signal;

/** A run, and where it is. */
type Target = Pick<RunRow, "service" | "id">;

/** Starts it; false when there was one already. @throws BosunError `config/invalid` when no worker has its flow. */
export async function submit(
  { http }: EngineParts,
  { service, id }: Target,
  {
    meta,
    body,
    delayMs = 0,
  }: { readonly meta: Meta; readonly body: RunInput; readonly delayMs?: number | undefined },
): Promise<boolean> {
  const delay = delayMs > 0 ? `?delay=${Math.ceil(delayMs)}ms` : "";
  const answer = await http.ingress(`/${service}/${id}/run/send${delay}`, {
    body: { input: body.input, ...(body.kept === undefined ? {} : { kept: body.kept }) },
    headers: { [META_HEADER]: toHeader(meta) },
  });
  const { status, body: said } = answer;
  if (isObject(said) && typeof said["invocationId"] === "string")
    return said["status"] !== "PreviouslyAccepted";
  if (status === 404)
    throw new BosunError(
      "config/invalid",
      `no worker of the Restate server has the flow of run ${id}: start one that serves it first (${textOf(said)})`,
    );
  throw new BosunError("store/failed", `run ${id} cannot be started (${status}): ${textOf(said)}`);
}

/** Gives a run what it waits for. False when it changes nothing; true also when no worker takes it in time: it is kept for the next one. */
export async function give(
  parts: EngineParts,
  { service, id }: Target,
  given: { readonly name: string; readonly value: Stored },
): Promise<boolean> {
  const body = await callSoon(parts, `/${service}/${id}/give`, {
    body: given,
    headers: { "idempotency-key": randomUUID() },
  });
  return body !== false;
}

/** Ends a run. */
export async function cancel(parts: EngineParts, row: RunRow, error: Error): Promise<void> {
  const { http, blobs } = parts;
  const { service, id, invocation, meta } = row;
  const isAway = ["scheduled", "inboxed", "ready", "backing-off", "paused"].includes(row.status);
  if (isAway) {
    // Nobody executes it: nobody could be told a reason.
    await http.admin(`/invocations/${invocation}/kill`, { method: "PATCH" });
    if (meta.queue !== undefined) await callQueue(parts, meta.queue, "leave", { id });
    return;
  }
  const value = toStored(toErrorJson(error), "an error", blobs);
  const told = await callSoon(parts, `/${service}/${id}/cancel`, { body: { value } });
  if (told === undefined)
    await http.admin(`/invocations/${invocation}/cancel`, { method: "PATCH" });
}

/** Begins a fork. */
export async function go({ http }: EngineParts, { service, id }: Target): Promise<void> {
  await http.ingress(`/${service}/${id}/go/send`, { method: "POST" });
}

/**
 * Makes the server call the worker of this deployment for a run that nobody executes. Looks again after each step: where a run is
 * pinned, and whether it is tried, changes a moment after the server was told.
 */
export async function moveTo(
  { http, clock }: EngineParts,
  { invocation }: Pick<RunRow, "invocation">,
  deployment: string,
): Promise<boolean> {
  for (let tried = 0; tried < MOVE_TRIES; tried++) {
    const [row] = await http.query(
      `SELECT status, pinned_deployment_id FROM sys_invocation WHERE id = '${invocation}'`,
    );
    const next = nextMove(textAt(row, "status"), textAt(row, "pinned_deployment_id"), deployment);
    if (next === "there") return true;
    if (next !== "wait")
      await http.admin(`/invocations/${invocation}/${next}`, { method: "PATCH" });
    await clock.sleep(MOVE_PAUSE_MS, LIVE);
  }
  return false;
}

/** What the admin is asked for; "there" when it is where it should be, or needs no move. */
function nextMove(status: string, pinned: string, deployment: string): string {
  const isAtRest = status === "paused" || status === "suspended";
  if (pinned === deployment)
    return status === "paused" || status === "backing-off" ? "resume" : "there";
  if (isAtRest) return pinned === "" ? "resume" : `resume?deployment=${deployment}`;
  // Without an attempt that reached a worker there is nothing to change: the next one goes to the newest deployment.
  if (status === "backing-off") return pinned === "" ? "resume" : "pause";
  return status === "running" ? "wait" : "there";
}

/** A call of a queue's object. */
export async function callQueue(
  { http }: EngineParts,
  queue: string,
  method: string,
  input: Json,
): Promise<Json> {
  const { status, body } = await http.ingress(
    `/${QUEUE_SERVICE}/${encodeURIComponent(queue)}/${method}`,
    { body: input },
  );
  if (status === 200) return body;
  throw new BosunError(
    "store/failed",
    `the queue "${queue}" does not answer (${status}): ${textOf(body)}. Start a worker of this server first`,
    { retryable: true },
  );
}

/** What the call comes to; undefined when nobody takes it in time. */
async function callSoon(
  { http, clock }: EngineParts,
  path: string,
  asked: Omit<Asked, "signal">,
): Promise<Json | undefined> {
  const late = new BosunError("store/failed", `${path} was not taken in time`);
  using deadline = clock.deadline(WORKER_WITHIN_MS, LIVE, () => late);
  try {
    const { status, body } = await http.ingress(path, { ...asked, signal: deadline.signal });
    if (status === 200) return body;
    throw new BosunError("store/failed", `${path} fails (${status}): ${textOf(body)}`);
  } catch (error) {
    if (deadline.expired) return undefined;
    throw error;
  }
}

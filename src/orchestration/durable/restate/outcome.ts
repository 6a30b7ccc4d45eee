// What the server's journal holds for a step: its outcome as data, an error too, so that the server never tries a step again by itself.

import type { Blobs } from "../../../blob.ts";
import type { Json } from "../../../json.ts";
import { fromErrorJson, fromStored, type Stored, toErrorJson, toStored } from "../sqlite/value.ts";

/** `ok` is first in its text: lists tell by its first bytes how a step ended. */
export type Outcome = {
  readonly ok: boolean;
  /** When the step began, and how long it took. */
  readonly at: number;
  readonly ms: number;
  readonly value: Stored;
};

export type Times = { readonly at: number; readonly ms: number };

/** @throws BosunError `store/failed` when a large value cannot be written. What is no JSON becomes the error that says so. */
export function toOutcome(
  ended: { readonly value: Json | undefined } | { readonly error: unknown },
  times: Times,
  kept: { readonly what: string; readonly blobs: Blobs },
): Outcome {
  const { what, blobs } = kept;
  if ("error" in ended)
    return { ok: false, ...times, value: toStored(toErrorJson(ended.error), what, blobs) };
  try {
    return { ok: true, ...times, value: toStored(ended.value, what, blobs) };
  } catch (error) {
    return toOutcome({ error }, times, kept);
  }
}

/** @throws the step's error. */
export function fromOutcome({ ok, value }: Outcome, blobs: Blobs): Json | undefined {
  const json = fromStored(value, blobs);
  if (ok) return json;
  throw fromErrorJson(json);
}

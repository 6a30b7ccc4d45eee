// What the server's journal of a run says of its steps, sleeps and waits.

import { isObject, type Json } from "../../../json.ts";
import type { StepRecord } from "../engine.ts";
import type { Stored } from "../sqlite/value.ts";
import type { EngineParts } from "./engine-parts.ts";
import type { RunInput } from "./execution.ts";
import { fieldOf, textAt } from "./field.ts";
import type { Row } from "./http.ts";
import { CLOSED } from "./journal.ts";
import type { Outcome } from "./outcome.ts";

/** A step with what it came to. */
export type KeptStep = { readonly record: StepRecord; readonly outcome: Outcome | undefined };

type Begun = { readonly key: string; readonly at: number };

/** In the order in which they were kept; those under way come last. */
export async function readSteps(
  { http }: EngineParts,
  invocation: string,
): Promise<readonly KeptStep[]> {
  const rows = await http.query(
    `SELECT entry_json, appended_at FROM sys_journal WHERE id = '${invocation}' AND "index" > 0 ORDER BY "index"`,
  );
  const open = new Map<Json | undefined, Begun>();
  const kept: KeptStep[] = [];
  for (const row of rows) {
    const entry = JSON.parse(textAt(row, "entry_json")) as Json; // `as`: JSON text
    const at = Date.parse(textAt(row, "appended_at"));
    const begun = begunBy(entry, at);
    if (begun) open.set(begun.id, begun);
    else keep(entry, open, { kept, at });
  }
  const underWay = [...open.values()].map(({ key, at }): KeptStep => {
    const record = {
      key,
      status: "begun",
      attempt: 1,
      startedAt: at,
      ms: undefined,
      bytes: 0,
    } as const;
    return { record, outcome: undefined };
  });
  return [...kept, ...underWay];
}

/** The body of the call that started the run. */
export async function readInput(
  { http }: EngineParts,
  invocation: string,
): Promise<RunInput | undefined> {
  const rows: readonly Row[] = await http.query(
    `SELECT entry_json FROM sys_journal WHERE id = '${invocation}' AND "index" = 0`,
  );
  const entry = rows[0]?.["entry_json"];
  if (typeof entry !== "string") return undefined;
  const payload = fieldOf(JSON.parse(entry) as Json, "Command", "Input", "payload"); // `as`: JSON text
  return decoded(payload) as RunInput | undefined; // `as`: start() made it
}

function begunBy(
  entry: Json,
  startedAt: number,
): (Begun & { readonly id: Json | undefined }) | undefined {
  const command = fieldOf(entry, "Command");
  const run = fieldOf(command, "Run");
  const sleep = fieldOf(command, "Sleep");
  const promise = fieldOf(command, "GetPromise");
  if (run) return { id: fieldOf(run, "completion_id"), key: textAt(run, "name"), at: startedAt };
  const name = textAt(sleep, "name");
  // The time of a wait is a sleep with the wait's name: it is no step of its own.
  if (sleep && !name.startsWith("wait:"))
    return { id: fieldOf(sleep, "completion_id"), key: `sleep:${name}`, at: startedAt };
  const key = textAt(promise, "key");
  if (promise && key.startsWith("wait:"))
    return { id: fieldOf(promise, "completion_id"), key, at: startedAt };
  return undefined;
}

function keep(
  entry: Json,
  open: Map<Json | undefined, Begun>,
  { kept, at: endedAt }: { readonly kept: KeptStep[]; readonly at: number },
): void {
  const completion = fieldOf(entry, "Notification", "Completion");
  const [kind] = isObject(completion) ? Object.keys(completion) : [];
  const done = kind === undefined ? undefined : fieldOf(completion, kind);
  const id = fieldOf(done, "completion_id");
  const begun = open.get(id);
  if (begun === undefined) return;
  open.delete(id);
  const value = decoded(fieldOf(done, "result", "Success"));
  const times = { at: begun.at, ms: endedAt - begun.at };
  const outcome = toKept(begun.key, value, times);
  const { ok, at: startedAt, ms, value: stored } = outcome;
  kept.push({
    record: {
      key: begun.key,
      status: ok ? "done" : "failed",
      attempt: 1,
      startedAt,
      ms,
      bytes: stored === null ? 0 : Buffer.byteLength(stored),
    },
    outcome,
  });
}

function toKept(
  key: string,
  value: Json | undefined,
  times: { readonly at: number; readonly ms: number },
): Outcome {
  if (key.startsWith("sleep:") || value === undefined || value === CLOSED)
    return { ok: true, ...times, value: null };
  if (key.startsWith("wait:"))
    return { ok: true, ...times, value: fieldOf(value, "value") as Stored }; // `as`: `give` made it
  return value as unknown as Outcome; // `as`: the journal made it
}

/** JSON in bytes, which the server shows as numbers. */
function decoded(bytes: Json | undefined): Json | undefined {
  if (!Array.isArray(bytes)) return undefined;
  const text = Buffer.from(bytes as number[]).toString("utf8"); // `as`: bytes
  return text === "" ? undefined : (JSON.parse(text) as Json); // `as`: JSON text
}

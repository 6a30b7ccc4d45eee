// `bosun runs signal` and `cancel`: what a run is told from outside, wherever it is executed, and also while nobody executes it.

import { type Asking, openQuestions } from "../answer.ts";
import { type Bosun, createBosun } from "../bosun.ts";
import { systemClock } from "../clock.ts";
import { BosunError } from "../error.ts";
import { isJson, type Json, parseJson } from "../json.ts";
import type { RunPhase } from "../orchestration/durable/engine.ts";
import type { RunEvent } from "../orchestration/run/event.ts";
import { createRunLog } from "../orchestration/run/log.ts";
import { readDecision } from "../orchestration/tool/approval.ts";
import { commandName, dataFlag } from "./command-name.ts";
import { EXIT } from "./failure.ts";
import { fullRunId, journalOf } from "./find-run.ts";
import { awaitedNames, openWaits, type OpenWait } from "./open-wait.ts";
import { type Terminal, writeLines } from "./terminal.ts";

export type TellFlags = {
  readonly json?: boolean | undefined;
  readonly data?: string | undefined;
  readonly reason?: string | undefined;
};

/**
 * Gives a run what it waits for.
 * @param name The name of a question, the end of one, or "approval" for the only open one; or the event that a flow waits for, or will.
 * @param value JSON: for a question { "ok": true, "edit"?: … } or { "ok": false, "reason": "…" }.
 * @returns the exit code: 1 when it changed nothing.
 */
export async function signalRun(
  id: string,
  given: { readonly name: string; readonly value: string },
  flags: TellFlags,
  terminal: Terminal,
): Promise<number> {
  return withBosun(flags, terminal, async (bosun) => {
    const runId = await fullRunId(bosun, id);
    const events = await eventsOf(bosun, runId);
    const open = openQuestions(events);
    const journal = await journalOf(bosun);
    const record = await journal.find(runId);
    if (record?.endedAt !== undefined)
      return tellEnded(flags, terminal, { runId, name: given.name, phase: record.phase });
    const waits = openWaits(events, await journal.steps(runId));
    const isWaiting = waits.some(({ name }) => name === given.name);
    const meant = meantBy(given.name, open);
    const isOwn = isWaiting && !open.some(({ name: asked }) => asked === given.name);
    // What is given early is kept; names with "/" or ":" are questions' only.
    const isEarly = meant.length === 0 && !/[/:]/.test(given.name);
    const isEvent = events[0]?.type === "flow-start" && (isOwn || isEarly);
    const { name, value } = isEvent
      ? { name: given.name, value: readEvent(given.value) }
      : { name: questionNamed({ open, waits }, given.name, runId), value: readAnswer(given.value) };
    const isTaken = await journal.send(runId, name, value);
    const others = waits.filter((wait) => wait.name !== name);
    const note =
      isEvent && !isWaiting ? ` Nothing waits for it yet: it is kept.${nowAwaited(others)}` : "";
    const said = isTaken
      ? `Run ${runId} has the answer to ${name}.${note}${await adviceFor(bosun, runId, flags)}`
      : `Run ${runId} has an answer to ${name} already, or does not wait for it any more.${nowAwaited(others)}`;
    tell(flags, terminal, { runId, name, isTaken }, said);
    return isTaken ? EXIT.done : EXIT.failed;
  });
}

/** What else can be given now; nothing when nothing can. */
function nowAwaited(waits: readonly OpenWait[]): string {
  const names = awaitedNames(waits);
  return names === undefined ? "" : ` It waits for ${names}.`;
}

type EndedRun = {
  readonly runId: string;
  readonly name: string;
  readonly phase: RunPhase;
};

function tellEnded(flags: TellFlags, terminal: Terminal, ended: EndedRun): number {
  const { runId, name, phase } = ended;
  tell(flags, terminal, { runId, name, isTaken: false, phase }, endedText(runId, phase));
  return EXIT.failed;
}

function endedText(runId: string, phase: RunPhase | undefined): string {
  return `Run ${runId} has ended already: it is ${phase}.`;
}

/** @throws BosunError `usage`. */
function readAnswer(text: string): Json {
  const decision = readDecision(parseJson(text));
  if (decision) return decision;
  throw new BosunError(
    "usage",
    `the answer must be JSON: {"ok":true}, {"ok":true,"edit":…} or {"ok":false,"reason":"…"}, got ${text}`,
  );
}

/** What a flow waits for may be any JSON. @throws BosunError `usage`. */
function readEvent(text: string): Json {
  const value = parseJson(text);
  if (isJson(value)) return value;
  throw new BosunError("usage", `what a flow waits for is given as JSON, got ${text}`);
}

/** Ends a run as cancelled. @returns the exit code: 1 when it had ended. */
export async function cancelRun(id: string, flags: TellFlags, terminal: Terminal): Promise<number> {
  return withBosun(flags, terminal, async (bosun) => {
    const runId = await fullRunId(bosun, id);
    const journal = await journalOf(bosun);
    const reason = flags.reason ?? "cancelled by bosun runs cancel";
    const isCancelled = await journal.cancel(runId, reason);
    const phase = (await journal.find(runId))?.phase;
    if (isCancelled && phase === "cancelled") await tellEnd(bosun, runId, reason);
    const said = isCancelled
      ? `Run ${runId} ${phase === "cancelled" ? "is cancelled" : "is told to end"}.`
      : endedText(runId, phase);
    tell(flags, terminal, { runId, isCancelled, phase }, said);
    return isCancelled ? EXIT.done : EXIT.failed;
  });
}

/** The end of a run that nobody executes is told by who ended it. */
async function tellEnd(bosun: Bosun, runId: string, reason: string): Promise<void> {
  const store = await bosun.store();
  if (store === undefined) return;
  const log = createRunLog({
    runId,
    clock: systemClock,
    record: store.record,
    stored: store.resume(runId),
  });
  const error = new BosunError("run/cancelled", reason).toJSON();
  log.emit([], { type: "run-end", status: "cancelled", raw: log.state.raw, error });
  await log.flushed();
}

async function eventsOf(bosun: Bosun, runId: string): Promise<readonly RunEvent[]> {
  return (await bosun.store())?.events(runId) ?? [];
}

/** For whoever types it: a question's whole name is long. */
function questionNamed(
  { open, waits }: { readonly open: readonly Asking[]; readonly waits: readonly OpenWait[] },
  typed: string,
  runId: string,
): string {
  const meant = meantBy(typed, open);
  const [only, ...others] = meant;
  if (only && others.length === 0) return only.name;
  const names = open.map(({ name }) => name).join(", ") || "none";
  const why = only
    ? `"${typed}" can be ${meant.length} questions`
    : `has no open question "${typed}"`;
  const events = awaitedNames(waits.filter(({ asking }) => asking === undefined));
  const more = events === undefined ? "" : `. It waits for ${events} too`;
  throw new BosunError("usage", `run ${runId}: ${why}. Its open questions: ${names}${more}`);
}

function meantBy(typed: string, open: readonly Asking[]): readonly Asking[] {
  const exact = open.filter(({ name }) => name === typed);
  if (exact.length > 0) return exact;
  return open.filter(
    ({ name }) =>
      typed === "approval" || name.endsWith(`/${typed}`) || name.startsWith(`${typed}/`),
  );
}

async function adviceFor(bosun: Bosun, runId: string, { data }: TellFlags): Promise<string> {
  const record = await (await journalOf(bosun)).find(runId);
  const isExecuted = record?.isExecuted === true;
  const command = `${commandName()} runs resume ${runId}${dataFlag(data)}`;
  return isExecuted ? "" : ` Nobody executes it now: ${command}`;
}

function tell({ json }: TellFlags, { out }: Terminal, report: object, said: string): void {
  if (json) out.write(`${JSON.stringify(report)}\n`);
  else writeLines(out, [said]);
}

async function withBosun(
  { data }: TellFlags,
  { env, clock }: Terminal,
  work: (bosun: Bosun) => Promise<number>,
): Promise<number> {
  const bosun = createBosun({ data, fleet: false, env: env(), clock });
  try {
    return await work(bosun);
  } finally {
    await bosun.close();
  }
}

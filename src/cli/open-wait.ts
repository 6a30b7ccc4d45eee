// What a run that has not ended waits for: questions to people, and what a flow waits for from outside. Pure.

import { type Asking, openQuestions, WAIT } from "../answer.ts";
import type { StepRecord } from "../orchestration/durable/engine.ts";
import type { RunEvent } from "../orchestration/run/event.ts";
import type { RunState } from "../orchestration/run/state.ts";
import { crewPlace, taskOf } from "../orchestration/run/task-path.ts";
import { askedLines } from "./ask.ts";
import { commandName, dataFlag } from "./command-name.ts";
import { duration } from "./number.ts";
import type { Paint } from "./paint.ts";
import { oneLine } from "./width.ts";

/** One thing that a run waits for. */
export type OpenWait = {
  /** What it is given under. */
  readonly name: string;
  /** The question; undefined for what a flow's `waitFor` waits for. */
  readonly asking: Asking | undefined;
  /** When its time is over, in milliseconds since 1970; undefined where that is not known. */
  readonly until: number | undefined;
  /** It was given while nobody executed the run, which takes it when it goes on. */
  readonly isGiven: boolean;
};

/** What a run's journal and events say that it waits for: questions first. Nothing for one that has ended. */
export function openWaits(
  events: readonly RunEvent[],
  steps: readonly StepRecord[],
): readonly OpenWait[] {
  const asked = new Map(openQuestions(events).map((asking) => [asking.name, asking]));
  const waits = steps.flatMap(({ key, status, until, isGiven = false }): readonly OpenWait[] => {
    const name = key.slice(WAIT.length);
    const asking = asked.get(name);
    const isQuestion = name.includes("/"); // what waitFor waits for has no such name
    if (status !== "begun" || !key.startsWith(WAIT) || (isQuestion && !asking)) return [];
    return [{ name, asking, until: until ?? (asking && asking.at + asking.timeoutMs), isGiven }];
  });
  const { questions = [], others = [] } = Object.groupBy(waits, ({ asking }) =>
    asking ? "questions" : "others",
  );
  return [...questions, ...others];
}

/** What of a run's steps and tasks only waits, by name, with what for. */
export function waitingParts(
  { steps, tasks }: Pick<RunState, "steps" | "tasks">,
  waits: readonly OpenWait[],
  isWaiting: boolean,
): Readonly<Record<string, string>> {
  const asking = new Set(
    waits.flatMap(({ asking: asked }) => {
      if (!asked) return [];
      const [call = ""] = crewPlace(asked.path);
      return [call.replace(/~\d+(?:\.\d+)?$/, ""), taskOf(asked.path) ?? ""];
    }),
  );
  const parts = [...Object.values(steps), ...Object.values(tasks)];
  return Object.fromEntries(
    parts.flatMap(({ name, status }) => {
      if (status !== "running" || !(isWaiting || asking.has(name))) return [];
      return [[name, asking.has(name) ? "asks a person" : "waits"]];
    }),
  );
}

/** Where a run is, for the commands that lines tell. */
type Shown = {
  readonly runId: string;
  readonly data: string | undefined;
  readonly now: number;
  readonly paint: Paint;
};

/** What is waited for, each with the command that gives it; nothing when nothing is. */
export function waitLines(waits: readonly OpenWait[], shown: Shown): readonly string[] {
  const { runId, data, paint } = shown;
  const open = waits.filter(({ isGiven }) => !isGiven);
  const given = waits.filter(({ isGiven }) => isGiven).map(({ name }) => oneLine(name));
  return [
    ...(open.length > 0 ? [paint("bold", "waits for")] : []),
    ...open.flatMap((wait) => [
      ...linesOf(wait, shown).map((line) => `  ${line}`),
      `    ${paint("dim", signalCommand(wait, open, shown))}`,
    ]),
    ...(given.length > 0
      ? [
          `${given.join(", ")}: given, and taken when the run goes on: ${commandName()} runs resume ${runId}${dataFlag(data)}`,
        ]
      : []),
    ...(waits.length > 0 ? [""] : []),
  ];
}

function linesOf({ name, asking, until }: OpenWait, { now, paint }: Shown): readonly string[] {
  const left = until === undefined ? "" : leftOf(until - now);
  if (!asking)
    return [left === "" ? oneLine(name) : `${oneLine(name)} ${paint("dim", `(${left})`)}`];
  const otherwise = asking.onTimeout === "approve" ? "approved" : "rejected";
  return askedLines(
    asking,
    paint("dim", `(${[left, `else ${otherwise}`].filter(Boolean).join(", ")})`),
  );
}

/** A run that nobody executes notices the end of a time when it goes on. */
function leftOf(ms: number): string {
  return ms > 0 ? `${duration(ms)} left` : "its time is over";
}

/** The command that gives it, ready to be typed. */
function signalCommand(
  { name, asking }: OpenWait,
  open: readonly OpenWait[],
  { runId, data }: Pick<Shown, "runId" | "data">,
): string {
  const value = asking ? '{"ok":true}' : "<JSON>";
  const typed = asking ? shortName(name, open) : name;
  return `${commandName()} runs signal ${runId} ${quoted(typed)} '${value}'${dataFlag(data)}`;
}

/** The beginning of a question's name, where it is no other's. */
function shortName(name: string, open: readonly OpenWait[]): string {
  const [first = name] = name.split("/");
  return open.filter((other) => other.name.startsWith(`${first}/`)).length === 1 ? first : name;
}

/** As a shell reads it. */
function quoted(text: string): string {
  return /^[\w:~./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** The same as data. */
export function toWaitReport({ name, asking, until, isGiven }: OpenWait): object {
  const { seq: _seq, at: _at, replayed: _replayed, ...asked } = asking ?? {};
  return { name, until, isGiven, ...(asking ? { question: asked } : {}) };
}

/** What is awaited and not given, by name, for a line; undefined when nothing is. */
export function awaitedNames(waits: readonly OpenWait[]): string | undefined {
  const names = waits.flatMap(({ name, isGiven }) => (isGiven ? [] : [oneLine(name)]));
  return names.length === 0 ? undefined : names.join(", ");
}

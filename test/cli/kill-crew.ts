// What the tests of killed runs share: a crew file, a server that answers each of its calls by what it holds, and ways to kill.

import { join } from "node:path";
import { openSqliteEngine } from "../../src/orchestration/durable/sqlite/engine.ts";
import type { RunEvent } from "../../src/orchestration/run/event.ts";
import { applyEvents, EMPTY_RUN } from "../../src/orchestration/run/state.ts";
import { openStore } from "../../src/service/store/store.ts";
import { startFaultServer, type FaultServer } from "../../src/test/fault-server.ts";
import type { ReceivedRequest } from "../../src/test/received-request.ts";
import {
  chunk,
  DONE,
  finishChunk,
  streamReply,
  textReply,
  usageChunk,
  type WireReply,
} from "../../src/test/wire-reply.ts";
import { type ProcessOptions, startBosun } from "./bosun-process.ts";

/** An event as `--json` prints it. */
export type ToldEvent = Readonly<Record<string, unknown>> & {
  readonly type: string;
  readonly seq: number;
  readonly path: readonly string[];
  readonly replayed: boolean;
};

/** Answers calls by their name: `facts#0` is the first call of the task whose description begins with JOB-facts. */
export type Answers = Readonly<Record<string, WireReply>>;

/** The names of the calls that a server got, in order. */
export function namesOf(server: FaultServer, from: number = 0): readonly string[] {
  return server.calls.slice(from).map(nameOf);
}

/** A call's name: its task, and how many answers its conversation has already. */
export function nameOf({ body }: ReceivedRequest): string {
  // `as`: the command sent it
  const { messages } = body as { readonly messages: readonly Record<string, unknown>[] };
  const asked = messages.filter(({ role }) => role === "user").map(({ content }) => content);
  const task = /JOB-(\w+)/.exec(asked.join("\n"))?.[1] ?? "?";
  return `${task}#${messages.filter(({ role }) => role === "assistant").length}`;
}

/** A server with an answer to each call; `change` may replace one. */
export function startAnswering(
  answers: Answers,
  change: (answer: WireReply, index: number, name: string) => WireReply = (answer) => answer,
): Promise<FaultServer> {
  return startFaultServer({
    replies(request, index) {
      const name = nameOf(request);
      const answer = answers[name];
      if (answer === undefined) throw new Error(`the test has no answer to ${name}`);
      return change(answer, index, name);
    },
  });
}

/** An answer that calls one tool. */
export function callReply(name: string, given: object): WireReply {
  const call = { name, arguments: JSON.stringify(given) };
  return streamReply(
    chunk({ tool_calls: [{ index: 0, id: "c1", type: "function", function: call }] }),
    finishChunk("tool_calls"),
    usageChunk(),
    DONE,
  );
}

/** Three tasks: one that calls a tool, one whose first answer a guardrail refuses, one whose answer has a shape. */
export const THREE_TASKS = `
import { agent, crew, task, tool } from "bosun";
import { z } from "zod";
const url = process.env.SERVER_URL;
// In the life that is killed the run does not come to its end.
const afterKickoff = () => process.env.HOLD ? new Promise(() => undefined) : undefined;
const model = { type: "endpoint", url, usdPerMillionTokens: { input: 1, output: 2, date: "2026-11" } };
const look = tool({
  name: "look", description: "Looks a word up",
  parameters: { type: "object", properties: { word: { type: "string" } }, required: ["word"] },
  run: ({ word }) => word + " is found",
});
const someone = (role, more = {}) => agent({ role, goal: "work", model, ...more });
const facts = task({ name: "facts", description: "JOB-facts about {topic}", expectedOutput: "facts", agent: someone("Reader", { tools: [look] }) });
const text = task({
  name: "text", description: "JOB-text", expectedOutput: "text", agent: someone("Writer"), context: [],
  guardrail: ({ raw }) => raw.includes("good") ? { ok: true } : { ok: false, reason: "say good" },
});
const grade = task({ name: "grade", description: "JOB-grade", expectedOutput: "a grade", agent: someone("Judge"), context: PROCESS_CONTEXT, output: z.object({ grade: z.number() }) });
export const inputs = { topic: "sails" };
export default crew({ name: "report", process: "PROCESS", tasks: [facts, text, grade], hooks: { afterKickoff } });
`;

export function threeTasks(process: "sequential" | "parallel"): string {
  const context = process === "sequential" ? "undefined" : "[]";
  return THREE_TASKS.replace("PROCESS_CONTEXT", context).replace("PROCESS", process);
}

export const THREE_ANSWERS: Answers = {
  "facts#0": callReply("look", { word: "sail" }),
  "facts#1": textReply("two facts"),
  "text#0": textReply("bad text"),
  "text#1": textReply("a good text"),
  "grade#0": textReply('{"grade":', " 1}"),
};

/** A manager who gives a piece of his task to a coworker, who calls a tool. */
export const HIERARCHY = `
import { agent, crew, task, tool } from "bosun";
// In the life that is killed the run does not come to its end.
const afterKickoff = () => process.env.HOLD ? new Promise(() => undefined) : undefined;
const model = { type: "endpoint", url: process.env.SERVER_URL, usdPerMillionTokens: { input: 1, output: 2, date: "2026-11" } };
const look = tool({
  name: "look", description: "Looks a word up",
  parameters: { type: "object", properties: { word: { type: "string" } }, required: ["word"] },
  run: ({ word }) => word + " is found",
});
const reader = agent({ role: "Reader", goal: "read", model, tools: [look] });
const boss = agent({ role: "Boss", goal: "lead", model, allowDelegation: true });
const lead = task({ name: "lead", description: "JOB-lead", expectedOutput: "text" });
export default crew({ name: "house", process: "hierarchical", agents: [reader], manager: boss, tasks: [lead], hooks: { afterKickoff } });
`;

export const HIERARCHY_ANSWERS: Answers = {
  "lead#0": callReply("delegate_work", { coworker: "Reader", task: "JOB-piece", context: "none" }),
  "piece#0": callReply("look", { word: "sail" }),
  "piece#1": textReply("the piece"),
  "lead#1": textReply("the whole"),
};

/** Runs the command with --json until its n-th event of a type, and kills it with -9 there. @returns what it had told. */
export async function killAtEvent(
  args: readonly string[],
  options: ProcessOptions,
  { type, n }: { readonly type: string; readonly n: number },
): Promise<readonly ToldEvent[]> {
  await using bosun = startBosun([...args, "--json"], options);
  await bosun.told((out) => toldIn(out).filter((event) => event.type === type).length >= n);
  bosun.kill("SIGKILL");
  return toldIn((await bosun.ended).out);
}

/** The whole lines of `--json`. */
export function toldIn(out: string): readonly ToldEvent[] {
  const lines = out.slice(0, out.lastIndexOf("\n") + 1).split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as ToldEvent); // `as`: RunEvents
}

/** The names of the calls whose answers a run has kept, by the keys of its steps. */
export async function keptCalls(id: string, cwd: string): Promise<readonly string[]> {
  await using journal = openSqliteEngine(join(cwd, ".bosun"));
  const steps = await journal.steps(id);
  return steps
    .filter(({ status }) => status === "done")
    .flatMap(({ key }) => {
      const [, task = "", turn] = /task:(\w+).*?\/turn:(\d+)$/.exec(key) ?? [];
      return turn === undefined
        ? []
        : [`${key.includes("/agent:") ? "piece" : task}#${Number(turn) - 1}`];
    });
}

/** A run as the store has it, without times and without the order in which things at once were told. */
export function storedRun(id: string, cwd: string): unknown {
  const store = openStore(join(cwd, ".bosun"));
  const [summary, events] = [store.find(id), store.events(id)];
  store.close();
  const told = events.map((event) => ({ ...event, seq: 0 }));
  const sorted = told.toSorted((one, other) => place(one).localeCompare(place(other)));
  return withoutTimes({ summary, state: applyEvents(EMPTY_RUN, events), events: sorted });
}

function place({ path, type }: RunEvent): string {
  return `${path.join("/")} ${type}`;
}

const TIMES = new Set(["startedAt", "endedAt", "busyMs", "at", "timings", "runId", "seq"]);

function withoutTimes(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (key, one: unknown) => (TIMES.has(key) ? undefined : one)),
  );
}

// What the tests of runs whose process is killed share: crews in files, a server that answers by the task and holds one call up, and
// what must be equal afterwards.

import { readFileSync } from "node:fs";
import { isObject, type Json } from "../../src/json.ts";
import type { RunEvent } from "../../src/orchestration/run/event.ts";
import { openStore } from "../../src/service/store/store.ts";
import {
  chunk,
  DONE,
  errorReply,
  type FaultServer,
  finishChunk,
  head,
  type ReceivedRequest,
  STALL,
  startFaultServer,
  streamReply,
  textReply,
  usageChunk,
  type WireReply,
  write,
} from "../../src/test/index.ts";
import { runBosun, startBosun } from "./bosun-process.ts";

/** A tool, a guardrail that refuses once, a schema that is not met at first, and a file: six model calls. */
export const THREE_TASKS = `
import { appendFileSync } from "node:fs";
import { agent, crew, task, tool } from "bosun";
const look = tool({
  name: "look", description: "Looks a word up",
  parameters: { type: "object", properties: { word: { type: "string" } }, required: ["word"] },
  run: ({ word }) => { appendFileSync("looked.txt", word + "\\n"); return "found " + word; },
});
const facts = task({ name: "facts", description: "Do FACTS", expectedOutput: "facts",
  agent: agent({ role: "Reader", goal: "read", tools: [look] }) });
const text = task({ name: "text", description: "Do TEXT about {topic}", expectedOutput: "text",
  agent: agent({ role: "Checker", goal: "check" }),
  guardrail: ({ raw }) => raw.includes("good") ? { ok: true } : { ok: false, reason: "say good" } });
const sum = task({ name: "sum", description: "Do SUM", expectedOutput: "JSON", outputFile: "out/sum.json",
  agent: agent({ role: "Writer", goal: "write" }),
  output: { type: "object", properties: { title: { type: "string" } }, required: ["title"] } });
export const inputs = { topic: "ships" };
export default crew({ name: "report", tasks: [facts, text, sum] });
`;

/** What is said to a task's n-th call. */
export type Answers = Readonly<Record<string, readonly WireReply[]>>;

export const THREE_ANSWERS: Answers = {
  FACTS: [callReply("look", { word: "sail" }), textReply("the facts")],
  TEXT: [textReply("bad"), textReply("good text")],
  SUM: [textReply("no json"), textReply('{"title":"T"}')],
};

/** An answer that calls a tool. */
export function callReply(tool: string, args: Json): WireReply {
  const call = { name: tool, arguments: JSON.stringify(args) };
  return streamReply(
    chunk({ tool_calls: [{ index: 0, id: "c1", type: "function", function: call }] }),
    finishChunk("tool_calls"),
    usageChunk(),
    DONE,
  );
}

/** The beginning of an answer that never ends. */
export const HALF: WireReply = [head(), write(chunk({ content: "half" })), STALL];

/** A server of which a test says which call it holds up, by its place among all calls, and whether it is down. */
export type HeldServer = FaultServer & {
  readonly hold: { call?: number | undefined; isDown?: boolean };
};

/** Answers by the mark "Do X" of a call's task, and by how often its conversation was answered before. */
export async function serverOf(answers: Answers): Promise<HeldServer> {
  const hold: HeldServer["hold"] = {};
  const server = await startFaultServer({
    replies: (request, index) => {
      if (hold.isDown) return errorReply(503, "down");
      return index === hold.call ? HALF : answerTo(request, answers);
    },
  });
  return Object.assign(server, { hold });
}

function answerTo(request: ReceivedRequest, answers: Answers): WireReply {
  const { mark, turn } = placeOf(request);
  const list = answers[mark] ?? [];
  return list[turn] ?? list.at(-1) ?? textReply(`no answer for ${mark}`);
}

/** Which task a call is for, and how many answers its conversation has. */
function placeOf({ body }: ReceivedRequest): { readonly mark: string; readonly turn: number } {
  const messages = isObject(body) && Array.isArray(body["messages"]) ? body["messages"] : [];
  const texts = messages.map((message) => JSON.stringify(message));
  const said = texts.filter((text) => text.includes('"role":"user"')).join("");
  const marks = [...said.matchAll(/Do ([A-Z]+)/g)].map(([, mark = ""]) => mark);
  return {
    mark: marks.at(-1) ?? "",
    turn: texts.filter((text) => text.includes('"role":"assistant"')).length,
  };
}

/** Each call's task and turn, as "FACTS 1", in the order in which the calls came. */
export function placesOf({ calls }: FaultServer): readonly string[] {
  return calls.map((request) => {
    const { mark, turn } = placeOf(request);
    return `${mark} ${turn}`;
  });
}

/** Runs a command, and kills its process with -9 as soon as the server holds up its n-th call (from 0). */
export async function killAtCall(
  server: HeldServer,
  n: number,
  {
    cwd,
    args = ["run", ".", "--run-id", "r1", "--model", server.url],
  }: { readonly cwd: string; readonly args?: readonly string[] },
): Promise<void> {
  const call = server.calls.length + n;
  server.hold.call = call;
  await using bosun = startBosun(args, { cwd });
  await server.received(call);
  bosun.kill("SIGKILL");
  await bosun.ended;
  server.hold.call = undefined;
}

/** The events that the store has of a run. */
export function storedEvents(cwd: string, runId = "r1"): readonly RunEvent[] {
  const store = openStore(`${cwd}/.bosun`);
  try {
    return store.events(runId);
  } finally {
    store.close();
  }
}

const TIMES: ReadonlySet<string> = new Set(["at", "seq", "replayed", "timings"]);
const REPORT_TIMES: ReadonlySet<string> = new Set(["startedAt", "endedAt", "busyMs"]);

/** Events as texts without times and folders, in an order of their own. What only the repeat of a call in flight adds is left out. */
export function comparable(events: readonly RunEvent[], cwd: string): readonly string[] {
  const seen = new Set<string>();
  for (const event of events) {
    if (event.type === "model-start" && event.attempt > 1) continue;
    const text = JSON.stringify(event, (key, part: unknown) => (TIMES.has(key) ? undefined : part));
    seen.add(text.replaceAll(cwd, "CWD"));
  }
  return [...seen].toSorted();
}

/** What `runs show --json` reports: result, usage, costs by task, agent and model; without times. */
export async function reportOf(cwd: string, runId = "r1"): Promise<unknown> {
  const { out } = await runBosun(["runs", "show", runId, "--json"], { cwd });
  return JSON.parse(out.replaceAll(cwd, "CWD"), (key, part: unknown) =>
    REPORT_TIMES.has(key) ? undefined : part,
  );
}

export function linesOf(path: string): readonly string[] {
  return readFileSync(path, "utf8").trimEnd().split("\n");
}

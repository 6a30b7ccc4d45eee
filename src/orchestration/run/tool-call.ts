// One tool call inside a run: the person who is asked first, the step around the tool runner, and the facts about it.

import type { Durable } from "../durable/durable.ts";
import type { ToolOutcome } from "../tool/run.ts";
import type { Tool } from "../tool/tool.ts";
import { afterCall, type AskedCall, type CallOutcome } from "./call-hook.ts";
import type { Reading } from "./input-tool.ts";
import { askPermit } from "./permit.ts";
import type { World } from "./world.ts";

/** Most characters of a call's arguments, and of its result, that an event shows. */
const SHOWN = 2_000;

/** What the call came to. Rejects only when the run is aborted. */
export async function callTool(
  d: Durable,
  world: World,
  asked: AskedCall & {
    readonly tools: readonly Tool[];
    /** Notes what the call has read of long inputs. */
    readonly reading: Reading | undefined;
  },
): Promise<CallOutcome> {
  const { call, tools } = asked;
  const tool = tools.find(({ name }) => name === call.tool);
  if (!tool) {
    const outcome = await told(d, world, asked, async () => unknownTool(call.tool, tools));
    return afterCall(d, world, asked, outcome);
  }
  const permit = await askPermit(d, world, asked, tool);
  if (permit.type === "refused") return permit.outcome; // its question tells it
  const made = { ...asked, call: { ...call, arguments: permit.arguments } };
  const outcome = await told(d, world, made, () => runTool(d, world, made, tool));
  if (outcome.type === "done") asked.reading?.note(call.id, tool.name, outcome.value);
  return afterCall(d, world, made, permit.isEdited ? withNote(outcome, permit.arguments) : outcome);
}

/** Says in the log that a call is made, and what it came to. */
async function told(
  d: Durable,
  world: World,
  { call, path, agent }: AskedCall,
  work: () => Promise<ToolOutcome>,
): Promise<ToolOutcome> {
  const { log } = world.runOf(d.runId);
  log.emit(path, { type: "tool-start", agent, tool: call.tool, arguments: shown(call.arguments) });
  const outcome = await work();
  const content = shown(outcome.content);
  const end = { type: "tool-end", agent, tool: call.tool, content } as const;
  if (outcome.type === "done") {
    const { tokens, truncated, cached } = outcome;
    log.emit(path, { ...end, status: "done", tokens, truncated, cached });
  } else {
    const error = { code: outcome.code, message: outcome.message, retryable: false };
    const nothing = { tokens: 0, truncated: false, cached: false };
    log.emit(path, { ...end, status: "failed", ...nothing, error });
  }
  return outcome;
}

async function runTool(
  d: Durable,
  world: World,
  { call, path }: AskedCall,
  tool: Tool,
): Promise<ToolOutcome> {
  const { tools: runner } = world.runOf(d.runId);
  let isRun = false;
  const outcome = await d.step(path.join("/"), (step) => {
    isRun = true;
    const context = { runId: d.rootId, key: `${d.rootId}/${step.key}`, signal: step.signal };
    return world.clock.external(runner.run(tool, call.arguments, context));
  });
  if (!isRun) runner.note(tool, call.arguments, outcome); // an earlier process has run it
  return outcome;
}

/** The model asked for something else, and must not take the result for that one's. */
function withNote<Outcome extends CallOutcome>(outcome: Outcome, args: string): Outcome {
  const note = `A person changed the arguments of this call to ${args}.`;
  return { ...outcome, content: `${note}\n${outcome.content}` };
}

function unknownTool(name: string, tools: readonly Tool[]): ToolOutcome {
  const names = tools.map((tool) => tool.name).join(", ") || "none";
  const message = `there is no tool "${name}". The tools are: ${names}`;
  return { type: "failed", code: "tool/unknown", message, content: `Error: ${message}` };
}

function shown(text: string): string {
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}

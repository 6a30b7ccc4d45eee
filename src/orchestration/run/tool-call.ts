// One tool call inside a run: the step around the tool runner, and the facts about it.

import type { ToolCall } from "../../inference/model/message.ts";
import type { Path } from "../../inference/model/model.ts";
import type { Durable } from "../durable/durable.ts";
import type { ToolOutcome } from "../tool/run.ts";
import type { Tool } from "../tool/tool.ts";
import type { World } from "./world.ts";

/** Most characters of a call's arguments that an event shows. */
const SHOWN_ARGUMENTS = 2_000;

/** What the call came to. Rejects only when the run is aborted. */
export async function callTool(
  d: Durable,
  world: World,
  asked: {
    readonly call: ToolCall;
    readonly path: Path;
    readonly agent: string;
    readonly tools: readonly Tool[];
  },
): Promise<ToolOutcome> {
  const { call, path, agent, tools } = asked;
  const { log, tools: runner } = world.runOf(d.rootId);
  const shown =
    call.arguments.length > SHOWN_ARGUMENTS
      ? `${call.arguments.slice(0, SHOWN_ARGUMENTS)}…`
      : call.arguments;
  log.emit(path, { type: "tool-start", agent, tool: call.tool, arguments: shown });
  const tool = tools.find(({ name }) => name === call.tool);
  const outcome = tool
    ? await d.step(path.join("/"), (step) =>
        world.clock.external(
          runner.run(tool, call.arguments, {
            runId: d.rootId,
            key: `${d.rootId}/${step.key}`,
            signal: step.signal,
          }),
        ),
      )
    : unknownTool(call.tool, tools);
  if (outcome.type === "done") {
    const { tokens, truncated, cached } = outcome;
    log.emit(path, {
      type: "tool-end",
      agent,
      tool: call.tool,
      status: "done",
      tokens,
      truncated,
      cached,
    });
  } else {
    const error = { code: outcome.code, message: outcome.message, retryable: false };
    log.emit(path, {
      type: "tool-end",
      agent,
      tool: call.tool,
      status: "failed",
      tokens: 0,
      truncated: false,
      cached: false,
      error,
    });
  }
  return outcome;
}

function unknownTool(name: string, tools: readonly Tool[]): ToolOutcome {
  const names = tools.map((tool) => tool.name).join(", ");
  const message = `there is no tool "${name}". The tools are: ${names}`;
  return { type: "failed", code: "tool/unknown", message, content: `Error: ${message}` };
}

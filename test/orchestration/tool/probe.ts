// Tools, contexts and runners for the tests of the runner.

import { createVirtualClock, systemClock, type VirtualClock } from "../../../src/clock.ts";
import type { JsonObject } from "../../../src/json.ts";
import { validate } from "../../../src/schema.ts";
import {
  createToolRunner,
  type ToolOutcome,
  type ToolRunner,
} from "../../../src/orchestration/tool/run.ts";
import {
  type Tool,
  tool,
  type ToolContext,
  type ToolOptions,
} from "../../../src/orchestration/tool/tool.ts";

const ANYTHING: JsonObject = { type: "object" };
// Loads the validator: a virtual clock does not wait for files that are read, and a tool's time would be over before its turn.
await validate(ANYTHING, {});

export function toolOf(
  run: ToolOptions<JsonObject>["run"],
  options: Partial<ToolOptions<JsonObject>> = {},
): Tool {
  return tool({
    name: "probe",
    description: "A tool of the tests.",
    parameters: ANYTHING,
    run,
    ...options,
  });
}

export function contextOf(signal: AbortSignal = new AbortController().signal): ToolContext {
  return { runId: "run", key: "run/step", signal };
}

export function runnerOf({
  cache = false,
  clock = createVirtualClock(),
}: { cache?: boolean; clock?: VirtualClock } = {}): ToolRunner {
  return createToolRunner({ clock, cache });
}

export function runOnce(probe: Tool, text: string = "{}"): Promise<ToolOutcome> {
  return runnerOf().run(probe, text, contextOf());
}

/** In real time: for tools that wait for files and sockets, which a virtual clock would not wait for. */
export function runForReal(probe: Tool, text: string): Promise<ToolOutcome> {
  return createToolRunner({ clock: systemClock, cache: false }).run(probe, text, contextOf());
}

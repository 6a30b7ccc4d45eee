// Bosun as a contender: the three-agent crew, and its model client alone.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/clock.ts";
import {
  agent,
  type Bosun,
  createBosun,
  crew,
  type Endpoint,
  endpoint,
  type RunnableCrew,
  task,
} from "../../src/index.ts";
import { createEndpointModel } from "../../src/inference/model/client.ts";
import type { Model, ModelRequest } from "../../src/inference/model/model.ts";
import type { Brief, Ready } from "./contender.ts";

/** The crew of a brief on one endpoint, with its store on or off; `read` reads every event of every run. */
export async function createBosunCrew(
  brief: Brief,
  options: { readonly store: boolean; readonly read: boolean },
): Promise<Ready> {
  const bosun = createBosun({
    data: options.store ? temporaryFolder() : false,
    env: {},
    model: endpointOf(brief),
  });
  const report = defineReport(brief, bosun);
  if (!options.read) return { run: async () => (await report.kickoff()).raw };
  return {
    async run() {
      let text = "";
      for await (const event of report.stream()) {
        if (event.type === "task-start") text = "";
        if (event.type === "model-delta") text += event.text;
      }
      return text;
    },
  };
}

/** Researcher, writer, reviewer; each task sees the one before it. */
export function defineReport({ agents }: Pick<Brief, "agents">, bosun: Bosun): RunnableCrew {
  const [first, second, third] = agents;
  const research = task({ ...textsOf(first), agent: agent(whoIs(first)), context: [] });
  const write = task({ ...textsOf(second), agent: agent(whoIs(second)), context: [research] });
  const review = task({ ...textsOf(third), agent: agent(whoIs(third)), context: [write] });
  return crew({ name: "report", tasks: [research, write, review], process: "sequential", bosun });
}

/** The endpoint of a brief, with all that Bosun would otherwise ask for. */
export function endpointOf({ base, model }: Pick<Brief, "base" | "model">): Endpoint {
  return endpoint({ url: base, model, dialect: "vllm", maxModelLen: 32_768, maxConnections: 1_024 });
}

/** Bosun's model client without a crew around it. */
export async function createBosunClient(brief: Brief): Promise<Ready> {
  const model: Model = createEndpointModel({
    endpoint: endpointOf(brief),
    clock: systemClock,
    env: {},
  });
  const [{ system, ask }] = brief.agents;
  const request: ModelRequest = {
    models: [endpointOf(brief)],
    messages: [
      { role: "system", content: system },
      { role: "user", content: ask("") },
    ],
    settings: {},
    hints: {
      runId: "bench",
      path: [],
      purpose: "work",
      remainingCalls: undefined,
    },
  };
  const { signal } = new AbortController();
  return {
    async run() {
      let text = "";
      for await (const event of model.call(request, signal))
        if (event.type === "end") text = event.text;
      return text;
    },
  };
}

/** A folder that is removed when the process ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "bosun-bench-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

type Canned = Brief["agents"][number];

function textsOf({ task: name, description, expectedOutput }: Canned): {
  readonly name: string;
  readonly description: string;
  readonly expectedOutput: string;
} {
  return { name, description, expectedOutput };
}

function whoIs({ name, role, goal, backstory }: Canned): {
  readonly name: string;
  readonly role: string;
  readonly goal: string;
  readonly backstory: string;
} {
  return { name, role, goal, backstory };
}

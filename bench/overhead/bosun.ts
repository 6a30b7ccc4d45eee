// Bosun as a contender: the three-agent crew, and its model client alone.

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/clock.ts";
import {
  agent,
  createBosun,
  crew,
  type Endpoint,
  endpoint,
  type RunResult,
  task,
  type RunEvent,
} from "../../src/index.ts";
import { createEndpointModel } from "../../src/inference/model/client.ts";
import type { Model, ModelRequest } from "../../src/inference/model/model.ts";
import type { Brief, Ready } from "./contender.ts";

/** The parts of Bosun that define and run a crew. */
type Library = Pick<typeof import("../../src/index.ts"), "agent" | "createBosun" | "crew" | "endpoint" | "task">;

const SOURCE: Library = { agent, createBosun, crew, endpoint, task };

/** A crew that needs no inputs. */
export type Report = {
  readonly kickoff: () => Promise<RunResult>;
  readonly stream: () => AsyncGenerator<RunEvent>;
};

export type ReportOptions = {
  readonly store: boolean;
  /** Sockets that Bosun may open. Default 1,024. */
  readonly maxConnections?: number;
  /** Default: the source. */
  readonly library?: Library;
};

/** The crew of a brief on one endpoint, with its store on or off; `read` reads every event of every run. */
export async function createBosunCrew(
  brief: Brief,
  options: { readonly store: boolean; readonly read: boolean },
): Promise<Ready> {
  const report = defineReport(brief, options);
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
export function defineReport(brief: Brief, options: ReportOptions): Report {
  const { store, maxConnections, library = SOURCE } = options;
  const [first, second, third] = brief.agents;
  const bosun = library.createBosun({
    data: store ? temporaryFolder() : false,
    env: {},
    model: endpointOf(brief, maxConnections),
  });
  const by = (canned: Canned): ReturnType<typeof agent> => library.agent(whoIs(canned));
  const research = library.task({ ...textsOf(first), agent: by(first), context: [] });
  const write = library.task({ ...textsOf(second), agent: by(second), context: [research] });
  const review = library.task({ ...textsOf(third), agent: by(third), context: [write] });
  const tasks = [research, write, review] as const;
  const report = library.crew({ name: "report", tasks, process: "sequential", bosun });
  return {
    kickoff: () => report.kickoff({ inputs: {} }),
    stream: () => report.stream({ inputs: {} }),
  };
}

/** Bosun as `npm run build` has made it, or undefined: what a user's process loads. */
export async function loadBuilt(): Promise<Library | undefined> {
  const url = new URL("../../dist/index.js", import.meta.url);
  if (!existsSync(url)) return undefined;
  return (await import(url.href)) as Library; // `as`: built from the source that the type is of
}

/** The endpoint of a brief, with all that Bosun would otherwise ask for. */
function endpointOf({ base, model }: Brief, maxConnections = 1_024): Endpoint {
  return endpoint({ url: base, model, dialect: "vllm", maxModelLen: 32_768, maxConnections });
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

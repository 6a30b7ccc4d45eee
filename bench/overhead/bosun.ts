// Bosun as a contender: the three-agent crew, and its model client alone.
//
// Bosun comes in by a dynamic import, so that a process can take the source or what `npm run build` has made, and not both.

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type * as Bosun from "../../src/index.ts";
import type { ModelRequest } from "../../src/inference/model/model.ts";
import type { Brief, Ready } from "./contender.ts";

/** Bosun's public surface. */
export type Library = typeof Bosun;

/** src = the checkout's TypeScript; dist = the JavaScript that a package holds. */
export type Build = "src" | "dist";

/** A crew that needs no inputs. */
export type Report = {
  readonly kickoff: () => Promise<Bosun.RunResult>;
  readonly stream: () => AsyncGenerator<Bosun.RunEvent>;
};

export type ReportOptions = {
  readonly store: boolean;
  /** Sockets that Bosun may open. */
  readonly maxConnections?: number;
};

/** Bosun's URL in the checkout; undefined when it was not built. */
export function bosunUrl(build: Build): string | undefined {
  const path = build === "src" ? "../../src/index.ts" : "../../dist/index.js";
  const url = new URL(path, import.meta.url);
  return existsSync(url) ? url.href : undefined;
}

/** Loads Bosun. @throws Error when it was not built. */
export async function loadBosun(build: Build): Promise<Library> {
  const url = bosunUrl(build);
  if (url === undefined) throw new Error("there is no dist/: npm run build makes it");
  return (await import(url)) as Library; // `as`: both are made from the source that the type is of
}

/** The crew of a brief on one endpoint, with its store on or off; `read` reads every event of every run. */
export async function createBosunCrew(
  brief: Brief,
  options: ReportOptions & { readonly read: boolean },
): Promise<Ready> {
  const report = defineReport(await loadBosun("src"), brief, options);
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
export function defineReport(bosun: Library, brief: Brief, options: ReportOptions): Report {
  const { store, maxConnections } = options;
  const [first, second, third] = brief.agents;
  const home = bosun.createBosun({
    data: store ? temporaryFolder() : false,
    env: {},
    model: endpointOf(bosun, brief, maxConnections),
  });
  const research = bosun.task({ ...textsOf(first), agent: agentOf(bosun, first), context: [] });
  const write = bosun.task({
    ...textsOf(second),
    agent: agentOf(bosun, second),
    context: [research],
  });
  const review = bosun.task({ ...textsOf(third), agent: agentOf(bosun, third), context: [write] });
  const tasks = [research, write, review] as const;
  const report = bosun.crew({ name: "report", tasks, process: "sequential", bosun: home });
  return {
    kickoff: () => report.kickoff({ inputs: {} }),
    stream: () => report.stream({ inputs: {} }),
  };
}

/** Bosun's model client without a crew around it. */
export async function createBosunClient(brief: Brief): Promise<Ready> {
  const { createEndpointModel } = await import("../../src/inference/model/client.ts");
  const { systemClock } = await import("../../src/clock.ts");
  const endpoint = endpointOf(await loadBosun("src"), brief);
  const model = createEndpointModel({ endpoint, clock: systemClock, env: {} });
  const [{ system, ask }] = brief.agents;
  const request: ModelRequest = {
    models: [endpoint],
    messages: [
      { role: "system", content: system },
      { role: "user", content: ask("") },
    ],
    settings: {},
    hints: { runId: "bench", path: [], purpose: "work", remainingCalls: undefined },
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

/** The endpoint of a brief, with all that Bosun would otherwise ask for. */
function endpointOf(bosun: Library, { base, model }: Brief, maxConnections = 256): Bosun.Endpoint {
  return bosun.endpoint({
    url: base,
    model,
    dialect: "vllm",
    maxModelLen: 32_768,
    maxConnections,
  });
}

type Canned = Brief["agents"][number];

function agentOf(bosun: Library, { name, role, goal, backstory }: Canned): Bosun.Agent {
  return bosun.agent({ name, role, goal, backstory });
}

function textsOf({
  task: name,
  description,
  expectedOutput,
}: Canned): Pick<Canned, "description" | "expectedOutput" | "name"> {
  return { name, description, expectedOutput };
}

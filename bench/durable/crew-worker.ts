// Crews through Bosun, on a model in process, with a journal or without one.

import { AGENTS, REPLY } from "../overhead/canned.ts";
import { loadBosun, temporaryFolder } from "../overhead/bosun.ts";
import { answerParent } from "../overhead/child.ts";
import { localModel } from "../overhead/local-model.ts";

/** How a Bosun keeps things. */
export type Keeping = "nothing" | "events" | "journal" | "journal, power";

export type CrewBurst = { readonly runs: number; readonly concurrency: number };
export type CrewResult = { readonly cpuMs: number; readonly wallMs: number };

let kickoff: (() => Promise<{ readonly raw: string; readonly runId: string }>) | undefined;
let stepsOf: ((runId: string) => Promise<number>) | undefined;

answerParent({
  async open(keeping: Keeping): Promise<void> {
    const { agent, crew, createBosun, task } = await loadBosun("src");
    const home = createBosun({
      env: {},
      model: localModel(),
      data: keeping === "nothing" ? false : temporaryFolder(),
      ...(keeping === "nothing" ? {} : { engine: keeping === "events" ? "inline" : "sqlite" }),
      ...(keeping === "journal, power" ? { durability: "power" } : {}),
    });
    const tasks = AGENTS.map(({ name, role, goal, backstory, task: title, ...texts }) =>
      task({
        name: title,
        description: texts.description,
        expectedOutput: texts.expectedOutput,
        agent: agent({ name, role, goal, backstory }),
      }),
    );
    const report = crew({ name: "report", tasks, process: "sequential", bosun: home });
    kickoff = () => report.kickoff({ inputs: {} });
    stepsOf = async (runId) => (await (await home.journal())?.steps(runId))?.length ?? 0;
  },
  async burst({ runs, concurrency }: CrewBurst): Promise<CrewResult> {
    const startedAt = performance.now();
    const before = process.cpuUsage();
    let started = 0;
    const lane = async (): Promise<void> => {
      while (started < runs) {
        started++;
        const result = await kickoff?.();
        if (result?.raw !== REPLY) throw new Error("a run came to another text");
      }
    };
    await Promise.all(Array.from({ length: concurrency }, lane));
    const { user, system } = process.cpuUsage(before);
    const wallMs = performance.now() - startedAt;
    return { cpuMs: (user + system) / 1_000 / runs, wallMs: wallMs / runs };
  },
  /** Kept steps of a run. */
  async steps(): Promise<number> {
    const result = await kickoff?.();
    return (await stepsOf?.(result?.runId ?? "")) ?? 0;
  },
});

// Runs made by chance from a seed: crews of any shape on models that answer, call tools, fail, stall and cost something each time.
// For properties that must hold in every run.

import { type Bosun } from "../../../src/bosun.ts";
import { crew, type RunnableCrew } from "../../../src/crew.ts";
import { BosunError } from "../../../src/error.ts";
import type { Model, ModelRequest } from "../../../src/inference/model/model.ts";
import type { Usage } from "../../../src/inference/model/usage.ts";
import type { Agent } from "../../../src/orchestration/crew/agent.ts";
import type { OnError, Task } from "../../../src/orchestration/crew/task.ts";
import { tool } from "../../../src/orchestration/tool/tool.ts";
import { createVirtualClock } from "../../../src/clock.ts";
import { bosunOf, job, seeded, worker } from "./scenario.ts";

/** A run that has not begun. `spent` = what its models have said that each call cost, by agent. */
export type RandomRun = {
  readonly crew: RunnableCrew<readonly Task<string, never, string>[], "continue" | "fail-fast">;
  readonly bosun: Bosun;
  readonly spent: readonly { readonly agent: string; readonly usage: Usage }[];
  readonly controller: AbortController;
};

type Random = () => number;

/** The same run for the same seed. */
export function randomRun(seed: number, options: { readonly cancels?: boolean } = {}): RandomRun {
  const random = seeded(seed);
  const clock = createVirtualClock({ auto: true });
  const spent: { readonly agent: string; readonly usage: Usage }[] = [];
  const controller = new AbortController();
  const look = tool({
    name: "look",
    description: "Looks",
    parameters: { type: "object" },
    run: () => "seen",
  });
  const agents = Array.from({ length: whole(random, 1, 3) }, (_, n) =>
    worker(`agent${n}`, {
      tools: random() < 0.6 ? [look] : [],
      maxIterations: whole(random, 1, 3),
      model: pick(random, [["one"], ["one", "two"], ["two", "one", "three"]] as const),
    }),
  );
  const tasks = randomTasks(random, agents);
  const cancelAt = options.cancels && random() < 0.4 ? whole(random, 1, 6) : Infinity;
  let calls = 0;
  const onCall = (): void => {
    if (++calls === cancelAt) controller.abort();
  };
  const model = costlyModel({ random, onCall, spent, agentOf: agentOfTask(tasks) });
  const bosun = bosunOf(model, { clock, models: { one: model, two: model, three: model } });
  return {
    crew: crew({
      name: "random",
      tasks,
      process: random() < 0.5 ? "parallel" : "sequential",
      policy: random() < 0.5 ? "continue" : "fail-fast",
      timeoutMs: 60_000,
      bosun,
    }),
    bosun,
    spent,
    controller,
  };
}

function randomTasks(
  random: Random,
  agents: readonly Agent<never>[],
): readonly Task<string, never, string>[] {
  const tasks: Task<string, never, string>[] = [];
  for (let n = whole(random, 1, 6); n > 0; n--) {
    const onError = pick<OnError>(random, [
      "fail",
      "retry",
      "partial",
      job(`instead${n}`, { agent: pick(random, agents) }),
    ]);
    const context = tasks.filter(() => random() < 0.4);
    tasks.push(
      job(`task${tasks.length}`, {
        agent: pick(random, agents),
        onError,
        async: random() < 0.3,
        ...(random() < 0.5 ? { context } : {}),
      }),
    );
  }
  return tasks;
}

/** Who does a call, found by its path as a reader of events would. */
function agentOfTask(tasks: readonly Task[]): (request: ModelRequest) => string {
  return ({ hints }) => {
    const [first = "", second = ""] = hints.path;
    const task = tasks.find(
      ({ name }) => name === first.replace(/^task:/, "").replace(/~\d+$/, ""),
    );
    const isStandIn = second.startsWith("task:") && typeof task?.onError === "object";
    const agent = isStandIn && typeof task.onError === "object" ? task.onError.agent : task?.agent;
    return typeof agent === "object" ? agent.name : "";
  };
}

type Costly = {
  readonly random: Random;
  readonly onCall: () => void;
  readonly spent: { readonly agent: string; readonly usage: Usage }[];
  readonly agentOf: (request: ModelRequest) => string;
};

/** Says what each call cost, however it ends: in the answer, or in the error's details. */
function costlyModel({ random, onCall, spent, agentOf }: Costly): Model {
  return {
    async *call(request, signal) {
      onCall();
      const usage = randomUsage(random);
      const pay = (): Usage => {
        spent.push({ agent: agentOf(request), usage });
        return usage;
      };
      const fail = (code: "model/cancelled" | "model/server" | "model/bad-request"): BosunError =>
        new BosunError(code, "as the seed says", {
          retryable: code === "model/server",
          details: { text: "so far", usage: pay() },
        });
      const [chance, pauses] = [random(), whole(random, 0, 4)];
      yield { type: "start", endpoint: "e", model: "m", attempt: 1 };
      yield { type: "text-delta", text: "so far" };
      for (let pause = 0; pause < pauses; pause++) {
        await Promise.resolve();
        if (signal.aborted) throw fail("model/cancelled");
      }
      if (signal.aborted) throw fail("model/cancelled");
      if (chance < 0.15) throw fail("model/server");
      if (chance < 0.2) throw new BosunError("model/unreachable", "free", { retryable: true });
      if (chance < 0.3) throw fail("model/bad-request");
      const calls =
        request.tools && chance < 0.5 ? [{ id: "1", tool: "look", arguments: "{}" }] : [];
      yield {
        type: "end",
        text: calls.length > 0 || chance > 0.95 ? "" : `answer ${chance}`,
        reasoning: "",
        calls,
        finish: { unified: "stop", raw: "stop" },
        usage: pay(),
        timings: { queueMs: 0, firstTokenMs: 1, totalMs: 2 },
        endpoint: "e",
        model: "m",
      };
    },
    contextTokens: async () => undefined,
  };
}

function randomUsage(random: Random): Usage {
  return {
    input: {
      total: whole(random, 1, 1_000),
      cached: random() < 0.5 ? whole(random, 0, 50) : undefined,
    },
    output: {
      total: whole(random, 1, 100),
      reasoning: random() < 0.3 ? whole(random, 0, 9) : undefined,
    },
    source: random() < 0.8 ? "server" : "estimated",
  };
}

function whole(random: Random, least: number, most: number): number {
  return least + Math.floor(random() * (most - least + 1));
}

function pick<T>(random: Random, list: readonly T[]): T {
  const found = list[Math.floor(random() * list.length)];
  if (found === undefined) throw new Error("an empty list");
  return found;
}

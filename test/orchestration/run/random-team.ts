// Teams made by chance from a seed: managers and peers that delegate to anybody, right and wrong, on models that answer, call tools,
// fail and cost something each time; guardrails, judges, plans, conditions, and people who say yes, no, something else or nothing.
// For properties that must hold in every run.

import { crew, type RunnableCrew } from "../../../src/crew.ts";
import { BosunError } from "../../../src/error.ts";
import type { Model, ModelRequest } from "../../../src/inference/model/model.ts";
import type { ToolCall } from "../../../src/inference/model/message.ts";
import type { Usage } from "../../../src/inference/model/usage.ts";
import type { Agent } from "../../../src/orchestration/crew/agent.ts";
import type { Guardrail } from "../../../src/orchestration/crew/guardrail.ts";
import type { Task } from "../../../src/orchestration/crew/task.ts";
import type { Decision } from "../../../src/orchestration/tool/approval.ts";
import { tool } from "../../../src/orchestration/tool/tool.ts";
import { createVirtualClock } from "../../../src/clock.ts";
import type { RunOptions } from "../../../src/run-option.ts";
import { bosunOf, costing, job, seeded, worker } from "./scenario.ts";

/** A run that has not begun. */
export type RandomTeam = {
  readonly crew: RunnableCrew<readonly Task<string, never, string>[], "continue" | "fail-fast">;
  readonly options: Pick<RunOptions, "signal" | "onAsk">;
  /** What the model has said that each call cost. */
  readonly spent: readonly { readonly usage: Usage }[];
};

type Random = () => number;
const NAMES = ["A", "B", "C", "D"] as const;

/** The same run for the same seed. */
export function randomTeam(seed: number): RandomTeam {
  const random = seeded(seed);
  const controller = new AbortController();
  const spent: { usage: Usage }[] = [];
  const isLed = random() < 0.6;
  const agents = NAMES.slice(0, whole(random, 2, 4)).map((name) => randomAgent(random, name));
  const cancelAt = random() < 0.2 ? whole(random, 1, 12) : Infinity;
  let calls = 0;
  const model = randomModel(random, (usage) => {
    spent.push({ usage });
    if (++calls === cancelAt) controller.abort();
  });
  const tasks = Array.from({ length: whole(random, 1, 3) }, (_, n) =>
    randomTask(random, `task${n}`, agents),
  );
  const made = crew({
    name: "random",
    tasks,
    agents,
    process: isLed ? "hierarchical" : pick(random, ["sequential", "parallel"] as const),
    policy: pick(random, ["continue", "fail-fast"] as const),
    planning: random() < 0.3,
    ...(isLed || agents.some(({ allowDelegation }) => allowDelegation)
      ? {
          maxDelegations: whole(random, 1, 6),
          maxParallelDelegations: whole(random, 1, 3),
          maxDelegationDepth: whole(random, 1, 3),
        }
      : {}),
    hooks: random() < 0.3 ? randomHooks(random) : {},
    timeoutMs: 60_000,
    bosun: bosunOf(model, { clock: createVirtualClock({ auto: true }) }),
  });
  return {
    crew: made,
    options: { signal: controller.signal, onAsk: () => decision(random) },
    spent,
  };
}

function randomAgent(random: Random, name: string): Agent<never> {
  const look = tool({
    name: "look",
    description: "Looks",
    parameters: { type: "object" },
    run: () => "seen",
    approval: random() < 0.3,
  });
  return worker(name, {
    allowDelegation: random() < 0.5,
    maxIterations: whole(random, 1, 4),
    tools: random() < 0.5 ? [look] : [],
  });
}

function randomTask(
  random: Random,
  name: string,
  agents: readonly Agent<never>[],
): Task<string, never, string> {
  const isOk = random() < 0.9;
  const guardrails: readonly Guardrail[] = [
    ({ raw }) => (raw.length % 5 > 0 ? { ok: true } : { ok: false, reason: "unlucky length" }),
    "It is good.",
  ];
  return job(name, {
    agent: pick(random, agents),
    ...(random() < 0.4 ? { guardrail: guardrails.slice(0, whole(random, 1, 2)) } : {}),
    ...(random() < 0.3 ? { when: () => isOk } : {}),
    ...(random() < 0.3 ? { humanInput: { timeoutMs: 5_000, onTimeout: "approve" } } : {}),
    onError: pick(random, ["fail", "retry", "partial"] as const),
  });
}

function randomHooks(random: Random) {
  const maybe = () => {
    const chance = random();
    if (chance < 0.1) throw new Error("as the seed says");
    return chance < 0.2 ? { block: "as the seed says" } : undefined;
  };
  return { beforeToolCall: maybe, afterToolCall: maybe, onStep: () => undefined };
}

function decision(random: Random): Decision | undefined {
  const chance = random();
  if (chance < 0.4) return { ok: true };
  if (chance < 0.6) return { ok: true, edit: "{}" };
  return chance < 0.8 ? { ok: false, reason: "as the seed says" } : undefined;
}

type Pay = (usage: Usage) => void;

function randomModel(random: Random, pay: Pay): Model {
  return {
    async *call(request, signal) {
      const usage = costing(whole(random, 1, 1_000), whole(random, 1, 100));
      const chance = random();
      const pauses = whole(random, 0, 3);
      yield { type: "start", endpoint: "e", model: "m", attempt: 1 };
      pay(usage);
      const details = { text: "so far", usage };
      for (let pause = 0; pause < pauses; pause++) await Promise.resolve();
      if (signal.aborted) throw new BosunError("model/cancelled", "cut", { details });
      if (chance < 0.08) throw new BosunError("model/bad-request", "as the seed says", { details });
      const calls = chance < 0.6 ? randomCalls(random, request) : [];
      yield {
        type: "end",
        text: calls.length > 0 ? "" : textOf(random, request),
        reasoning: "",
        calls,
        finish: { unified: "stop", raw: "stop" },
        usage,
        timings: { queueMs: 0, firstTokenMs: 1, totalMs: 2 },
        endpoint: "e",
        model: "m",
      };
    },
    contextTokens: async () => undefined,
  };
}

function textOf(random: Random, { hints }: ModelRequest): string {
  if (hints.purpose === "guardrail")
    return pick(random, ['{"ok":true}', '{"ok":true}', '{"ok":false,"reason":"r"}', "well"]);
  if (hints.purpose === "plan") return pick(random, ['{"plans":[]}', "no plan"]);
  return random() < 0.05 ? "" : `answer ${"x".repeat(whole(random, 0, 9))}`;
}

function randomCalls(random: Random, { tools = [] }: ModelRequest): readonly ToolCall[] {
  if (tools.length === 0) return [];
  return Array.from({ length: whole(random, 1, 4) }, (_, n): ToolCall => {
    const named = pick(random, [...tools.map(({ name }) => name), "unknown"]);
    const given = {
      coworker: pick(random, [...NAMES, "Nobody"]),
      task: "a piece",
      question: "a question",
      context: "",
      id: `d${whole(random, 1, 4)}`,
      reasons: "r",
    };
    return { id: `${n}`, tool: named, arguments: random() < 0.05 ? "{" : JSON.stringify(given) };
  });
}

function whole(random: Random, least: number, most: number): number {
  return least + Math.floor(random() * (most - least + 1));
}

function pick<T>(random: Random, list: readonly [T, ...T[]] | readonly T[]): T {
  const found = list[Math.floor(random() * list.length)];
  if (found === undefined) throw new Error("an empty list");
  return found;
}

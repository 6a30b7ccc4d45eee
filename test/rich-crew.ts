// Crews made by chance from a seed, with everything that a run can have: managers, delegation, tools, guardrails, judges, conditions,
// schemas, people, hooks, plans, long inputs, summaries, budgets. For what must hold however often a run is interrupted.
//
// Everything that comes from outside (a model's answer, a tool's result, a person's decision) follows from the seed and from the
// place in the run where it is asked for, never from the order in which things are asked for.

import { BosunError } from "../src/error.ts";
import type { ModelRequest } from "../src/inference/model/model.ts";
import type { Usage } from "../src/inference/model/usage.ts";
import type { Agent } from "../src/orchestration/crew/agent.ts";
import { type Crew, defineCrew } from "../src/orchestration/crew/crew.ts";
import type { Hooks } from "../src/orchestration/crew/hook.ts";
import type { Task } from "../src/orchestration/crew/task.ts";
import type { Decision, Nobody, Question } from "../src/orchestration/tool/approval.ts";
import { type Tool, tool } from "../src/orchestration/tool/tool.ts";
import { seedOf } from "../src/random.ts";
import type { Script, ScriptedCall, ScriptedReply } from "../src/test/scripted-model.ts";
import { costing, job, seeded, worker } from "./orchestration/run/scenario.ts";

/** A run that can be begun any number of times, and its surroundings. */
export type RichCrew = {
  readonly crew: Crew;
  readonly inputs: Readonly<Record<string, string>>;
  readonly script: Script;
  readonly onAsk: (question: Question) => Decision | Nobody;
  readonly contextTokens: number;
};

type Random = () => number;
const NAMES = ["A", "B", "C"] as const;
/** What the models say that they can take: long inputs and outputs do not fit. */
const CONTEXT = 2_500;

/** The same for the same seed. */
export function richCrew(seed: number): RichCrew {
  const random = seeded(seed);
  const process = pick(random, ["sequential", "parallel", "hierarchical"] as const);
  const agents = NAMES.slice(0, whole(random, 2, 3)).map((name) => randomAgent(random, name));
  const tasks: Task<string, never, string>[] = [];
  for (let n = whole(random, 1, 4); n > 0; n--) tasks.push(randomTask(random, tasks, agents));
  // What is cut off when something beside it fails, or takes the last of the budget, depends on which was faster.
  const isWide = process === "parallel" || tasks.some((one) => one.async);
  const isTeam = process === "hierarchical" || agents.some((one) => one.allowDelegation);
  const crew = defineCrew({
    name: "rich",
    tasks,
    agents,
    process,
    policy: isWide ? "continue" : pick(random, ["continue", "fail-fast"] as const),
    planning: random() < 0.3,
    fit: pick(random, ["cut", "summary"] as const),
    inlineTokens: 200,
    ...(isTeam ? { maxDelegations: whole(random, 1, 5), maxDelegationDepth: 2 } : {}),
    hooks: random() < 0.4 ? randomHooks(seed) : {},
    ...(random() < 0.5 && !isWide && !isTeam
      ? { limits: { tokensPerRun: whole(random, 3_000, 20_000) } }
      : {}),
  });
  return {
    crew,
    inputs: { about: "long ".repeat(random() < 0.5 ? 400 : 4) },
    script: scriptOf(seed),
    onAsk: ({ name }) => decisionOf(at(seed, name)),
    contextTokens: CONTEXT,
  };
}

/** Numbers that follow from a place alone. */
function at(seed: number, place: string): Random {
  return seeded(seedOf(`${seed} ${place}`));
}

function randomAgent(random: Random, name: string): Agent<never> {
  return worker(name, {
    allowDelegation: random() < 0.4,
    maxIterations: whole(random, 1, 3),
    tools: random() < 0.6 ? [lookWith(random() < 0.3)] : [],
  });
}

function lookWith(approval: boolean): Tool {
  return tool({
    name: "look",
    description: "Looks",
    parameters: { type: "object" },
    run: (args) => `seen ${JSON.stringify(args).length}`,
    approval,
  });
}

const SHAPE = {
  type: "object",
  properties: { text: { type: "string" } },
  required: ["text"],
} as const;

function randomTask(
  random: Random,
  before: readonly Task<string, never, string>[],
  agents: readonly Agent<never>[],
): Task<string, never, string> {
  const name = `task${before.length}`;
  const isNeeded = random() < 0.8;
  const options = {
    agent: pick(random, agents),
    ...(random() < 0.5 ? { context: before.filter(() => random() < 0.6) } : {}),
    ...(random() < 0.4 ? { guardrail: guardrails(whole(random, 1, 2)) } : {}),
    ...(random() < 0.3 ? { when: () => isNeeded } : {}),
    ...(random() < 0.2 ? { humanInput: { onTimeout: "approve" } as const } : {}),
    ...(random() < 0.3 ? { async: true } : {}),
    onError: pick(random, ["fail", "retry", "partial", job(`instead-of-${name}`)] as const),
  };
  const made = { ...job(name, options), ...(random() < 0.3 ? { output: SHAPE } : {}) };
  return random() < 0.5 ? made : { ...made, description: `${made.description} with {about}` };
}

function unlucky({ raw }: { readonly raw: string }) {
  return raw.length % 4 === 0
    ? ({ ok: false, reason: "unlucky length" } as const)
    : ({ ok: true } as const);
}

function guardrails(count: number) {
  return [unlucky, "It is good."].slice(0, count);
}

function randomHooks(seed: number): Hooks {
  const maybe = (subject: object) => {
    const chance = at(seed, JSON.stringify(subject))();
    if (chance < 0.1) throw new Error("as the seed says");
    return chance < 0.2 ? { block: "as the seed says" } : undefined;
  };
  return {
    beforeKickoff: ({ inputs }) => ({
      inputs: { ...inputs, about: `${JSON.stringify(inputs["about"])} and more` },
    }),
    beforeToolCall: maybe,
    afterToolCall: ({ content }) => ({ content: `${content}!` }),
    onStep: () => undefined,
    afterModelCall: ({ text }) => (text === "" ? undefined : { text: `${text}.` }),
    afterKickoff: ({ raw }) => ({ raw: `${raw} (signed)` }),
  };
}

function decisionOf(random: Random): Decision | Nobody {
  const chance = random();
  if (chance < 0.4) return { ok: true };
  if (chance < 0.5) return { ok: true, edit: '{"text":"edited"}' };
  return chance < 0.8 ? { ok: false, reason: "as the seed says" } : { nobody: "is there" };
}

/** Answers by the place of a call; the first attempt of some fails and is repeated. */
function scriptOf(seed: number): Script {
  const tries = new Map<string, number>();
  const source = "estimated";
  return (request) => {
    const place = request.hints.path.join("/");
    const random = at(seed, place);
    const number = (tries.get(place) ?? 0) + 1;
    tries.set(place, number);
    // Counts of a server teach how a model counts, and that is lost with the process.
    const usage = { ...costing(whole(random, 1, 500), whole(random, 1, 100)), source } as const;
    const details = { text: "so far", usage };
    const chance = random();
    // Side by side, what one that fails cuts off depends on which was faster.
    if (chance < 0.06 && request.hints.purpose !== "summary")
      return new BosunError("model/bad-request", "no", { details });
    if (chance < 0.2 && number === 1)
      return new BosunError("model/server", "again", { retryable: true, details });
    return answerTo(random, request, usage);
  };
}

function answerTo(random: Random, request: ModelRequest, usage: Usage): ScriptedReply {
  const calls = random() < 0.6 ? randomCalls(random, request) : [];
  if (calls.length > 0) return { calls, usage };
  switch (request.hints.purpose) {
    case "guardrail":
      return { text: pick(random, ['{"ok":true}', '{"ok":false,"reason":"r"}', "well"]), usage };
    case "plan":
      return { text: pick(random, ['{"plans":[{"task":"task0","plan":"p"}]}', "none"]), usage };
    default: {
      const text = `answer ${"many words ".repeat(random() < 0.2 ? 900 : whole(random, 0, 9))}`;
      return { text: random() < 0.4 ? JSON.stringify({ text }) : text, usage };
    }
  }
}

function randomCalls(random: Random, { tools = [] }: ModelRequest): readonly ScriptedCall[] {
  if (tools.length === 0) return [];
  return Array.from({ length: whole(random, 1, 3) }, (_, n): ScriptedCall => {
    const named = pick(random, [...tools.map(({ name }) => name), "unknown"]);
    const given = {
      coworker: pick(random, [...NAMES, "Nobody"]),
      task: "a piece",
      question: "a question",
      context: "",
      query: "long",
      id: `d${whole(random, 1, 3)}`,
      reasons: "r",
    };
    return { id: `${n}`, tool: named, arguments: random() < 0.05 ? "{" : given };
  });
}

function whole(random: Random, least: number, most: number): number {
  return least + Math.floor(random() * (most - least + 1));
}

function pick<T>(random: Random, list: readonly T[]): T {
  const found = list[Math.floor(random() * list.length)];
  if (found === undefined) throw new Error("an empty list");
  return found;
}

// Crews of five agents, drawn from a seed: their order, their tools, their guardrails, and when somebody ends them early.

import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../../src/inference/twin/random.ts";
import { type Agent, agent } from "../../src/orchestration/crew/agent.ts";
import { type Crew, defineCrew } from "../../src/orchestration/crew/crew.ts";
import { type Task, task } from "../../src/orchestration/crew/task.ts";
import type { AskHandler } from "../../src/run-option.ts";
import { type Tool, tool, type ToolContext } from "../../src/orchestration/tool/tool.ts";

/** A crew and what its user does with it. */
export type Draft = {
  readonly crew: Crew;
  /** When its user ends it, and how; undefined = never. */
  readonly leave: { readonly afterMs: number; readonly by: "signal" | "cancel" } | undefined;
  /** Events that a reader takes before it stops reading; 0 = nobody reads. */
  readonly readEvents: number;
  /** Who answers the crew's questions; undefined = nobody, until their time is over. */
  readonly onAsk: AskHandler | undefined;
  /** The conversation that it belongs to. */
  readonly session: string | undefined;
};

/**
 * How much faster than real time the service's clock runs, for the same reason as the twins' does: a circuit that stays open for 30 s
 * would outlive the soak. All times below are the clock's.
 */
export const SPEED = 10;

/** Longest that a crew may take: what is not over by then, and the time of an answer after that, hangs. */
export const CREW_TIMEOUT_MS = 400_000;

const NO_ARGUMENTS = { type: "object", properties: {}, additionalProperties: false } as const;

/** The crew of a run. Five agents in each, three of whose tasks need nothing of each other; half have a second model to fall back on. */
export function drawCrew(random: Random, model: string, spare: string): Draft {
  const process = pick(random, ["parallel", "parallel", "sequential", "hierarchical"] as const);
  const isLed = process === "hierarchical";
  const tools = drawTools(random);
  const cast = (role: string, own?: Tool): Agent =>
    agent({
      role,
      goal: `be the ${role}`,
      model: random() < 0.5 ? [model, spare] : model,
      tools: own ? [own] : [],
      maxIterations: 4,
      allowDelegation: !isLed && random() < 0.1,
    });
  const agents: Cast = [
    cast("scout", tools.look),
    cast("reader", tools.fetch),
    cast("counter", tools.count),
    cast("writer", tools.draw),
    cast("editor"),
  ];
  const tasks = drawTasks(random, agents, isLed);
  const crew = defineCrew({
    name: "soak",
    tasks,
    agents,
    process,
    policy: pick(random, ["continue", "fail-fast"] as const),
    cache: random() < 0.3,
    timeoutMs: random() < 0.04 ? 200 + Math.floor(random() * 3_000) : CREW_TIMEOUT_MS,
    ...(isLed ? { managerModel: model, maxDelegations: 3 } : {}),
  });
  return {
    crew,
    leave:
      random() < 0.12
        ? { afterMs: random() * 600, by: random() < 0.5 ? "signal" : "cancel" }
        : undefined,
    readEvents: random() < 0.5 ? 0 : Math.ceil(random() * 60),
    onAsk: drawPerson(random),
    session: random() < 0.2 ? `session-${Math.floor(random() * 20)}` : undefined,
  };
}

/** Scout, reader, counter, writer, editor. */
type Cast = readonly [Agent, Agent, Agent, Agent, Agent];

function drawTasks(random: Random, agents: Cast, isLed: boolean): readonly Task[] {
  const [scout, reader, counter, writer, editor] = agents;
  const gather = [scout, reader, counter].map((one, at) =>
    task({
      name: `gather-${at}`,
      description: `Gather part ${at}. ${"Be exact and brief. ".repeat(1 + Math.floor(random() * 40))}`,
      expectedOutput: "notes",
      agent: one,
      context: [],
      async: !isLed && random() < 0.5,
      timeoutMs: random() < 0.05 ? 500 : 300_000,
      ...(random() < 0.4 ? { onError: "partial" as const } : {}),
    }),
  );
  const write = task({
    name: "write",
    description: "Write it up",
    expectedOutput: "a text",
    agent: writer,
    context: gather,
    ...(random() < 0.5
      ? { guardrail: () => ({ ok: random() < 0.7, reason: "not yet" }), guardrailRetries: 2 }
      : {}),
    ...(random() < 0.5 ? { onError: "retry" as const, retries: 1 } : {}),
  });
  const edit = task({
    name: "edit",
    description: "Judge it",
    expectedOutput: "a verdict",
    agent: editor,
    context: [write],
    output: random() < 0.5 ? VERDICT : undefined,
    humanInput: random() < 0.15 ? drawAsk(random) : undefined,
  });
  return [...gather, write, edit];
}

const VERDICT = {
  type: "object",
  properties: { isGood: { type: "boolean" }, reason: { type: "string" } },
  required: ["isGood", "reason"],
  additionalProperties: false,
} as const;

/** A tool that is quick, one that waits, one that throws, and one that outlives its time. */
function drawTools(random: Random): Readonly<Record<"look" | "fetch" | "count" | "draw", Tool>> {
  return {
    look: {
      ...makeTool("look", 50_000, () => ({
        text: "a fact. ".repeat(1 + Math.floor(random() * 200)),
      })),
      approval: random() < 0.15 ? drawAsk(random) : undefined,
    },
    fetch: makeTool("fetch", 50_000, async (_, { signal }) => {
      await sleep(random() * 40, undefined, { signal });
      return "a page";
    }),
    count: makeTool("count", 50_000, () => {
      if (random() < 0.4) throw new Error("nothing to count");
      return 7;
    }),
    draw: makeTool("draw", 200, async () => {
      await sleep(random() * 40); // goes on after its time, as a tool may that looks at no signal
      return "a picture";
    }),
  };
}

function makeTool(
  name: string,
  timeoutMs: number,
  run: (_: unknown, context: ToolContext) => unknown,
): Tool {
  return tool({
    name,
    description: `The tool ${name}`,
    parameters: NO_ARGUMENTS,
    timeoutMs,
    run,
  });
}

/** Somebody who approves, rejects, fails, says that nobody is there, or does not answer while the question is open. */
function drawPerson(random: Random): AskHandler | undefined {
  const people: readonly [AskHandler | undefined, ...(AskHandler | undefined)[]] = [
    undefined,
    () => ({ ok: true }),
    () => ({ ok: random() < 0.5, reason: "not like this" }),
    () => ({ nobody: "all are at lunch" }),
    () => {
      throw new Error("the pager is broken");
    },
    async (_, { signal }) => {
      await sleep(60_000, undefined, { signal });
      return undefined;
    },
  ];
  return pick(random, people);
}

/** A question that does not wait for long. */
function drawAsk(random: Random): { timeoutMs: number; onTimeout: "approve" | "reject" } {
  return {
    timeoutMs: 200 + Math.floor(random() * 3_000),
    onTimeout: pick(random, ["approve", "reject"]),
  };
}

function pick<T>(random: Random, values: readonly [T, ...T[]]): T {
  return values[Math.floor(random() * values.length)] ?? values[0];
}

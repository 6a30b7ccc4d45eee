// `bosun run --dry-run`: what the run would send, and whether it fits, without a call.

import type { Bosun } from "../bosun.ts";
import type { Crew } from "../orchestration/crew/crew.ts";
import type { Inputs } from "../orchestration/crew/input.ts";
import type { KvDemand, PromptPlan, TaskPrompt } from "../orchestration/run/prompt-plan.ts";
import { EXIT } from "./failure.ts";
import { count, several, usd } from "./number.ts";
import { type Paint, plain } from "./paint.ts";
import { type Cell, type Column, tableLines, type TableOptions } from "./table.ts";
import { type Terminal, writeLines } from "./terminal.ts";
import { oneLine } from "./width.ts";

type DryRun = {
  readonly crew: Crew;
  readonly inputs: Inputs;
  readonly model: string | undefined;
  readonly json: boolean;
};

/** Prints the report. @returns the exit code: 1 when something does not fit. */
export async function dryRun(
  { crew, inputs, model, json }: DryRun,
  bosun: Bosun,
  { out, signal }: Terminal,
): Promise<number> {
  const plan = await bosun.preview(crew, { inputs, model, signal });
  if (json) out.write(`${JSON.stringify(plan)}\n`);
  else {
    const columns = out.isTerminal ? out.columns() : undefined;
    writeLines(out, promptPlanLines(plan, { columns, paint: out.paint }));
  }
  return plan.isFit ? EXIT.done : EXIT.failed;
}

/** The report as lines. */
export function promptPlanLines(plan: PromptPlan, options: TableOptions = {}): readonly string[] {
  const { paint = plain } = options;
  return [
    paint(
      "bold",
      `${plan.crew}: what a run will send. Nothing was called; all tokens are estimated.`,
    ),
    "",
    ...tableLines(COLUMNS, plan.tasks.map(taskRow), options),
    "",
    ...summaryLines(plan, paint),
    ...faultLines(plan, paint),
  ];
}

const COLUMNS: readonly Column[] = [
  { title: "task", flexible: true },
  { title: "agent", flexible: true },
  { title: "model", flexible: true, dropped: 1 },
  { title: "system", align: "right" },
  { title: "tools", align: "right" },
  { title: "context", align: "right" },
  { title: "inputs", align: "right" },
  { title: "task text", align: "right" },
  { title: "prompt", align: "right" },
  { title: "answer ≤", align: "right" },
  { title: "fits", align: "right" },
  { title: "calls", align: "right", dropped: 2 },
];

function taskRow(prompt: TaskPrompt): readonly Cell[] {
  const { task, agent, model, promptTokens, answerTokens, calls } = prompt;
  const of = (kind: string): string => {
    const own = prompt.parts.filter(({ part }) => part === kind || part.startsWith(`${kind}:`));
    return count(own.reduce((sum, { tokens }) => sum + tokens, 0));
  };
  return [
    task,
    agent,
    model,
    of("system"),
    of("tool"),
    of("context"),
    of("inputs"),
    of("task"),
    count(promptTokens),
    count(answerTokens),
    fitCell(prompt),
    span(calls),
  ];
}

function fitCell({ fit }: TaskPrompt): Cell {
  switch (fit.type) {
    case "unknown":
      return { text: "context unknown", style: "dim" };
    case "fits":
      return {
        text: `${count(fit.leftTokens)} left of ${count(fit.contextTokens)}`,
        style: "green",
      };
    case "cut":
      return { text: `${count(fit.cutTokens)} of its context cut`, style: "yellow" };
    case "too-long":
      return {
        text: `${count(fit.excessTokens)} too many for ${count(fit.contextTokens)}`,
        style: "red",
      };
    default:
      return fit satisfies never;
  }
}

function span({ least, most }: TaskPrompt["calls"]): string {
  return least === most ? count(least) : `${count(least)} to ${count(most)}`;
}

function summaryLines(plan: PromptPlan, paint: Paint): readonly string[] {
  const { widest, calls, tokens, cost, inputs, limits, notKnown } = plan;
  const isBounded = limits.tokensPerRun !== undefined || limits.usdPerRun !== undefined;
  const facts: readonly (readonly [string, string])[] = [
    [
      "widest",
      `${several(widest.tasks.length, "task")} at once, ${count(widest.tokens)} tokens: ${widest.tasks.join(", ")}${widest.isExact ? "" : " (by levels: the crew is large)"}`,
    ],
    ...widest.kv.map((demand) => ["KV cache", kvText(demand)] as const),
    [
      "calls",
      `${span(calls)}, with ${count(tokens.least)} tokens at least, ${count(tokens.expected)} expected`,
    ],
    [
      "cost",
      cost.type === "estimated"
        ? `${usd(cost.amount)} estimated`
        : `unknown: no price for ${cost.models.join(", ")}`,
    ],
    ...(isBounded ? [["limits", limitText(plan)] as const] : []),
    ...inputs
      .filter(({ isLarge }) => isLarge)
      .map(
        ({ name, tokens: size }) =>
          [
            "input",
            `${name} is large: ${count(size)} tokens, read in pieces instead of pasted`,
          ] as const,
      ),
    ...notKnown.map((what) => ["not known", what] as const),
  ];
  return facts.map(([name, fact]) => `${paint("dim", name.padEnd(10))}${oneLine(fact)}`);
}

const GIB = 2 ** 30;

function kvText({ model, tokens, bytes }: KvDemand): string {
  const size =
    bytes === undefined
      ? "bytes unknown: the model is not in the catalogue"
      : `${(bytes / GIB).toFixed(2)} GiB in bf16`;
  return `${count(tokens)} tokens at ${model}, ${size}`;
}

function limitText({ limits: { tokensPerRun, usdPerRun } }: PromptPlan): string {
  return [
    ...(tokensPerRun === undefined ? [] : [`${count(tokensPerRun)} tokens`]),
    ...(usdPerRun === undefined ? [] : [usd(usdPerRun)]),
  ].join(", ");
}

/** What makes the exit code 1. */
function faultLines({ tasks, tokens, limits }: PromptPlan, paint: Paint): readonly string[] {
  const tooLong = tasks.flatMap(({ task, fit, promptTokens, answerTokens }) =>
    fit.type === "too-long"
      ? [
          `task ${task} does not fit: its prompt needs ${count(promptTokens)} tokens and its answer up to ${count(answerTokens)}, the context is ${count(fit.contextTokens)}: ${count(fit.excessTokens)} too many after every cut`,
        ]
      : [],
  );
  const { tokensPerRun = Infinity } = limits;
  const over =
    tokens.least > tokensPerRun
      ? [
          `the run needs ${count(tokens.least)} tokens at least, tokensPerRun is ${count(tokensPerRun)}`,
        ]
      : [];
  return [...tooLong, ...over].map((fault) => paint("red", oneLine(fault)));
}

// `bosun run FLOW --dry-run`: how wide a flow gets, its longest chain, and what its crews will send, without a call.

import type { Bosun } from "../bosun.ts";
import type { Crew } from "../orchestration/crew/crew.ts";
import type { Inputs } from "../orchestration/crew/input.ts";
import type { Flow } from "../orchestration/flow/flow.ts";
import { showTrigger } from "../orchestration/flow/trigger.ts";
import { type FlowPlan, planFlow } from "../orchestration/plan/flow.ts";
import type { PromptPlan } from "../orchestration/run/prompt-plan.ts";
import { promptPlanLines } from "./dry-run.ts";
import { EXIT } from "./failure.ts";
import { inputNamesOf } from "./input.ts";
import { count, several } from "./number.ts";
import type { Paint } from "./paint.ts";
import { type Column, tableLines } from "./table.ts";
import { type Terminal, writeLines } from "./terminal.ts";

type DryRun = {
  readonly flow: Flow;
  readonly inputs: Inputs;
  readonly model: string | undefined;
  readonly json: boolean;
};

/** Prints the report. @returns the exit code: 1 when a prompt of a crew does not fit. */
export async function dryRunFlow(
  { flow, inputs, model, json }: DryRun,
  bosun: Bosun,
  { out, signal }: Terminal,
): Promise<number> {
  const plan = planFlow(flow);
  const all = plan.steps.flatMap(({ crews: own }) => own);
  const crews = new Map(all.map((crew) => [crew.name, crew])).values();
  const previews: PromptPlan[] = [];
  for (const crew of crews)
    previews.push(
      await bosun.preview(crew, { inputs: { ...openInputs(crew), ...inputs }, model, signal }),
    );
  const steps = plan.steps.map(({ crews: own, ...step }) => ({
    ...step,
    crews: own.map(({ name }) => name),
  }));
  if (json) out.write(`${JSON.stringify({ flow: flow.name, ...plan, steps, crews: previews })}\n`);
  else {
    const columns = out.isTerminal ? out.columns() : undefined;
    const { paint } = out;
    writeLines(out, [
      ...flowLines(flow, { plan, previews }, { columns, paint }),
      ...previews.flatMap((preview) => ["", ...promptPlanLines(preview, { columns, paint })]),
    ]);
  }
  return previews.every(({ isFit }) => isFit) ? EXIT.done : EXIT.failed;
}

/** An input that a step of the flow makes is not known before: it stands as its own name. */
function openInputs(crew: Crew): Inputs {
  return Object.fromEntries(inputNamesOf(crew).map((name) => [name, `{${name}}`]));
}

const COLUMNS: readonly Column[] = [
  { title: "step", flexible: true },
  { title: "runs at", flexible: true },
  { title: "surely after", flexible: true, dropped: 1 },
  { title: "crews", flexible: true },
  { title: "calls at once", align: "right" },
];

function flowLines(
  flow: Flow,
  { plan, previews }: { readonly plan: FlowPlan; readonly previews: readonly PromptPlan[] },
  options: { readonly columns: number | undefined; readonly paint: Paint },
): readonly string[] {
  const rows = plan.steps.map(({ name, after, crews, calls, width }) => {
    const { on, options: own } = flow.steps[name] ?? { on: undefined, options: {} };
    const shown =
      crews.map((crew) => crew.name).join(", ") || (own.crews === undefined ? "not said" : "none");
    return [
      name,
      on === undefined ? "the start" : showTrigger(on),
      listText(after),
      shown,
      count(calls * width),
    ];
  });
  const { paint } = options;
  return [
    paint(
      "bold",
      `${flow.name}: a flow of ${several(plan.steps.length, "step")}. Nothing was called; all tokens are estimated.`,
    ),
    "",
    ...tableLines(COLUMNS, rows, options),
    "",
    `calls at once  ${widestText(flow, plan)}`,
    ...plan.steps.flatMap(({ name, canRun }) =>
      canRun
        ? []
        : [paint("yellow", `Step ${name} can never run: nothing that it listens to can happen.`)],
    ),
    `longest chain  ${chainText(plan.criticalPath)}`,
    ...(previews.length > 0
      ? [
          `tokens         about ${count(previews.reduce((sum, { tokens }) => sum + tokens.expected, 0))} when each crew is run once`,
        ]
      : []),
    ...(plan.steps.some(({ name }) => flow.steps[name]?.options.crews === undefined)
      ? [
          paint(
            "dim",
            "A step that does not say which crews it runs (option crews) counts as one call at a time, and its tokens are not here.",
          ),
        ]
      : []),
  ];
}

/** Steps that run crews, and apart from them those that may, because they do not say. */
function widestText(flow: Flow, { width, widest }: FlowPlan): string {
  const isSaid = (name: string): boolean => flow.steps[name]?.options.crews !== undefined;
  const said = widest.filter(isSaid);
  const others = widest.filter((name) => !isSaid(name));
  if (widest.length === 0) return "none: no step runs a crew";
  const parts = [
    ...(said.length > 0 ? [listText(said)] : []),
    ...(others.length > 0 ? [`not said: ${listText(others)}`] : []),
  ];
  return `at most ${count(width)}: ${parts.join("; ")}`;
}

/** Most names that a line lists. */
const MAX_NAMED = 10;

function listText(names: readonly string[]): string {
  const left = names.length - MAX_NAMED;
  const shown = names.slice(0, MAX_NAMED).join(", ");
  return left > 0 ? `${shown} and ${count(left)} more` : shown;
}

/** From its first step to its last one. */
function chainText(names: readonly string[]): string {
  if (names.length <= MAX_NAMED) return names.join(" → ");
  const shown = [...names.slice(0, MAX_NAMED - 1), "…", ...names.slice(-1)];
  return `${shown.join(" → ")} (${several(names.length, "step")})`;
}

// What connects the steps of a flow: who emits what, who listens, which steps begin together. Pure.

import { BosunError } from "../../error.ts";
import { isName } from "../crew/option.ts";
import { similarTo } from "../crew/similar.ts";
import type { FlowStep } from "./step.ts";
import { checkTrigger, namesIn, showTrigger } from "./trigger.ts";

type Steps = Readonly<Record<string, FlowStep>>;

/** Most steps of a flow. */
const MAX_STEPS = 1_000;

/** The step behind each event: itself, or the routers that emit the label. */
export function sourcesOf(steps: Steps): ReadonlyMap<string, readonly string[]> {
  const sources = new Map<string, string[]>();
  for (const [name, { kind, labels }] of Object.entries(steps)) {
    for (const event of kind === "router" ? labels : [name])
      sources.set(event, [...(sources.get(event) ?? []), name]);
  }
  return sources;
}

/**
 * Finds what cannot work, before anything runs.
 * @param reduced Fields of the state with a reducer.
 * @throws BosunError `flow/invalid`, with the step's name.
 */
export function checkGraph(where: string, steps: Steps, reduced: readonly string[]): void {
  const names = Object.keys(steps);
  if (names.length === 0 || names.length > MAX_STEPS)
    throw new BosunError(
      "flow/invalid",
      `${where}: it has ${names.length} steps, and takes 1 to ${MAX_STEPS}`,
    );
  for (const [name, step] of Object.entries(steps))
    checkStep(`${where}, step "${name}"`, name, step, steps);
  if (!Object.values(steps).some(({ kind }) => kind === "start"))
    throw new BosunError(
      "flow/invalid",
      `${where}: no step is a start(…), so that nothing would ever run`,
    );
  checkListeners(where, steps);
  checkWrites(where, steps, new Set(reduced));
}

function checkStep(where: string, name: string, step: FlowStep, steps: Steps): void {
  const wrong = isName(name);
  if (wrong !== undefined)
    throw new BosunError("flow/invalid", `${where}: a step's name must be ${wrong}`);
  if (step?.type !== "step" || typeof step.run !== "function")
    throw new BosunError(
      "flow/invalid",
      `${where}: must be what start, listen or router makes, with a function`,
    );
  checkStepOptions(where, step.options);
  if (step.on !== undefined) checkTrigger(where, step.on);
  if (step.kind === "router" && step.labels.length === 0)
    throw new BosunError("flow/invalid", `${where}: a router needs one label at least`);
  for (const label of step.labels) {
    const bad = isName(label);
    if (bad !== undefined)
      throw new BosunError("flow/invalid", `${where}: the label "${label}" must be ${bad}`);
    if (Object.hasOwn(steps, label))
      throw new BosunError(
        "flow/invalid",
        `${where}: its label "${label}" is a step's name too. Give it another one`,
      );
  }
}

const OPTIONS: Readonly<Record<string, (value: unknown) => string | undefined>> = {
  input: (value) => (isThing(value) ? undefined : "a schema"),
  writes: (value) =>
    Array.isArray(value) && value.every((one) => typeof one === "string")
      ? undefined
      : "a list of fields",
  maxCalls: wholeFrom(1),
  retries: wholeFrom(0),
  timeoutMs: wholeFrom(1),
  onError: (value) => (typeof value === "function" ? undefined : "a function"),
  description: (value) => (typeof value === "string" ? undefined : "a text"),
  crews: (value) =>
    Array.isArray(value) &&
    value.every((one) => isThing(one) && "type" in one && one.type === "crew")
      ? undefined
      : "a list of crews",
};

function checkStepOptions(where: string, options: object): void {
  for (const [key, value] of Object.entries(options)) {
    if (value === undefined) continue;
    const check = Object.hasOwn(OPTIONS, key) ? OPTIONS[key] : undefined;
    if (check === undefined)
      throw new BosunError(
        "flow/invalid",
        `${where}: unknown option "${key}". It takes ${Object.keys(OPTIONS).join(", ")}`,
      );
    const expected = check(value);
    if (expected !== undefined)
      throw new BosunError("flow/invalid", `${where}: ${key} must be ${expected}`);
  }
}

/** Every name is an event of this flow, and nothing lets itself run without a bound. */
function checkListeners(where: string, steps: Steps): void {
  const sources = sourcesOf(steps);
  for (const [name, { on, labels, options }] of Object.entries(steps)) {
    if (on === undefined) continue;
    for (const event of namesIn(on)) {
      if (!sources.has(event))
        throw unknownEvent(`${where}, step "${name}"`, event, { steps, sources });
      const isOwn = event === name || labels.includes(event);
      if (isOwn && options.maxCalls === undefined)
        throw new BosunError(
          "flow/invalid",
          `${where}, step "${name}": it listens to ${event === name ? "itself" : `its own label "${event}"`}. Say how often at most: maxCalls`,
        );
    }
  }
}

function unknownEvent(
  where: string,
  event: string,
  { steps, sources }: { readonly steps: Steps; readonly sources: ReadonlyMap<string, unknown> },
): BosunError {
  if (Object.hasOwn(steps, event)) {
    const labels = steps[event]?.labels.join(", ");
    return new BosunError(
      "flow/invalid",
      `${where}: "${event}" is a router: listen to one of its labels, ${labels}`,
    );
  }
  const known = [...sources.keys()];
  const meant = similarTo(event, known);
  const hint = meant === undefined ? "" : ` Did you mean "${meant}"?`;
  return new BosunError(
    "flow/invalid",
    `${where}: it listens to "${event}", but no step has that name and no router that label.${hint} There are ${known.join(", ")}`,
  );
}

/** Two steps that surely begin together: both are starts, or both listen to one event alone. */
function checkWrites(where: string, steps: Steps, reduced: ReadonlySet<string>): void {
  const together = Map.groupBy(Object.entries(steps), ([, { on }]) => {
    if (on === undefined) return "its start";
    return showTrigger(on);
  });
  for (const [event, group] of together) {
    const writers = new Map<string, string>();
    for (const [name, { options }] of group) {
      for (const field of options.writes ?? []) {
        const other = writers.get(field);
        if (other !== undefined && other !== name && !reduced.has(field))
          throw new BosunError(
            "flow/invalid",
            `${where}: steps "${other}" and "${name}" both run at ${event} and both write "${field}". Give the field a reducer, or let one follow the other`,
          );
        writers.set(field, name);
      }
    }
  }
}

/** What is likely to be a mistake. */
export function warningsOf(steps: Steps): readonly string[] {
  const heard = new Set(
    Object.values(steps).flatMap(({ on }) => (on === undefined ? [] : namesIn(on))),
  );
  return Object.entries(steps).flatMap(([name, { labels }]) =>
    labels
      .filter((label) => !heard.has(label))
      .map(
        (label) =>
          `router "${name}" may emit "${label}", which no step listens to: its branch ends there`,
      ),
  );
}

function isThing(value: unknown): value is object {
  return (typeof value === "object" || typeof value === "function") && value !== null;
}

function wholeFrom(least: number): (value: unknown) => string | undefined {
  return (value) =>
    Number.isInteger(value) && Number(value) >= least
      ? undefined
      : `a whole number of at least ${least}`;
}

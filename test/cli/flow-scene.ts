// Flows for the tests of pictures.

import { agent } from "../../src/orchestration/crew/agent.ts";
import { type Crew, defineCrew } from "../../src/orchestration/crew/crew.ts";
import { task } from "../../src/orchestration/crew/task.ts";
import { defineFlow } from "../../src/orchestration/flow/flow.ts";
import { listen, router, start } from "../../src/orchestration/flow/step.ts";
import { and, or } from "../../src/orchestration/flow/trigger.ts";
import type { RunFact, StepEnd } from "../../src/orchestration/run/event.ts";
import type { RunState } from "../../src/orchestration/run/state.ts";
import { fold } from "./event-maker.ts";
import type { PicturedFlow } from "../../src/cli/flow-graph.ts";

const FAULT = {
  code: "tool/failed",
  message:
    'the printer says <b>"no paper"</b> & goes to sleep, which it does on each Friday at five',
  retryable: false,
} as const;

/** What no picture may read as its own syntax. */
export const ODD = `a "b" <i>c</i> ]end[ {x} |y| #35; & 'd' (e) \u0060f\u0060 http://evil.test/x.js`;

function reportCrew(): Crew {
  const writer = agent({ role: "Writer", goal: "write", backstory: "writes" });
  const research = task({
    name: "research",
    description: "Find",
    expectedOutput: "facts",
    agent: writer,
  });
  const write = task({
    name: "write",
    description: "Write",
    expectedOutput: "text",
    agent: writer,
  });
  return defineCrew({ name: "report", tasks: [research, write] });
}

/** A draft that is judged and written again until it is good; two things after it, and one when both are done. */
export const LOOP: PicturedFlow = defineFlow(
  "reports",
  { description: "Writes reports." },
  {
    plan: start(() => "plan", { description: "Reads the order and says what is to be written" }),
    draft: listen(or("plan", "again"), () => "draft", { crews: [reportCrew()] }),
    judge: router("draft", ["again", "good", "hopeless"], () => "good"),
    print: listen("good", () => "printed"),
    send: listen("good", () => "sent"),
    file: listen(and("print", "send"), () => "filed"),
  },
);

/** Joins in joins. */
export const NESTED: PicturedFlow = defineFlow(
  "nested",
  {},
  {
    a: start(() => 1),
    b: start(() => 2),
    c: start(() => 3),
    last: listen(or(and("a", "b"), and("a", or("b", "c"))), () => 4),
  },
);

/** A chain of the most steps that a flow may have. */
export function longFlow(): PicturedFlow {
  const steps = Array.from({ length: 999 }, (_, index) => [
    `s${index + 1}`,
    listen(`s${index}`, () => index),
  ]);
  return defineFlow("long", {}, { s0: start(() => 0), ...Object.fromEntries(steps) });
}

/** As many steps as a flow may have, all of which begin at once and lead to one. */
export function wideFlow(): PicturedFlow {
  const names = Array.from({ length: 999 }, (_, index) => `s${index}`);
  const starts = Object.fromEntries(names.map((name) => [name, start(() => name)]));
  return defineFlow("wide", {}, { ...starts, last: listen(and(...names), () => "last") });
}

/** No flow that `defineFlow` lets through: its names and texts are what no one should write. */
export function oddFlow(): PicturedFlow {
  const crews = [{ ...reportCrew(), name: ODD }];
  return {
    name: ODD,
    options: { description: ODD },
    steps: {
      [ODD]: start(() => 1, { description: ODD, crews }),
      end: router(ODD, [`${ODD} label`, "end-label", "-", "1. one"], () => []),
      style: listen(`${ODD} label`, () => 2),
    },
  };
}

const begin = (step: string, call = 1): RunFact => ({ type: "step-start", step, call });

const end = (step: string, more: Partial<StepEnd> = {}): RunFact => ({
  type: "step-end",
  step,
  call: 1,
  status: "done",
  raw: "",
  labels: [],
  changed: [],
  ...more,
});

const FAILED_FACTS: readonly RunFact[] = [
  {
    type: "flow-start",
    flow: "reports",
    inputs: {},
    steps: ["plan", "draft", "judge", "print", "send", "file"].map((name) => ({
      name,
      kind: "listen",
      on: "",
    })),
  },
  begin("plan"),
  end("plan"),
  begin("draft"),
  { type: "step-retry", by: "retry", step: "draft", call: 1, error: FAULT },
  end("draft"),
  begin("judge"),
  end("judge", { labels: ["again"] }),
  begin("draft", 2),
  end("draft", { call: 2 }),
  begin("judge", 2),
  end("judge", { call: 2, labels: ["good"] }),
  begin("print"),
  begin("send"),
  end("print", { status: "failed", error: FAULT }),
  end("send", { status: "cancelled" }),
  { type: "run-end", status: "failed", raw: "", error: FAULT },
];

/** A run of `LOOP`, a fact each second, that wrote twice and could not print what it had. */
export const FAILED_RUN: RunState = fold(
  FAILED_FACTS.map((fact, index) => ({ at: index * 1_000, fact })),
).state;

// Flows whose runs are interrupted: made by hand, and random ones.

import { and, flow, listen, or, router, start } from "../../src/flow.ts";
import type { Json, JsonObject } from "../../src/json.ts";
import { defineCrew } from "../../src/orchestration/crew/crew.ts";
import type { FlowSteps } from "../../src/orchestration/flow/flow.ts";
import type { FlowContext } from "../../src/orchestration/flow/step.ts";
import type { Program } from "../../src/bosun.ts";
import { createRandom } from "../../src/random.ts";
import { job, taskIn } from "../orchestration/run/scenario.ts";
import type { Scenario } from "./scenario-run.ts";

const script: Scenario["script"] = (request) => `of ${taskIn(request)}`;

/** Two crews at once, a loop, side effects, a person, an event from outside, a retry, an onError, fields that two steps write. */
function report(): Program {
  const facts = defineCrew({ name: "facts", tasks: [job("look"), job("name")] });
  const text = defineCrew({ name: "text", tasks: [job("write")] });
  let failures = 0;
  return flow(
    "report",
    {
      initial: { notes: [] as string[], drafts: 0 },
      reducers: { notes: (now, mine, base) => [...now, ...mine.slice(base.length)] },
      timeoutMs: 60_000,
    },
    {
      research: start(async ({ run, state }) => {
        const { tasks } = await run(facts, { topic: "ships" });
        state.notes.push("research");
        return tasks["name"] ?? null;
      }),
      images: start(async ({ step, state }) => {
        const made = [await step("a", async () => 1), await step("b", async () => 2)];
        state.notes.push("images");
        return made;
      }),
      write: listen(or("research", "again"), async ({ run, state, input, call }) => {
        const { raw } = await run(text, {});
        state.drafts = call;
        return { raw, input };
      }),
      check: router("write", ["good", "again"], async ({ ask, state }) => {
        const { ok } = await ask(`is draft ${state.drafts} good?`);
        return ok ? "good" : "again";
      }),
      paid: listen("images", ({ waitFor }) =>
        waitFor("payment", { timeoutMs: 5, otherwise: "not paid" }),
      ),
      shaky: listen(
        "images",
        async ({ step }) => {
          await step("before", async () => null);
          if (++failures % 2 === 1) throw new Error("shaky");
          return "steady";
        },
        { retries: 1, onError: () => "steady" },
      ),
      publish: listen(and("good", "paid", "shaky"), ({ inputs, state }) => ({
        inputs,
        notes: state.notes.toSorted(),
      })),
    },
  );
}

/** Steps of random shape, with random work in them. */
export function randomFlow(seed: number): Program {
  const random = createRandom(seed);
  const below = (most: number): number => Math.floor(random() * most);
  const names = Array.from({ length: 3 + below(5) }, (_, n) => `s${n}`);
  const crew = defineCrew({ name: "c", tasks: [job("t")] });
  const works = names.map(() => below(4));
  const handlerOf =
    (n: number) =>
    async ({ state, step, run, sleep, call }: FlowContext<JsonObject>): Promise<Json> => {
      const work = works[n] ?? 0;
      const own = state as Record<string, Json>; // `as`: a draft
      own[`f${n}`] = call;
      if (work > 0) await step("x", async () => call);
      if (work > 1) await run(crew, {});
      if (work > 2) await sleep("z", 3);
      return { n, call };
    };
  const steps: Record<string, FlowSteps[string]> = {};
  for (const [n, name] of names.entries()) {
    const before = names.slice(0, n);
    const pick = (): string => before[below(before.length)] ?? "s0";
    if (n < 1 + below(2)) steps[name] = start(handlerOf(n));
    else if (below(3) === 0) {
      // One round through a label of its own, and then an end.
      const [again, out] = [`${name}-again`, `${name}-out`];
      const on = or(pick(), again);
      steps[name] = router(on, [again, out], ({ call }) => (call < 3 ? again : out), {
        maxCalls: 9,
      });
      steps[`${name}-after`] = listen(out, handlerOf(n));
      names[n] = `${name}-after`;
    } else {
      const [one, two] = [pick(), pick()];
      const on = [one, or(one, two), and(one, two)][below(3)] ?? one;
      steps[name] = listen(on, handlerOf(n));
    }
  }
  // What ends last is another step when others are done in another time.
  return flow("random", { output: ({ state }) => Object.keys(state).toSorted() }, steps as never); // `as`: made of names that are there
}

export const FLOWS: Readonly<Record<string, Scenario>> = {
  report: {
    crew: report,
    script,
    onAsk: ({ name }) =>
      name.startsWith("step:check~3") ? { ok: true } : { ok: false, reason: "not yet" },
  },
};

export const randomScenario = (seed: number): Scenario => ({
  crew: () => randomFlow(seed),
  script,
  isVirtual: true,
});

/** @param name "report", or the seed of a random flow. */
export const scenarioOf = (name: string): Scenario => FLOWS[name] ?? randomScenario(Number(name));

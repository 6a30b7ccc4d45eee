import { describe, expect, it } from "vitest";
import type { Flow } from "../../src/orchestration/flow/flow.ts";
import { dryRunFlow } from "../../src/cli/dry-run-flow.ts";
import { crew } from "../../src/crew.ts";
import { flow, listen, start } from "../../src/flow.ts";
import { job, scene } from "../orchestration/run/scenario.ts";
import { createFakeTerminal } from "./fake-terminal.ts";

async function dry(made: Flow): Promise<string> {
  const { bosun, model } = scene(() => "never called");
  const terminal = createFakeTerminal();
  await dryRunFlow({ flow: made, inputs: {}, model: undefined, json: false }, bosun, terminal);
  expect(model.requests).toEqual([]);
  return terminal.out.text;
}

const facts = crew({ name: "facts", tasks: [job("look")] });

/** Steps that begin at once. */
const many = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`s${n}`, start(() => n)]));

describe("bosun run FLOW --dry-run", () => {
  it("names what calls at once, and apart from it the steps that do not say which crews they run", async () => {
    const text = await dry(
      flow(
        "mixed",
        {},
        {
          look: start(() => 1, { crews: [facts] }),
          odd: start(() => 1),
          sum: start(() => 1, { crews: [] }),
        },
      ),
    );

    expect(text).toMatch(/^calls at once {2}at most 2: look; not said: odd$/m);
    expect(text).toMatch(/^sum .* none +0$/m);
  });

  it("says that nothing calls where no step runs a crew", async () => {
    const text = await dry(flow("code", {}, { sum: start(() => 1, { crews: [] }) }));

    expect(text).toMatch(/^calls at once {2}none: no step runs a crew$/m);
  });

  it("cuts long lists of steps", async () => {
    const wide = await dry(flow("wide", {}, many(490)));
    const steps = Object.fromEntries(
      Array.from({ length: 30 }, (_, n) => [`s${n + 1}`, listen(`s${n}`, () => n)]),
    );
    const long = await dry(flow("long", {}, { s0: start(() => 0), ...steps }));

    expect(wide).toMatch(/^calls at once {2}at most 490: not said: s0, s1, .* and 480 more$/m);
    expect(long).toMatch(/^longest chain {2}s0 → s1 → .* → s8 → … → s30 \(31 steps\)$/m);
    expect(long).toMatch(/^s30 +s29 +s0, s1, .* and 20 more +not said +1$/m);
  });
});

import { describe, expect, it } from "vitest";
import { createBosun } from "../../../src/bosun.ts";
import { createVirtualClock } from "../../../src/clock.ts";
import { createFaults, parseFault } from "../../../src/inference/twin/fault.ts";
import { createTwinModel } from "../../../src/inference/twin/model.ts";
import { planTwin } from "../../../src/inference/twin/setup.ts";
import { startTwin } from "../../../src/inference/twin/start.ts";
import { fillerSource } from "../../../src/inference/twin/text/plain-source.ts";
import { agent } from "../../../src/orchestration/crew/agent.ts";
import { defineCrew } from "../../../src/orchestration/crew/crew.ts";
import { task } from "../../../src/orchestration/crew/task.ts";

const writer = agent({ role: "Writer", goal: "write" });
const CREW = defineCrew({
  name: "report",
  tasks: ["first", "second", "third"].map((name) =>
    task({ name, description: `Write the ${name} part`, expectedOutput: "text", agent: writer }),
  ),
});

/** Runs the crew on a twin in virtual time. */
async function run(options: {
  readonly gpu?: string;
  readonly faults?: readonly string[];
  readonly runs?: number;
}) {
  const { gpu = "H100-SXM", faults = [], runs = 1 } = options;
  const clock = createVirtualClock();
  const plan = planTwin({ gpu, model: "Qwen/Qwen3-8B", maxModelLen: 8_192 });
  const twin = startTwin(plan, {
    clock,
    source: fillerSource(300),
    faults: createFaults(faults.map(parseFault), 3),
  });
  const bosun = createBosun({
    data: false,
    clock,
    env: {},
    model: createTwinModel(twin),
    retry: { baseMs: 0 }, // no jitter, which is the pool's own chance
  });
  const started = await Promise.all(
    Array.from({ length: runs }, () => bosun.start(CREW, { inputs: {} })),
  );
  const states = await Promise.all(started.map(({ ended }) => ended));
  await bosun.close();
  return { states, tookMs: clock.now(), twin };
}

describe("a crew on a twin in virtual time", () => {
  it("takes the seconds that the GPU would take, and no real ones", async () => {
    const { states, tookMs } = await run({});

    expect(states[0]?.status).toBe("done");
    // Three answers of 300 tokens at 6 to 9 ms each, which is what an H100 needs for one sequence of an 8B model in bf16.
    expect(tookMs).toBeGreaterThan(3 * 300 * 5);
    expect(tookMs).toBeLessThan(3 * 300 * 10);
  });

  it("is the same in every run", async () => {
    const [first, second] = [await run({ runs: 4 }), await run({ runs: 4 })];

    expect(first.tookMs).toBe(second.tookMs);
  });

  it("batches runs: eight take far less than eight times as long", async () => {
    const [one, eight] = [await run({}), await run({ runs: 8 })];

    expect(eight.states.map(({ status }) => status)).toEqual(
      Array.from({ length: 8 }, () => "done"),
    );
    expect(eight.tookMs).toBeLessThan(2 * one.tookMs);
    expect(eight.twin.metrics()).toContain(
      'vllm:request_success_total{finished_reason="stop",engine="0",model_name="Qwen/Qwen3-8B"} 24.0',
    );
  });

  it("is slower on a smaller GPU", async () => {
    const [h100, l4] = [await run({}), await run({ gpu: "L40S" })];

    expect(l4.tookMs).toBeGreaterThan(2 * h100.tookMs);
  });

  it("goes on after faults, in the same way each time", async () => {
    const faults = ["503; retry-after=2; p=0.5"];
    const [first, second] = [await run({ faults }), await run({ faults })];

    expect(first.states[0]?.status).toBe("done");
    expect(first.tookMs).toBe(second.tookMs);
    expect(first.tookMs).toBeGreaterThan((await run({})).tookMs);
  });

  it("shares the KV cache with neighbours when it is squeezed", async () => {
    const squeezed = await run({ faults: ["kv-squeeze; share=0.9"] });

    expect(squeezed.states[0]?.status).toBe("done");
    expect(squeezed.tookMs).toBeGreaterThan((await run({})).tookMs);
  });
});

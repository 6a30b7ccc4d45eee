import { describe, expect, it } from "vitest";
import { createBosun } from "../../../src/bosun.ts";
import { createVirtualClock } from "../../../src/clock.ts";
import { estimateTokens } from "../../../src/inference/model/tokens.ts";
import { createFaults } from "../../../src/inference/twin/fault.ts";
import { createTwinModel } from "../../../src/inference/twin/model.ts";
import { planTwin } from "../../../src/inference/twin/setup.ts";
import { startTwin } from "../../../src/inference/twin/start.ts";
import { fillerSource } from "../../../src/inference/twin/text/plain-source.ts";
import { type ScriptReply, scriptSource } from "../../../src/inference/twin/text/script.ts";
import type { TextSource } from "../../../src/inference/twin/text/source.ts";
import { crew } from "../../../src/crew.ts";
import { agent } from "../../../src/orchestration/crew/agent.ts";
import type { InputFit } from "../../../src/orchestration/crew/input-fit.ts";
import { task } from "../../../src/orchestration/crew/task.ts";
import type { RunEvent } from "../../../src/orchestration/run/event.ts";
import { customerRecord } from "../../orchestration/run/record.ts";
import { only, withoutTimes } from "../../orchestration/run/scenario.ts";

const RECORD = customerRecord(200_000);
const CONTEXT = 8_192;
const analyst = agent({ role: "Claim analyst", goal: "Judge claims by the record" });
const facts = task({
  name: "facts",
  description: "List what the record says about the water damage.\n\n{record}",
  expectedOutput: "Facts with their lines",
  agent: analyst,
});
const decision = task({
  name: "decision",
  description: "Decide what is paid for the water damage.\n\n{record}",
  expectedOutput: "An amount and its reason",
  agent: analyst,
});

/** Searches twice, reads on for a long time, and answers. */
const SEARCHES: readonly ScriptReply[] = [
  { calls: [{ tool: "search_input", arguments: { query: "deductible for water damage" } }] },
  { calls: [{ tool: "search_input", arguments: { query: "flooded cellar, burst pipe" } }] },
  ...Array.from({ length: 12 }, (_, n) => ({
    calls: [{ tool: "read_input", arguments: { from: 1 + n * 300 } }],
  })),
  { text: "The cellar was flooded on 3 March; 12,300 euros, less 450 euros." },
  { text: "11,850 euros are paid." },
];

/** Runs the claim analysis on a twin with an 8k context, in virtual time. */
async function analyse(source: TextSource, fit?: InputFit) {
  const clock = createVirtualClock();
  const plan = planTwin({
    gpu: "H100-SXM",
    model: "Qwen/Qwen3-8B",
    maxModelLen: CONTEXT,
    serving: { enableAutoToolChoice: true, toolCallParser: "hermes" },
  });
  const twin = startTwin(plan, { clock, source, faults: createFaults([], 1) });
  const bosun = createBosun({
    data: false,
    clock,
    env: {},
    model: createTwinModel(twin),
    retry: { baseMs: 0 },
  });
  const inputs = fit ? { record: { fit } } : undefined;
  const made = crew({ name: "claims", tasks: [facts, decision], bosun, inputs });
  const stream = made.stream({ inputs: { record: RECORD } });
  const events: RunEvent[] = [];
  let next = await stream.next();
  for (; !next.done; next = await stream.next()) events.push(next.value);
  await bosun.close();
  return { events, result: next.value, tookMs: clock.now() };
}

const fullest = (events: Parameters<typeof only>[0]): number =>
  Math.max(...only(events, "model-end").map(({ usage }) => usage.input.total + usage.output.total));

describe("a claim analysis with a customer record of 200,000 tokens in a context of 8,192", () => {
  it("ends well: the record is searched and read, and the result says what of it was not", async () => {
    expect(estimateTokens(RECORD)).toBeGreaterThan(200_000);

    const { events, result } = await analyse(scriptSource("claims", SEARCHES));

    expect(result.status).toBe("done");
    const found = only(events, "tool-end").map(({ content }) => content);
    expect(found[0]).toContain("450 euros");
    expect(found[1]).toContain("12,300 euros");
    expect(only(events, "task-end").map(({ status }) => status)).toEqual(["done", "done"]);
    expect(fullest(events)).toBeLessThanOrEqual(CONTEXT);
    const [unread] = result.tasks.facts.unread ?? [];
    expect(unread?.input).toBe("record");
    expect(unread?.readTokens).toBeLessThan(20_000);
    expect(unread?.tokens).toBe(estimateTokens(RECORD));
  });

  it("cuts the oldest results as it reads on, and the server never has to refuse", async () => {
    const { events } = await analyse(scriptSource("claims", SEARCHES));

    const cut = only(events, "context-trim").filter(({ part }) => part.startsWith("turn:"));
    expect(cut.length).toBeGreaterThan(0);
    expect(only(events, "model-retry")).toEqual([]);
    expect(only(events, "model-end").every(({ status }) => status === "done")).toBe(true);
  });

  it.each(["retrieve", "head"] as const)("ends well by %s, without a tool", async (fit) => {
    const { events, result } = await analyse(fillerSource(300), fit);

    expect(result.status).toBe("done");
    expect(fullest(events)).toBeLessThanOrEqual(CONTEXT);
    expect(result.tasks.facts.unread).toHaveLength(1);
  });

  it("ends well by summary: the whole record is read, once for each task, at most four calls at once", async () => {
    const { events, result, tookMs } = await analyse(fillerSource(300), "summary");

    expect(result.status).toBe("done");
    expect(fullest(events)).toBeLessThanOrEqual(CONTEXT);
    const summaries = only(events, "model-end").filter(({ purpose }) => purpose === "summary");
    expect(summaries.length).toBeGreaterThan(2 * (200_000 / CONTEXT));
    expect(result.tasks.facts.unread).toEqual([]);
    expect(tookMs).toBeGreaterThan(0);
  });

  it("is the same in every run", async () => {
    const [first, second] = [
      await analyse(fillerSource(300), "summary"),
      await analyse(fillerSource(300), "summary"),
    ];

    expect(first.tookMs).toBe(second.tookMs);
    expect(first.events.map(withoutTimes)).toEqual(second.events.map(withoutTimes)); // R4
  });
});

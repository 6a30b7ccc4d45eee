import { describe, expect, it } from "vitest";
import { createBosun } from "../../../../src/bosun.ts";
import { createVirtualClock } from "../../../../src/clock.ts";
import type { IdlePolicy } from "../../../../src/inference/pool/sleeper.ts";
import { createPool } from "../../../../src/inference/pool/pool.ts";
import { agent } from "../../../../src/orchestration/crew/agent.ts";
import { defineCrew } from "../../../../src/orchestration/crew/crew.ts";
import { task } from "../../../../src/orchestration/crew/task.ts";
import { serverlessTwin } from "./crew-burst.ts";

const NEVER = new AbortController().signal;
/** A worker starts in 30 s and leaves after 5 s without a request. */
const IDLE_MS = 5_000;
const START_MS = 30_000;
/** An answer takes longer than a start: the next task's worker is there, and idle, before it is needed. */
const ANSWER_TOKENS = 7_000;
const NAMES = ["first", "second", "third"] as const;

/** Tasks in a row, each with a model of its own. */
const CHAIN = defineCrew({
  name: "chain",
  tasks: NAMES.map((name) =>
    task({
      name,
      description: `Write the ${name} part`,
      expectedOutput: "text",
      context: [],
      maxTokens: ANSWER_TOKENS,
      agent: agent({ role: name, goal: "write", model: name }),
    }),
  ),
});

async function playChain(keptAwakeMs: number) {
  const clock = createVirtualClock();
  const scaler = { type: "REQUEST_COUNT", requests: 1 } as const;
  const settings = { workersMax: 1, idleTimeout: IDLE_MS / 1_000, scaler };
  const idle: IdlePolicy = { leavesAfterMs: IDLE_MS, keptAwakeMs };
  const twins = await Promise.all(
    NAMES.map(() => serverlessTwin(settings, { clock, answerTokens: ANSWER_TOKENS })),
  );
  const deployments = twins.map(({ model }, at) => {
    const name = NAMES[at] ?? "";
    return {
      type: "deployment",
      name,
      endpoints: [{ name, at: model, capacity: {}, idle }],
    } as const;
  });
  const pool = createPool({
    clock,
    resolve(alias) {
      const found = deployments.find(({ name }) => name === alias);
      if (!found) throw new Error(`no ${alias}`);
      return found;
    },
  });
  const models = Object.fromEntries(NAMES.map((name) => [name, pool]));
  const bosun = createBosun({ data: false, clock, env: {}, fleet: false, models });
  const startedAt = clock.now();
  const { ended } = await bosun.start(CHAIN, { inputs: {} });
  const { status } = await ended;
  const tookMs = clock.now() - startedAt;
  await clock.sleep(IDLE_MS + 1_000, NEVER);
  const workers = twins.map(({ scaling }) => scaling.health().workers.running);
  const starts = twins.map(({ scaling }) => scaling.starts().length);
  const workedMs = twins.reduce((sum, { scaling }) => sum + scaling.bill().flex.executionMs, 0);
  await bosun.close();
  return { status, waitedMs: tookMs - workedMs, starts, workers };
}

describe("a crew of tasks in a row, each with a model at zero whose worker leaves after 5 s", () => {
  it("pays one cold start when workers are kept awake, and none of them stays after it", async () => {
    const { status, waitedMs, starts, workers } = await playChain(300_000);

    expect(status).toBe("done");
    expect(starts).toEqual([1, 1, 1]);
    expect(waitedMs).toBeLessThan(START_MS * 1.1);
    expect(workers).toEqual([0, 0, 0]);
  });

  it("starts a worker for nothing when it is woken and not kept: it has gone when its task begins", async () => {
    const { status, waitedMs, starts } = await playChain(0);

    expect(status).toBe("done");
    expect(starts).toEqual([1, 2, 2]);
    expect(waitedMs).toBeGreaterThan(START_MS * 2.9); // three, less what wake requests took
  });
});

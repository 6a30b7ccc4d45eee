import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../../../src/clock.ts";
import { BosunError } from "../../../../src/error.ts";
import type { Json } from "../../../../src/json.ts";
import type { Durable, Flow } from "../../../../src/orchestration/durable/durable.ts";
import { createRestateEngine } from "../../../../src/orchestration/durable/restate/engine.ts";
import { type RestateServer, startRestate } from "./server.ts";

const LIVE = new AbortController().signal;
let server: RestateServer;
let count = 0;

beforeAll(async () => void (server = await startRestate()));
afterAll(() => server.stop());

const open = (inactivityMs = 150) => createRestateEngine({ ...server, inactivityMs });

function flowOf<O extends Json>(run: (d: Durable) => Promise<O>): Flow<Json, O> {
  return { name: `asleep-${++count}`, version: "1", run };
}

/** The server's word for a run. */
async function statusOf(id: string): Promise<string> {
  const response = await fetch(`${server.adminUrl}/query`, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json" },
    body: JSON.stringify({
      query: `SELECT status FROM sys_invocation WHERE target_service_key = '${id}' AND target_handler_name = 'run'`,
    }),
  });
  const { rows } = (await response.json()) as { rows: { status: string }[] }; // `as`: the server's shape
  return rows[0]?.status ?? "none";
}

async function untilAsleep(id: string): Promise<void> {
  while ((await statusOf(id)) !== "suspended") await systemClock.sleep(20, LIVE);
}

describe("a run that only waits", () => {
  it("is sent to sleep by the server, and goes on with what it waited for", async () => {
    await using engine = await open();
    const calls: string[] = [];
    const step = (d: Durable, key: string): Promise<string> =>
      d.step(key, async () => {
        calls.push(key);
        return key;
      });
    const flow = flowOf(async (d) => {
      const before = await step(d, "before");
      const answer = (await d.wait("answer", { timeoutMs: 60_000 })) ?? "nothing";
      return [before, answer, await step(d, "after")];
    });

    const handle = await engine.start(flow, null, { id: "asleep-1" });
    await untilAsleep(handle.id);
    const asleep = await engine.find(handle.id);
    await engine.send(handle.id, "answer", "yes");
    const output = await handle.result();

    expect(asleep).toMatchObject({ phase: "waiting" });
    expect(output).toEqual(["before", "yes", "after"]);
    expect(calls).toEqual(["before", "after"]);
  });

  it("leaves its process: who started it there and asked for that is told, and it goes on", async () => {
    await using engine = await open();
    const told: string[] = [];
    const flow = flowOf(async (d) => (await d.wait("w", { timeoutMs: 60_000 })) ?? null);

    const handle = await engine.start(flow, null, {
      id: "asleep-2",
      onSuspend: ({ code }) => void told.push(code),
    });
    const failure = handle.result().catch((error: unknown) => error);
    await untilAsleep(handle.id);
    await engine.send(handle.id, "w", 1);
    const again = await engine.get(handle.id);

    expect(await again.result()).toBe(1);
    expect(told).toEqual(["run/suspended"]);
    expect(await failure).toMatchObject({ code: "run/suspended" });
  });

  it("still runs out of its time", async () => {
    await using engine = await open();
    const flow = flowOf(async (d) => {
      await d.sleep("long", 600_000);
      return null;
    });

    const handle = await engine.start(flow, null, {
      id: "asleep-3",
      timeoutMs: 1_500,
      timeoutError: () => new BosunError("task/timed-out", "too late"),
    });
    const failure = handle.result().catch((error: unknown) => error);
    await untilAsleep(handle.id);

    expect(await failure).toMatchObject({ code: "task/timed-out", message: "too late" });
  });

  it("can be cancelled", async () => {
    await using engine = await open();
    const flow = flowOf(async (d) => (await d.wait("w", { timeoutMs: 60_000 })) ?? null);

    const handle = await engine.start(flow, null, { id: "asleep-4" });
    const failure = handle.result().catch((error: unknown) => error);
    await untilAsleep(handle.id);
    await engine.cancel(handle.id, "enough");

    expect(await failure).toMatchObject({ code: "run/cancelled", message: "enough" });
  });
});

describe("a step that takes longer than the server waits", () => {
  it("is executed once, beside others and beside a wait", async () => {
    await using engine = await open(100);
    const calls: string[] = [];
    const flow = flowOf(async (d) => {
      const step = (key: string, ms: number): Promise<string> =>
        d.step(key, async ({ signal }) => {
          calls.push(key);
          await systemClock.sleep(ms, signal);
          return key;
        });
      const answer = d.wait("w", { timeoutMs: 60_000 });
      const first = await Promise.all([step("a", 900), step("b", 400)]);
      return [...first, await step("c", 700), (await answer) ?? "nothing"];
    });

    const handles = await Promise.all(
      [1, 2, 3, 4, 5].map((n) => engine.start(flow, null, { id: `long-${n}` })),
    );
    for (const { id } of handles) await untilAsleep(id);
    for (const { id } of handles) await engine.send(id, "w", 9);
    const outputs = await Promise.all(handles.map((handle) => handle.result()));

    expect(outputs).toEqual(outputs.map(() => ["a", "b", "c", 9]));
    expect(calls.toSorted().join("")).toBe("aaaaabbbbbccccc");
  });
});

describe("a body that awaits something else than its Durable", () => {
  it("may do so before it begins anything", async () => {
    await using engine = await open();
    const flow = flowOf(async (d) => {
      await systemClock.sleep(50, LIVE);
      return d.step("s", async () => 1);
    });

    expect(await (await engine.start(flow, null, { id: "out-1" })).result()).toBe(1);
  });

  it("ends with an error where it would wait for ever", async () => {
    await using engine = await open();
    const flow = flowOf(async (d) => {
      const late = systemClock.sleep(50, LIVE).then(() => d.step("late", async () => 2));
      return Promise.all([d.sleep("nap", 60_000), late]).then(() => null);
    });

    const handle = await engine.start(flow, null, { id: "out-2" });

    await expect(handle.result()).rejects.toMatchObject({ code: "run/nondeterministic" });
  });
});

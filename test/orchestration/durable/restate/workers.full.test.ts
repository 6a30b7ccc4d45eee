import { describe, expect, it } from "vitest";
import { systemClock } from "../../../../src/clock.ts";
import type { Json } from "../../../../src/json.ts";
import type { Durable } from "../../../../src/orchestration/durable/durable.ts";
import type { DurableEngine, RunHandle } from "../../../../src/orchestration/durable/engine.ts";
import { createRestateEngine } from "../../../../src/orchestration/durable/restate/engine.ts";
import { startBalancer } from "../../../cluster/balancer.ts";
import { freePorts, startRestate } from "./server.ts";
import { createWorkers, kill, type Workers } from "./worker-process.ts";

const LIVE = new AbortController().signal;
const BRANCHES = [0, 1, 2, 3].map((b) => [0, 1, 2, 3, 4, 5].map((n) => `${b}${n} `).join(""));
const branches = { name: "branches", version: "1", run: async (): Promise<Json> => null };

const startRuns = (engine: DurableEngine, count: number): Promise<RunHandle<Json>[]> =>
  Promise.all(
    Array.from({ length: count }, (_, n) => engine.start(branches, null, { id: `run-${n}` })),
  );

async function untilKept(workers: Workers, count: number): Promise<void> {
  while ((await workers.kept()) < count) await systemClock.sleep(20, LIVE);
}

describe("ten runs of four branches with six steps each", () => {
  it("come to their output when their worker is killed three times, and repeat no step that was kept", async () => {
    await using server = await startRestate();
    await using workers = await createWorkers(server, 30);
    const [port] = await freePorts();
    const url = `http://127.0.0.1:${port}`;
    let worker = await workers.start(port, url);
    await using engine = await createRestateEngine({ ...server, isWorker: false });

    const handles = await startRuns(engine, 10);
    for (const kept of [30, 90, 150]) {
      await untilKept(workers, kept);
      await kill(worker);
      worker = await workers.start(port, url);
    }
    const outputs = await Promise.all(handles.map((handle) => handle.result()));
    const { steps, repeated } = await workers.tally();

    expect(outputs).toEqual(outputs.map(() => BRANCHES));
    expect(steps).toBe(240);
    expect(repeated).toEqual([]);
  }, 60_000);
});

describe("two workers behind one address", () => {
  it("finish all runs when one of them is killed, and repeat no step that was kept", async () => {
    await using server = await startRestate();
    await using workers = await createWorkers(server, 60);
    const [one, two] = await freePorts();
    await using balancer = await startBalancer([one, two]);
    const url = `http://127.0.0.1:${balancer.port}`;
    await workers.start(one, url);
    const second = await workers.start(two, url);
    await using engine = await createRestateEngine({ ...server, isWorker: false });

    const handles = await startRuns(engine, 20);
    await untilKept(workers, 100);
    await kill(second);
    const outputs = await Promise.all(handles.map((handle) => handle.result()));
    const { steps, repeated } = await workers.tally();

    expect(outputs).toEqual(outputs.map(() => BRANCHES));
    expect(steps).toBe(480);
    expect(repeated).toEqual([]);
  }, 60_000);
});

describe("a run that is started while the worker that was registered last is gone", () => {
  it("is executed by its own process, whose worker was registered before", async () => {
    await using server = await startRestate();
    const flow = { name: "own", version: "1", run: (d: Durable) => d.step("s", async () => 1) };
    await using engine = await createRestateEngine(server);
    await (await engine.start(flow, null, { id: "first" })).result();
    const last = await createRestateEngine(server);
    await (await last.start(flow, null, { id: "second" })).result();
    await last[Symbol.asyncDispose]();

    const handle = await engine.start(flow, null, { id: "third" });

    expect(await handle.result()).toBe(1);
  }, 60_000);
});

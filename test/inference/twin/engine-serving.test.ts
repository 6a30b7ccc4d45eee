import { describe, expect, it } from "vitest";
import { createVirtualClock } from "../../../src/clock.ts";
import { createFaults } from "../../../src/inference/twin/fault.ts";
import { createTwinServer } from "../../../src/inference/twin/http/server.ts";
import { planTwin, type TwinSetup } from "../../../src/inference/twin/setup.ts";
import { startTwin } from "../../../src/inference/twin/start.ts";
import { fillerSource } from "../../../src/inference/twin/text/plain-source.ts";
import { CHAT, chat, chunksIn } from "./http/ask.ts";

/** The server over real engines, in virtual time. */
function serve(setup: Partial<TwinSetup> = {}, { replicas = 1, tokens = 50 } = {}) {
  const clock = createVirtualClock();
  const plan = planTwin({ gpu: "H100-SXM", model: "Qwen/Qwen3-8B", maxModelLen: 4_096, ...setup });
  const twin = startTwin(plan, {
    clock,
    source: fillerSource(tokens),
    faults: createFaults(),
    replicas,
  });
  const app = createTwinServer(twin);
  const ask = async (path: string, init?: RequestInit): Promise<Response> =>
    app.request(path, init);
  return { clock, twin, ask };
}

describe("the server over real engines", () => {
  it("shares its requests out to the replica with the least load", async () => {
    const { ask, twin } = serve({}, { replicas: 4 });

    await Promise.all(Array.from({ length: 8 }, async () => (await ask(CHAT, chat())).text()));

    const counts = [
      ...twin
        .metrics()
        .matchAll(/^vllm:request_success_total\{finished_reason="stop",engine="(\d)".*\} (\d)/gm),
    ];
    expect(counts.map(([, engine, count]) => [engine, count])).toEqual([
      ["0", "2"],
      ["1", "2"],
      ["2", "2"],
      ["3", "2"],
    ]);
  });

  it("lets the more urgent go first with the priority policy", async () => {
    const { ask } = serve({ engine: { maxNumSeqs: 1 }, serving: { schedulingPolicy: "priority" } });
    const ended: number[] = [];

    await Promise.all(
      [0, 5, 3, 1].map(async (priority) => {
        await (await ask(CHAT, chat({ priority }))).text();
        ended.push(priority);
      }),
    );

    expect(ended).toEqual([0, 1, 3, 5]);
  });

  it("refuses over --max-num-queued-reqs with 503", async () => {
    const { ask } = serve({ engine: { maxNumSeqs: 1, maxNumQueuedReqs: 2 } });

    const statuses = await Promise.all([1, 2, 3].map(async () => (await ask(CHAT, chat())).status));

    expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 200, 503]);
  });

  it("keeps what comes while it sleeps until it is woken", async () => {
    const { ask, clock } = serve({ serving: { devMode: true } });
    await ask("/sleep?level=1", { method: "POST" });

    const asked = ask(CHAT, chat());
    await clock.sleep(60_000, new AbortController().signal);
    await ask("/wake_up", { method: "POST" });

    expect((await asked).status).toBe(200);
    expect(clock.now()).toBeGreaterThan(60_000);
  });

  it("dies by a fault, says so everywhere, and is well after a restart", async () => {
    // Longer than one chunk: in virtual time tokens come in chunks, and a fault meets the engine behind the one that it falls into.
    const { ask, twin } = serve({}, { tokens: 500 });
    const init = chat({ stream: true }, { "x-bosun-fault": "engine-death; after=5" });

    const [died, neighbour] = await Promise.all([
      ask(CHAT, init),
      ask(CHAT, chat({ stream: true })),
    ]);
    const chunks = [chunksIn(await died.text()), chunksIn(await neighbour.text())];

    expect(chunks.map((all) => all.at(-1)?.error?.["type"])).toEqual([
      "InternalServerError",
      "InternalServerError",
    ]);
    expect([(await ask("/health")).status, (await ask(CHAT, chat())).status]).toEqual([503, 500]);
    for (const replica of twin.replicas) replica.restart();
    expect((await ask(CHAT, chat())).status).toBe(200);
  });

  it("comes back by itself when its death says after how long", async () => {
    const { ask, clock } = serve({}, { tokens: 500 });
    const init = chat({}, { "x-bosun-fault": "engine-death; restart-ms=30000" });

    const died = await ask(CHAT, init);
    const healthThen = (await ask("/health")).status;
    await clock.sleep(30_000, new AbortController().signal);

    expect([died.status, healthThen]).toEqual([500, 503]);
    expect((await ask(CHAT, chat())).status).toBe(200);
  });

  it("counts steps and their tokens", async () => {
    const { ask, twin } = serve();

    const { usage } = (await (await ask(CHAT, chat())).json()) as {
      usage: { prompt_tokens: number; completion_tokens: number };
    }; // `as`: checked below

    const sum = /^vllm:iteration_tokens_total_sum\{.*\} ([\d.]+)$/m.exec(twin.metrics())?.[1];
    expect(Number(sum)).toBe(usage.prompt_tokens + usage.completion_tokens - 1); // the last token is not computed on
  });

  it("caches no prefix across tenants", async () => {
    const { ask } = serve({ serving: { enablePromptTokensDetails: true } });
    const messages = [{ role: "user", content: "The log of the ship. ".repeat(50) }];
    const cached = async (cache_salt: string): Promise<number> => {
      const body = (await (await ask(CHAT, chat({ messages, cache_salt }))).json()) as {
        usage: { prompt_tokens_details: { cached_tokens: number } };
      }; // `as`: checked below
      return body.usage.prompt_tokens_details.cached_tokens;
    };

    expect(await cached("a")).toBe(0);
    expect(await cached("b")).toBe(0);
    expect(await cached("a")).toBeGreaterThan(100);
  });

  it("forgets a stream that nobody ever read", async () => {
    const { ask, twin } = serve({}, { replicas: 2, tokens: 500 });

    for (let left = 0; left < 4; left++) {
      const { body } = await ask(CHAT, chat({ stream: true }));
      await body?.cancel();
    }
    await Promise.all([ask(CHAT, chat()), ask(CHAT, chat())]);

    const text = twin.metrics();
    const count = (reason: string): number[] =>
      [
        ...text.matchAll(
          new RegExp(`request_success_total\\{finished_reason="${reason}".*\\} (\\d)`, "g"),
        ),
      ].map(([, value]) => Number(value));
    expect(count("abort").reduce((sum, value) => sum + value, 0)).toBe(4);
    expect(count("stop")).toEqual([1, 1]); // the ones that left are no load any more
  });
});

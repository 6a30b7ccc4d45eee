import { createServer } from "node:http";
import { describe, expect, it } from "vitest";
import { createBosun } from "../../../src/bosun.ts";
import { crew } from "../../../src/crew.ts";
import { endpoint } from "../../../src/inference/model/endpoint.ts";
import type { Model } from "../../../src/inference/model/model.ts";
import { partialResult } from "../../../src/orchestration/run/result.ts";
import { tool } from "../../../src/orchestration/tool/tool.ts";
import { type FaultServer, startFaultServer } from "../../../src/test/fault-server.ts";
import {
  chunk,
  errorReply,
  head,
  htmlReply,
  STALL,
  textReply,
  type WireReply,
  write,
} from "../../../src/test/wire-reply.ts";
import { errorOf, eventsOf, job, only, worker } from "./scenario.ts";

/** Two words, then silence. */
const STALLED: WireReply = [
  head(),
  write(chunk({ content: "half " })),
  write(chunk({ content: "an answer" })),
  STALL,
];

const bosunAt = (server: FaultServer, model = "test-model") =>
  createBosun({
    data: false,
    env: {},
    model: endpoint({ url: server.url, model }),
    retry: { baseMs: 1, capMs: 2 },
  });

describe("on a real clock and a real socket", () => {
  it("a task whose model stalls ends at its limit, and its socket is closed", async () => {
    await using server = await startFaultServer({ replies: [STALLED] });
    const bosun = bosunAt(server);
    const began = performance.now();

    const error = await errorOf(
      crew({ name: "c", tasks: [job("slow", { timeoutMs: 300 })], bosun }).kickoff(),
    );
    const tookMs = performance.now() - began;

    expect(error.code).toBe("task/timed-out");
    expect(tookMs).toBeGreaterThanOrEqual(299);
    expect(tookMs).toBeLessThan(300 + 250); // the facts of the endpoint are asked for within it; 100 ms later at most, and a slow machine
    expect(partialResult(error)?.tasks["slow"]).toMatchObject({
      status: "timed-out",
      raw: "half an answer",
    });
    expect(await server.closed(0)).toBe("client");
    await bosun.close();
  });

  it("a crew, and an agent, end at theirs", async () => {
    await using server = await startFaultServer({ replies: [STALLED, STALLED] });
    const bosun = bosunAt(server);

    const ofCrew = await errorOf(
      crew({ name: "c", tasks: [job("slow")], timeoutMs: 200, bosun }).kickoff(),
    );
    const ofAgent = await errorOf(
      crew({
        name: "c",
        tasks: [job("slow", { agent: worker("A", { timeoutMs: 200 }) })],
        bosun,
      }).kickoff(),
    );

    expect([ofCrew.code, ofAgent.code]).toEqual(["run/timed-out", "task/timed-out"]);
    expect([await server.closed(0), await server.closed(1)]).toEqual(["client", "client"]);
    await bosun.close();
  });

  it("a tool that never returns and ignores its signal ends at its limit", async () => {
    await using server = await startFaultServer({
      replies: [
        [
          head(),
          write(
            chunk({
              tool_calls: [
                {
                  index: 0,
                  id: "1",
                  type: "function",
                  function: { name: "hangs", arguments: "{}" },
                },
              ],
            }),
          ),
          write(chunk({}, "tool_calls")),
          write("data: [DONE]\n\n"),
        ],
        textReply("without it"),
      ],
    });
    const hangs = tool({
      name: "hangs",
      description: "Hangs",
      parameters: { type: "object" },
      run: () => new Promise<never>(() => undefined),
      timeoutMs: 150,
    });
    const bosun = bosunAt(server);
    const began = performance.now();

    const result = await crew({
      name: "c",
      tasks: [job("a", { agent: worker("A", { tools: [hangs] }) })],
      bosun,
    }).kickoff();

    expect(result.raw).toBe("without it");
    expect(performance.now() - began).toBeLessThan(2_000);
    await bosun.close();
  });

  it("leaving a stream closes the upstream sockets of all tasks (M4)", async () => {
    await using server = await startFaultServer({ replies: [STALLED, STALLED, STALLED] });
    const bosun = bosunAt(server);
    const tasks = ["a", "b", "z"].map((name) => job(name));
    const speaking = new Set<string>();

    for await (const event of crew({ name: "c", tasks, process: "parallel", bosun }).stream()) {
      if (event.type === "model-delta") speaking.add(event.path.join("/"));
      if (speaking.size === 3) break;
    }

    expect(await Promise.all([0, 1, 2].map((index) => server.closed(index)))).toEqual([
      "client",
      "client",
      "client",
    ]);
    await bosun.close();
  });

  it("fail-fast closes the sockets of what it cancels", async () => {
    await using server = await startFaultServer({
      replies: ({ body }) =>
        JSON.stringify(body).includes("Do bad") ? errorReply(400, "no") : STALLED,
    });
    const bosun = bosunAt(server);

    const error = await errorOf(
      crew({ name: "c", tasks: [job("slow"), job("bad")], process: "parallel", bosun }).kickoff(),
    );

    expect(error.code).toBe("model/bad-request");
    const slowAt = server.calls.findIndex(({ body }) => JSON.stringify(body).includes("Do slow"));
    // The call of "slow" may not even have reached the server when "bad" failed.
    expect(slowAt < 0 ? "client" : await server.closed(slowAt)).toBe("client");
    await bosun.close();
  });

  it("a retried call is visible and its answer counts", async () => {
    await using server = await startFaultServer({
      replies: [errorReply(503, "busy"), errorReply(429, "slow down"), textReply("fine")],
    });
    const bosun = bosunAt(server);

    const { events } = await eventsOf(crew({ name: "c", tasks: [job("a")], bosun }).stream());

    expect(only(events, "model-retry").map(({ code }) => code)).toEqual([
      "model/overloaded",
      "model/rate-limited",
    ]);
    expect(only(events, "run-end")).toMatchObject([{ status: "done", raw: "fine" }]);
    await bosun.close();
  });

  it("a task ends at its limit also when its endpoint does not even tell its facts", async () => {
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const address = silent.address();
    const url = `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}/v1`;
    const bosun = createBosun({ data: false, env: {}, model: endpoint({ url, model: "m" }) });
    const began = performance.now();

    const error = await errorOf(
      crew({ name: "c", tasks: [job("slow", { timeoutMs: 200 })], bosun }).kickoff(),
    );

    expect(error.code).toBe("task/timed-out");
    expect(performance.now() - began).toBeLessThan(200 + 250);
    await bosun.close();
    silent.closeAllConnections();
    silent.close();
  });

  it("a crew ends at most 100 ms late when its model ignores that it was aborted", async () => {
    const deaf: Model = {
      async *call() {
        yield { type: "start", endpoint: "e", model: "m", attempt: 1 };
        await new Promise<never>(() => undefined);
      },
      contextTokens: async () => undefined,
    };
    const bosun = createBosun({ data: false, env: {}, model: deaf });

    const error = await errorOf(
      crew({
        name: "c",
        tasks: [job("a"), job("b")],
        process: "parallel",
        timeoutMs: 200,
        bosun,
      }).kickoff(),
    );

    const { durationMs = 0 } = partialResult(error)?.timings ?? {};
    expect(error.code).toBe("run/timed-out");
    expect(durationMs).toBeGreaterThanOrEqual(199);
    expect(durationMs).toBeLessThan(300 + 50); // a loaded machine
  });

  it("many tasks at once ask an endpoint for its facts once", async () => {
    await using server = await startFaultServer({ replies: () => textReply("x") });
    const bosun = bosunAt(server);
    const tasks = Array.from({ length: 8 }, (_, n) => job(`t${n}`));

    await crew({ name: "c", tasks, process: "parallel", bosun }).kickoff();

    expect(server.requests.filter(({ path }) => path === "/v1/models")).toHaveLength(1);
    await bosun.close();
  });
});

describe("an endpoint that is wrong", () => {
  it("names the models that it serves when it does not serve the one asked for", async () => {
    await using server = await startFaultServer({
      models: [{ id: "llama-small" }, { id: "qwen-large" }],
      replies: () => errorReply(404, "The model `gpt-9` does not exist."),
    });
    const bosun = bosunAt(server, "gpt-9");

    const error = await errorOf(crew({ name: "c", tasks: [job("a")], bosun }).kickoff());

    expect(error.code).toBe("model/not-found");
    expect(error.message).toMatch(/gpt-9.*llama-small.*qwen-large/s);
    await bosun.close();
  });

  it("that nobody listens at is model/unreachable, with its address", async () => {
    const server = await startFaultServer();
    const { url } = server;
    await server.close();
    const bosun = createBosun({
      data: false,
      env: {},
      model: endpoint({ url, model: "m" }),
      retry: { baseMs: 1, capMs: 2 },
    });

    const error = await errorOf(crew({ name: "c", tasks: [job("a")], bosun }).kickoff());

    expect(error.code).toBe("model/unreachable");
    expect(error.message).toContain(new URL(url).host);
    await bosun.close();
  });

  it("that is a web page is model/protocol and says how the URL should end", async () => {
    await using server = await startFaultServer({
      replies: () => htmlReply(404),
      models: "not-found",
    });
    const bosun = bosunAt(server);

    const error = await errorOf(crew({ name: "c", tasks: [job("a")], bosun }).kickoff());

    expect(error.code).toBe("model/protocol");
    expect(error.message).toContain("/v1");
    await bosun.close();
  });

  it("knows its context: what does not fit is cut before the call", async () => {
    await using server = await startFaultServer({
      models: [{ id: "test-model", owned_by: "vllm", max_model_len: 1_000 }],
      replies: [textReply("long ".repeat(4_000)), textReply("short")],
    });
    const bosun = bosunAt(server);

    const { events } = await eventsOf(
      crew({ name: "c", tasks: [job("a"), job("b")], bosun }).stream(),
    );

    expect(only(events, "context-trim")).toMatchObject([{ part: "context:a" }]);
    expect(only(events, "run-end")).toMatchObject([{ raw: "short" }]);
    await bosun.close();
  });
});

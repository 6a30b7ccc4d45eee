import { describe, expect, it } from "vitest";
import { createBosun } from "../../../src/bosun.ts";
import { crew } from "../../../src/crew.ts";
import { endpoint } from "../../../src/inference/model/endpoint.ts";
import { partialResult } from "../../../src/orchestration/run/result.ts";
import { type FaultServer, startFaultServer } from "../../../src/test/fault-server.ts";
import { errorReply, textReply } from "../../../src/test/wire-reply.ts";
import { errorOf, eventsOf, job, worker } from "./scenario.ts";

const bodyOf = (server: FaultServer): unknown => server.calls[0]?.body;

describe("the settings of a model", () => {
  it("that stand on its endpoint are sent when an alias names it", async () => {
    await using server = await startFaultServer({ replies: [textReply("x")] });
    const small = endpoint({
      url: server.url,
      model: "test-model",
      maxTokens: 77,
      temperature: 0.3,
      seed: 5,
    });
    const bosun = createBosun({ data: false, env: {}, models: { small } });

    await crew({
      name: "c",
      tasks: [job("a", { agent: worker("A", { model: "small" }) })],
      bosun,
    }).kickoff();

    expect(bodyOf(server)).toMatchObject({ max_tokens: 77, temperature: 0.3, seed: 5 });
    await bosun.close();
  });

  it("that stand on a fallback's endpoint are sent to the fallback", async () => {
    await using first = await startFaultServer({ replies: [errorReply(400, "no")] });
    await using second = await startFaultServer({ replies: [textReply("x")] });
    const models = [
      endpoint({ url: first.url, model: "test-model", maxTokens: 500 }),
      endpoint({ url: second.url, model: "test-model", maxTokens: 60 }),
    ] as const;
    const bosun = createBosun({ data: false, env: {} });

    await crew({
      name: "c",
      tasks: [job("a", { agent: worker("A", { model: models }) })],
      bosun,
    }).kickoff();

    expect([bodyOf(first), bodyOf(second)]).toMatchObject([
      { max_tokens: 500 },
      { max_tokens: 60 },
    ]);
    await bosun.close();
  });

  it("of an agent and of a task win over them", async () => {
    await using server = await startFaultServer({ replies: [textReply("x")] });
    const model = endpoint({
      url: server.url,
      model: "test-model",
      maxTokens: 77,
      temperature: 0.3,
    });
    const bosun = createBosun({ data: false, env: {}, model });

    await crew({
      name: "c",
      tasks: [
        job("a", { agent: worker("A", { maxTokens: 50, temperature: 0.1 }), temperature: 0 }),
      ],
      bosun,
    }).kickoff();

    expect(bodyOf(server)).toMatchObject({ max_tokens: 50, temperature: 0 });
    await bosun.close();
  });

  it("reserve the thinking of an alias's endpoint before a call", async () => {
    await using server = await startFaultServer({ replies: [textReply("x")] });
    const thinker = endpoint({
      url: server.url,
      model: "test-model",
      maxModelLen: 4_000,
      thinking: { budgetTokens: 3_900 },
    });
    const bosun = createBosun({ data: false, env: {}, models: { thinker } });

    const error = await errorOf(
      crew({
        name: "c",
        tasks: [job("a", { agent: worker("A", { model: "thinker" }) })],
        bosun,
      }).kickoff(),
    );

    expect(error.code).toBe("model/context-length");
    expect(server.calls).toHaveLength(0);
    await bosun.close();
  });
});

describe("a key", () => {
  it("is sent and stands in no event, result or error, also when the server says it back", async () => {
    const secret = "sk-very-secret-0123456789";
    await using server = await startFaultServer({
      replies: ({ headers }) => errorReply(401, `wrong key ${headers.authorization}`),
    });
    const model = endpoint({ url: server.url, model: "test-model", apiKeyEnv: "MY_KEY" });
    const bosun = createBosun({ data: false, env: { MY_KEY: secret }, model });

    const { events, error } = await eventsOf(
      crew({ name: "c", tasks: [job("a")], bosun }).stream({ showPrompts: true }),
    );

    expect(server.calls[0]?.headers.authorization).toBe(`Bearer ${secret}`);
    expect(JSON.stringify(events)).not.toContain(secret);
    expect(
      `${String(error)} ${JSON.stringify(error)} ${JSON.stringify(partialResult(error))}`,
    ).not.toContain(secret);
    await bosun.close();
  });

  it("that is not set is config/invalid with the variable's name", async () => {
    const model = endpoint({ url: "http://127.0.0.1:9/v1", model: "m", apiKeyEnv: "MY_KEY" });
    const bosun = createBosun({ data: false, env: {}, model });

    const error = await errorOf(crew({ name: "c", tasks: [job("a")], bosun }).kickoff());

    expect(error.code).toBe("config/invalid");
    expect(error.message).toContain("MY_KEY");
    await bosun.close();
  });
});

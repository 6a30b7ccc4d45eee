import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Bosun, type BosunOptions, createBosun } from "../src/bosun.ts";
import { type Clock, systemClock } from "../src/clock.ts";
import { crew } from "../src/crew.ts";
import type { BosunError } from "../src/error.ts";
import {
  type FaultServer,
  type FaultServerOptions,
  startFaultServer,
} from "../src/test/fault-server.ts";
import { errorReply, STALL, textReply, wait } from "../src/test/wire-reply.ts";
import { MODEL, serveTwin } from "./inference/twin/served-twin.ts";
import { errorOf, eventsOf, job, worker } from "./orchestration/run/scenario.ts";

function bosunOf(options: BosunOptions): Bosun {
  const bosun = createBosun({ data: false, env: {}, retry: { maxAttempts: 1 }, ...options });
  onTestFinished(() => bosun.close());
  return bosun;
}

async function serverOf(options: FaultServerOptions): Promise<FaultServer> {
  const server = await startFaultServer(options);
  onTestFinished(() => server.close());
  return server;
}

function crewOf(bosun: Bosun, model?: string | readonly [string, ...string[]]) {
  const agent = worker("A", model === undefined ? {} : { model });
  return crew({ name: "c", tasks: [job("a", { agent })], bosun });
}

const fleetAt = ({ url }: FaultServer): string =>
  `models: { a: { endpoints: [ { url: "${url}" } ] } }`;

/** A fleet's file, and a way to put another in its place. */
function fleetFile(text: string): {
  readonly file: string;
  readonly write: (text: string) => void;
} {
  const folder = mkdtempSync(join(tmpdir(), "bosun-fleet-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "bosun.fleet.yaml");
  const write = (next: string): void => {
    writeFileSync(`${file}.new`, next);
    renameSync(`${file}.new`, file);
  };
  write(text);
  return { file, write };
}

/** A clock whose time a test sets forward, and that is the machine's otherwise. */
function steppedClock(): Clock & { step(ms: number): void } {
  let aheadMs = 0;
  return {
    ...systemClock,
    now: () => systemClock.now() + aheadMs,
    step: (ms) => void (aheadMs += ms),
  };
}

describe("a crew with a fleet", () => {
  it("runs on the endpoints of the alias that an agent names", async () => {
    const twin = await serveTwin({ speed: 100 });
    onTestFinished(() => twin[Symbol.asyncDispose]());
    const fleet = {
      models: {
        large: { model: MODEL, endpoints: [{ url: twin.url, dialect: "vllm" }] },
        other: { endpoints: [{ url: "http://127.0.0.1:9/v1" }] },
      },
    } as const;

    const { status, raw } = await crewOf(bosunOf({ fleet }), "large").kickoff();

    expect(status).toBe("done");
    expect(raw.length).toBeGreaterThan(0);
  });

  it("asks the fleet's default where an agent names no model", async () => {
    const server = await serverOf({ replies: [textReply("by the fleet")] });
    const models = {
      a: { endpoints: [{ url: "http://127.0.0.1:9/v1" }] },
      b: { endpoints: [{ url: server.url }] },
    } as const;
    const bosun = bosunOf({
      fleet: { default: "b", models },
      env: { OPENAI_BASE_URL: "http://127.0.0.1:9/v1" },
    });

    expect(bosun.defaultModel).toBe("b");
    expect((await crewOf(bosun).kickoff()).raw).toBe("by the fleet");
    expect(bosunOf({ fleet: { models } }).defaultModel).toBe("a");
    expect(bosunOf({ fleet: false }).defaultModel).toBe("extractive");
  });

  it("sends the settings of the fleet, and counts them when the prompt is fitted", async () => {
    const models = [{ id: "m", owned_by: "vllm", max_model_len: 1_000 }];
    const server = await serverOf({ replies: [textReply("x"), textReply("x")], models });
    const fleetOf = (maxTokens: number) =>
      ({
        models: { a: { maxTokens, temperature: 0.3, endpoints: [{ url: server.url }] } },
      }) as const;

    await crewOf(bosunOf({ fleet: fleetOf(77) }), "a").kickoff();
    const error = await errorOf(crewOf(bosunOf({ fleet: fleetOf(990) }), "a").kickoff());

    expect(server.calls[0]?.body).toMatchObject({ max_tokens: 77, temperature: 0.3 });
    expect(error).toMatchObject({ code: "model/context-length", details: { reservedTokens: 990 } });
    expect(server.calls).toHaveLength(1);
  });

  it("goes on with the model's fallbacks, after the agent's own", async () => {
    const down = await serverOf({ replies: () => errorReply(400, "no") });
    const up = await serverOf({ replies: () => textReply("by the fallback") });
    const fleet = {
      models: {
        a: { endpoints: [{ url: down.url }], fallback: ["c"] },
        b: { endpoints: [{ url: down.url, name: "again" }] },
        c: { endpoints: [{ url: up.url }] },
      },
    } as const;

    const { events } = await eventsOf(crewOf(bosunOf({ fleet }), ["a", "b"]).stream());

    const way = events.flatMap((one) =>
      one.type === "model-fallback" ? [[one.from, one.to]] : [],
    );
    expect(way).toEqual([
      ["a", "b"],
      ["b", "c"],
    ]);
    expect(events.at(-1)).toMatchObject({ type: "run-end", status: "done" });
  });

  it("does not start on an endpoint that is not what the file says", async () => {
    const server = await serverOf({ replies: [textReply("x")] });
    const endpoints = [{ url: server.url, dialect: "vllm" }] as const;
    const fleet = { models: { a: { maxModelLen: 32_768, endpoints } } } as const;

    const error = await errorOf(crewOf(bosunOf({ fleet }), "a").kickoff());

    expect(error.code).toBe("config/invalid");
    expect(error.message).toMatch(
      /model "a" of the fleet.*maxModelLen 32768, and its context is 4096/,
    );
    expect(server.calls).toEqual([]);
  });

  it("does not preview a run that would be refused for what an endpoint says", async () => {
    const server = await serverOf({ replies: [textReply("x")] });
    const endpoints = [{ url: server.url, dialect: "vllm" }] as const;
    const bosun = bosunOf({ fleet: { models: { a: { maxModelLen: 32_768, endpoints } } } });

    const error = await errorOf(bosun.preview(crewOf(bosun, "a"), { inputs: {} }));

    expect(error.code).toBe("config/invalid");
    expect(error.message).toMatch(/maxModelLen 32768, and its context is 4096/);
  });

  it("asks what an endpoint is once, however many runs there are", async () => {
    const server = await serverOf({ replies: () => textReply("x") });
    const fleet = {
      models: {
        a: {
          model: "test-model",
          maxModelLen: 4_096,
          endpoints: [{ url: server.url, dialect: "vllm" }],
        },
      },
    } as const;
    const bosun = bosunOf({ fleet });

    for (let run = 0; run < 3; run++) await crewOf(bosun, "a").kickoff();

    expect(server.requests.filter(({ path }) => path === "/v1/models")).toHaveLength(1);
  });

  it("takes a new version of its file for new calls, and goes on with the old where that is wrong", async () => {
    const [one, two] = [
      await serverOf({ replies: () => textReply("one") }),
      await serverOf({ replies: () => textReply("two") }),
    ];
    const { file, write } = fleetFile(fleetAt(one));
    const clock = steppedClock();
    const problems: BosunError[] = [];
    const bosun = bosunOf({
      clock,
      env: { BOSUN_FLEET: file },
      onFleetProblem: (error) => void problems.push(error),
    });
    const say = async (text?: string): Promise<string> => {
      if (text !== undefined) write(text);
      clock.step(2_000);
      return (await crewOf(bosun, "a").kickoff()).raw;
    };

    expect([
      await say(),
      await say(fleetAt(two)),
      await say("models: 1"),
      await say(fleetAt(one)),
    ]).toEqual(["one", "two", "two", "one"]);
    expect(problems.map(({ code }) => code)).toEqual(["config/invalid"]);
  });

  it("lets a call in flight end at an endpoint that has left the file", async () => {
    const gate = Promise.withResolvers<void>();
    const leaving = await serverOf({
      replies: () => [wait(gate.promise), ...textReply("from the old")],
    });
    const coming = await serverOf({ replies: () => textReply("from the new") });
    const { file, write } = fleetFile(fleetAt(leaving));
    const clock = steppedClock();
    const bosun = bosunOf({ clock, fleet: file });

    const first = crewOf(bosun, "a").kickoff();
    await leaving.received(0);
    write(fleetAt(coming));
    clock.step(2_000);
    const second = await crewOf(bosun, "a").kickoff();
    gate.resolve();

    expect([second.raw, (await first).raw]).toEqual(["from the new", "from the old"]);
    expect([leaving.calls.length, coming.calls.length]).toEqual([1, 1]);
  });

  it("says what the fleet has when nothing has this name", async () => {
    const fleet = { models: { large: { provider: "openai" } } } as const;

    const error = await errorOf(crewOf(bosunOf({ fleet }), "larg").kickoff());

    expect(error.code).toBe("model/unknown");
    expect(error.message).toContain(
      'no model is called "larg". Did you mean "large"? The fleet has large',
    );
  });

  it("begins although an endpoint does not say what it is", async () => {
    const server = await serverOf({
      replies: () => textReply("x"),
      routes: { "/v1/models": [STALL] },
    });
    const clock = steppedClock();
    const fleet = {
      models: {
        a: { model: "m", maxModelLen: 4_096, endpoints: [{ url: server.url, dialect: "vllm" }] },
      },
    } as const;
    const quick: Clock = {
      ...clock,
      deadline: (ms, signal, reason) => clock.deadline(ms === 5_000 ? 1 : ms, signal, reason),
    };

    const { status } = await crewOf(bosunOf({ fleet, clock: quick }), "a").kickoff();

    expect(status).toBe("done");
  });

  it("is refused with its place when the file is wrong at first, and with a word when the option is", () => {
    expect(() => bosunOf({ env: { BOSUN_FLEET: "/nowhere/fleet.yaml" } })).toThrow(
      /\/nowhere\/fleet\.yaml cannot be read/,
    );
    expect(() => bosunOf({ fleet: 5 as never })).toThrow(
      /fleet must be a file's path, a fleet, or false/,
    );
  });
});

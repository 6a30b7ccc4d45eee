import { describe, expect, it } from "vitest";
import { crew } from "../../../src/crew.ts";
import { estimatePrompt } from "../../../src/inference/model/tokens.ts";
import type { ModelRequest } from "../../../src/inference/model/model.ts";
import type { Guardrail } from "../../../src/orchestration/crew/guardrail.ts";
import { errorOf, eventsOf, job, only, scene, worker } from "./scenario.ts";
import { byWho, calling, delegate, led, sendBack } from "./team-scene.ts";

const CONTEXT = 8_192;
const LONG = "word ".repeat(20_000);
const names = ["A", "B", "C"];
const agents = names.map((name) => worker(name));
const guardrail: Guardrail = ({ raw }) =>
  raw === "apple" ? { ok: true } : { ok: false, reason: LONG };
const sizes = (requests: readonly ModelRequest[]): readonly number[] =>
  requests.map(({ messages, tools }) => estimatePrompt(messages, tools));

describe("what coworkers bring", () => {
  it("is cut to the manager's context, however much it is and however often (M1)", async () => {
    const toAll = calling(...names.map((name) => delegate(name, "t")));
    const { made, model } = led(
      byWho({
        lead: [toAll, toAll, calling(sendBack("d1", "more")), "done"],
        A: LONG,
        B: LONG,
        C: LONG,
      }),
      { agents },
      { contextTokens: CONTEXT },
    );

    const { events, error } = await eventsOf(made.stream());

    expect(error).toBeUndefined();
    expect(Math.max(...sizes(model.requests))).toBeLessThanOrEqual(CONTEXT - 2_048);
    expect(only(events, "context-trim").length).toBeGreaterThan(0);
    expect(only(events, "delegation-end")[0]?.raw).toBe(LONG); // the event has it whole
  });
});

describe("what is given to a coworker", () => {
  it("is cut to their context: the earlier answer that was sent back to them", async () => {
    const { made, model } = led(
      byWho({
        lead: [
          calling(delegate("A", "t", "word ".repeat(1_000))),
          calling(sendBack("d1", "shorter")),
          "done",
        ],
        A: [LONG, "short"],
      }),
      { agents },
      { contextTokens: CONTEXT },
    );

    const { events, error } = await eventsOf(made.stream());

    expect(error).toBeUndefined();
    expect(only(events, "delegation-end").map(({ status }) => status)).toEqual(["done", "done"]);
    expect(Math.max(...sizes(model.requests))).toBeLessThanOrEqual(CONTEXT - 2_048);
  });
});

describe("what else may be long", () => {
  it("a conversation's history gives way to the task", async () => {
    const { bosun, model } = scene(() => LONG, { contextTokens: CONTEXT });
    const made = crew({ name: "c", tasks: [job("a"), job("b")], bosun });

    await made.kickoff({ session: { id: "s", maxTokens: 100_000 } });
    await made.kickoff({ session: { id: "s", maxTokens: 100_000 } });

    expect(Math.max(...sizes(model.requests))).toBeLessThanOrEqual(CONTEXT - 2_048);
    expect(
      model.requests.every(({ messages }) => messages[1]?.content.includes("# Task\nDo ")),
    ).toBe(true);
  });

  it("a reason of a guardrail does not end the run", async () => {
    const { bosun, model } = scene((_, index) => (index === 0 ? "x" : "apple"), {
      contextTokens: CONTEXT,
    });

    const result = await crew({ name: "c", tasks: [job("a", { guardrail })], bosun }).kickoff();

    expect(result.raw).toBe("apple");
    expect(Math.max(...sizes(model.requests))).toBeLessThanOrEqual(CONTEXT - 2_048);
  });

  it("an answer is not judged by a part of it: a judge that cannot read it whole fails the task", async () => {
    const { bosun, model } = scene(() => LONG, { contextTokens: CONTEXT });

    const error = await errorOf(
      crew({ name: "c", tasks: [job("a", { guardrail: "Good." })], bosun }).kickoff(),
    );

    expect(error.code).toBe("model/context-length");
    expect(model.requests).toHaveLength(1);
  });
});

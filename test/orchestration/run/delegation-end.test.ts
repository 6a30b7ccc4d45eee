import { describe, expect, it } from "vitest";
import { crew } from "../../../src/crew.ts";
import { BosunError } from "../../../src/error.ts";
import type { Model } from "../../../src/inference/model/model.ts";
import { z } from "zod";
import { task } from "../../../src/orchestration/crew/task.ts";
import { partialResult } from "../../../src/orchestration/run/result.ts";
import {
  errorOf,
  eventsOf,
  job,
  only,
  promptOf,
  requestsOf,
  scene,
  settle,
  worker,
} from "./scenario.ts";
import { ask, byWho, calling, delegate, led, resultsIn, whoIn } from "./team-scene.ts";

const NAMES = ["A", "B", "C"];
const agents = NAMES.map((name) => worker(name));
const toAll = calling(...NAMES.map((name) => delegate(name, "t")));

/** A model whose calls hang until they are aborted, and their signals. */
const hanging = (): { readonly model: Model; readonly signals: AbortSignal[] } => {
  const signals: AbortSignal[] = [];
  return {
    signals,
    model: {
      async *call(_request, signal) {
        signals.push(signal);
        yield { type: "start", endpoint: "e", model: "m", attempt: 1 };
        yield { type: "text-delta", text: "so far" };
        await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
        throw new BosunError("model/cancelled", "cut", { details: { text: "so far" } });
      },
      contextTokens: async () => undefined,
    },
  };
};

/** A manager on a script, its workers on a model that hangs. */
const stuck = (options: { readonly timeoutMs?: number; readonly tasks?: never } = {}) => {
  const { model, signals } = hanging();
  const made = led(
    () => toAll,
    { agents: NAMES.map((name) => worker(name, { model: "hanging" })), ...options },
    { models: { hanging: model } },
  );
  return { ...made, signals };
};

describe("a run that ends while its workers work", () => {
  it("aborts every call of theirs when it is cancelled (M4)", async () => {
    const { made, signals } = stuck();
    const controller = new AbortController();

    const running = eventsOf(made.stream({ signal: controller.signal }));
    await settle();
    controller.abort();
    const { events, error } = await running;

    expect(error).toMatchObject({ code: "run/cancelled" });
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true, true]);
    const cut = only(events, "model-end").filter(({ status }) => status === "cancelled");
    expect(cut.map(({ agent }) => agent).toSorted()).toEqual(NAMES);
    expect(only(events, "delegation-end").map(({ to, status }) => `${to} ${status}`)).toEqual(
      NAMES.map((name) => `${name} cancelled`),
    );
    expect(only(events, "delegation-end").map(({ raw }) => raw)).toEqual(NAMES.map(() => "so far"));
    expect(events.at(-1)?.type).toBe("run-end");
  });

  it("aborts them when its time is over", async () => {
    const { made, signals, clock } = stuck({ timeoutMs: 1_000 });

    const running = errorOf(made.kickoff());
    await settle();
    await clock.advance(1_100);

    expect((await running).code).toBe("run/timed-out");
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true, true]);
  });

  it("aborts them when the reader of its stream leaves", async () => {
    const { made, signals } = stuck();

    let started = 0;
    for await (const event of made.stream())
      if (event.type === "model-delta" && ++started === 3) break;

    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true, true]);
  });

  it("leaves nothing that can reject later", async () => {
    const rejections: unknown[] = [];
    const note = (error: unknown): void => void rejections.push(error);
    process.on("unhandledRejection", note);
    const { made } = stuck();
    const controller = new AbortController();

    const running = errorOf(made.kickoff({ signal: controller.signal }));
    await settle();
    controller.abort();
    await running;
    await settle();
    process.off("unhandledRejection", note);

    expect(rejections).toEqual([]);
  });
});

describe("a worker", () => {
  it("that is out of its own time fails its piece, not the task, and its call is aborted", async () => {
    const { model, signals } = hanging();
    const slow = worker("Slow", { model: "hanging", timeoutMs: 2_000 });
    const {
      made,
      clock,
      model: script,
    } = led(
      byWho({ lead: [calling(delegate("Slow", "t")), "went on without"] }),
      { agents: [slow] },
      { models: { hanging: model } },
    );

    const running = made.kickoff();
    await settle();
    await clock.advance(2_000);
    await settle();

    expect((await running).raw).toBe("went on without");
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    expect(resultsIn(script.requests.at(-1))[0]).toMatch(/Slow could not do it: .*within 2000 ms/);
  });

  it("that brings no text fails its piece", async () => {
    const { made, model } = led(byWho({ lead: [calling(delegate("A", "t")), "ok"], A: "" }), {
      agents,
    });

    expect((await made.kickoff()).raw).toBe("ok");
    expect(resultsIn(model.requests.at(-1))[0]).toMatch(/^Error: A could not do it/);
  });

  it("is not held to the task's schema, guardrails or review: those are for the task's answer", async () => {
    const { bosun, model } = scene(
      byWho({ lead: [calling(delegate("A", "t")), '{"n": 1}'], A: "plain text" }),
    );
    const checked: string[] = [];
    const report = task({
      name: "report",
      description: "d",
      expectedOutput: "e",
      output: z.object({ n: z.number() }),
      guardrail: ({ raw }) => {
        checked.push(raw);
        return { ok: true };
      },
    });
    const made = crew({ name: "c", tasks: [report], agents, process: "hierarchical", bosun });

    const result = await made.kickoff();

    expect(result.tasks.report.output).toEqual({ n: 1 });
    expect(checked).toEqual(['{"n":1}']);
    expect(promptOf(requestsOf(model, "report")[1])).not.toContain("JSON");
  });

  it("does several pieces at once, each in a conversation of its own", async () => {
    const { made, model } = led(
      byWho({
        lead: [calling(delegate("A", "piece one"), ask("A", "question two")), "ok"],
        A: (request) => (promptOf(request).includes("piece one") ? "one" : "two"),
      }),
      { agents },
    );

    await made.kickoff();

    expect(resultsIn(model.requests.at(-1))).toEqual([
      "[d1] A answers:\none",
      "[d2] A answers:\ntwo",
    ]);
    for (const request of model.requests.filter((one) => whoIn(one) === "A"))
      expect(request.messages).toHaveLength(2);
  });
});

describe("a task of a manager", () => {
  it("that fails its guardrail is mended by the manager, who may delegate again", async () => {
    const { made, model } = led(
      byWho({
        lead: [calling(delegate("A", "t")), "pear", calling(delegate("B", "t")), "apple"],
        A: "pear",
        B: "apple",
      }),
      {
        agents,
        tasks: [
          job("t", {
            agent: worker("Z"),
            guardrail: ({ raw }) =>
              raw === "apple" ? { ok: true } : { ok: false, reason: "no pears" },
          }),
        ],
      },
    );

    expect((await made.kickoff()).raw).toBe("apple");
    expect(model.requests.map(whoIn)).toEqual(["lead", "A", "lead", "lead", "B", "lead"]);
  });

  it("that is done anew has all its delegations again, and keeps no results of the attempt before", async () => {
    const { made, model } = led(
      (request) => {
        if (whoIn(request) !== "lead") return "w";
        if (resultsIn(request).length === 0 && request.messages.length === 2)
          return calling(delegate("A", "t"));
        return request.hints.path[0]?.includes("~") ? "done" : "";
      },
      { agents, maxDelegations: 1, tasks: [job("t", { onError: "retry" })] },
    );

    const result = await made.kickoff();

    expect(result.tasks["t"]).toMatchObject({ status: "done", attempts: 2 });
    expect(model.requests.filter((request) => whoIn(request) === "A")).toHaveLength(2);
  });

  it("that fails keeps what its workers cost", async () => {
    const { made } = led(byWho({ lead: [toAll, ""], A: "a", B: "b", C: "c" }), { agents });

    const partial = partialResult(await errorOf(made.kickoff()));

    expect(Object.keys(partial?.agents ?? {})).toEqual(["Crew manager", ...NAMES]);
    expect(partial?.purposes.work?.calls).toBe(3);
  });
});

describe("two crews with the same agents", () => {
  it("run at once without knowing of each other", async () => {
    const lead = worker("Lead", { allowDelegation: true });
    const helper = worker("Helper");
    const { bosun, model } = scene(async (request) => {
      await settle();
      const mine = promptOf(request).includes("one") ? "one" : "two";
      if (whoIn(request) !== "lead") return `helped ${mine}`;
      return resultsIn(request)[0] ?? calling(delegate("Helper", `piece of ${mine}`));
    });
    const crews = ["one", "two"].map((name) =>
      crew({ name, tasks: [job(name, { agent: lead })], agents: [lead, helper], bosun }),
    );

    const results = await Promise.all(crews.map((made) => made.kickoff()));

    expect(results.map(({ raw }) => raw)).toEqual([
      "[d1] Helper answers:\nhelped one",
      "[d1] Helper answers:\nhelped two",
    ]);
    expect(results.map(({ agents: own }) => own["Helper"]?.calls)).toEqual([1, 1]);
    expect(model.requests).toHaveLength(6);
  });
});

describe("a stream of a run with delegations", () => {
  it("tells whose words each piece of text is, by its path", async () => {
    const { made } = led(byWho({ lead: [calling(delegate("A", "t")), "done"], A: "one two" }), {
      agents,
    });

    const { events } = await eventsOf(made.stream());

    const texts = only(events, "model-delta").map(({ agent, path, text }) => [
      agent,
      path.length,
      text,
    ]);
    expect(texts).toEqual([
      ["A", 5, "one two"],
      ["Crew manager", 2, "done"],
    ]);
  });
});

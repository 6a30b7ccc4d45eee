import { describe, expect, it } from "vitest";
import type { Bosun } from "../../src/bosun.ts";
import { createVirtualClock } from "../../src/clock.ts";
import { flow, listen, start } from "../../src/flow.ts";
import type { Json } from "../../src/json.ts";
import type { AskLimits, Question } from "../../src/orchestration/tool/approval.ts";
import { errorOf } from "../orchestration/run/scenario.ts";
import { bosunFor, bosunOn, firstQuestion, folder, ofTask, timelyBosun } from "./flow-scene.ts";

const bosun = bosunFor();

/** Writes, asks a person about it, and comes to what the person says. */
function asking(limits?: AskLimits, home: Bosun = bosun) {
  return flow(
    "asking",
    { bosun: home, initial: { draft: "" } },
    {
      write: start(({ state }) => void (state.draft = "a draft")),
      check: listen("write", ({ ask, state }) => ask(`is "${state.draft}" good?`, limits)),
    },
  );
}

describe("a question of a step", () => {
  it("is answered by the kickoff's onAsk, which is told whose it is", async () => {
    const questions: Question[] = [];
    const result = await asking().kickoff({
      runId: "r",
      onAsk: (question) => {
        questions.push(question);
        return { ok: true, edit: "a better one" };
      },
    });

    expect(result.output).toEqual({ ok: true, edit: "a better one" });
    expect(questions).toMatchObject([
      { runId: "r", subject: "question", text: 'is "a draft" good?', task: "check" },
    ]);
  });

  it("is answered by whoever has started the run, by its name, once", async () => {
    const run = await bosun.start(asking(), { inputs: {} });
    const { name } = await firstQuestion(run);
    const given = [
      run.answer("another", { ok: true }),
      run.answer(name, { ok: false, reason: "too long" }),
      run.answer(name, { ok: true }),
    ];

    expect((await run.ended).output).toEqual({ ok: false, reason: "too long" });
    expect(given).toEqual([false, true, false]);
  });

  it("gets its default at once where a kickoff can ask nobody", async () => {
    const [rejected, approved] = await Promise.all([
      asking().kickoff(),
      asking({ onTimeout: "approve" }).kickoff(),
    ]);

    expect(rejected.output).toMatchObject({ ok: false });
    expect(approved.output).toEqual({ ok: true });
  });

  it("gets its default when nobody has answered in time", async () => {
    const home = timelyBosun();
    const run = await home.start(asking({ timeoutMs: 5, onTimeout: "approve" }), { inputs: {} });

    expect((await run.ended).output).toEqual({ ok: true });
  });

  it("takes no time of its step and of its flow", async () => {
    const home = timelyBosun();
    const slow = flow(
      "slow",
      { timeoutMs: 100 },
      { begin: start(({ ask }) => ask("?", { timeoutMs: 10_000 }), { timeoutMs: 50 }) },
    );
    const ended = await (await home.start(slow, { inputs: {} })).ended;

    expect(ended).toMatchObject({ status: "done", output: { ok: false } });
  });

  it("that is the second one of its step has another name", async () => {
    const names: string[] = [];
    const twice = flow(
      "twice",
      { bosun },
      { begin: start(async ({ ask }) => [await ask("one?"), await ask("two?")]) },
    );
    const result = await twice.kickoff({
      onAsk: ({ name }) => {
        names.push(name);
        return { ok: true };
      },
    });

    expect(new Set(names).size).toBe(2);
    expect(result.output).toEqual([{ ok: true }, { ok: true }]);
  });
});

/** Waits twice for "payment", once the gate is open, and comes to both. */
function paying(ready: Promise<null> = Promise.resolve(null), timeoutMs = 60_000) {
  return flow(
    "paying",
    {},
    {
      begin: start(({ step }) => step("ready", () => ready)),
      wait: listen("begin", async ({ waitFor }): Promise<Json> => {
        const one = await waitFor("payment", { timeoutMs });
        return [one, await waitFor("payment", { timeoutMs, otherwise: "nothing" })];
      }),
    },
  );
}

/** Gives a run something from outside, as another process would. */
async function send(home: Bosun, id: string, name: string, value: Json): Promise<boolean> {
  return (await (await home.journal())?.send(id, name, value)) ?? false;
}

describe("a wait of a step", () => {
  it("comes to otherwise, or null, when nothing came in time", async () => {
    const run = await timelyBosun().start(paying(undefined, 5), { inputs: {} });

    expect((await run.ended).output).toEqual([null, "nothing"]);
  });

  it("comes to what was given, also before it was waited for; the second one is NAME~2", async () => {
    const home = bosunOn(folder());
    const ready = Promise.withResolvers<null>();
    const run = await home.start(paying(ready.promise), { inputs: {}, runId: "r" });
    const early = await send(home, "r", "payment", { euros: 5 });
    const again = await send(home, "r", "payment", { euros: 6 });
    ready.resolve(null);
    const second = await send(home, "r", "payment~2", null);
    const { output } = await run.ended;
    await home.close();

    expect([early, again, second]).toEqual([true, false, true]);
    expect(output).toEqual([{ euros: 5 }, null]);
  });
});

describe("a run of a flow that waits", () => {
  it("is given by whoever has started the run, where nothing is kept", async () => {
    const waiting = flow(
      "waiting",
      { bosun },
      { pay: start(({ waitFor }) => waitFor("paid", { timeoutMs: 60_000 })) },
    );

    const run = await bosun.start(waiting, { inputs: {} });
    const given = [run.send("paid", { euros: 5 }), run.send("paid", { euros: 6 })];
    const { output } = await run.ended;

    expect(output).toEqual({ euros: 5 });
    expect(given).toEqual([true, false]);
    expect(run.send("paid", 7)).toBe(false);
  });

  it("is given back, resumed by another Bosun, and gets what was given meanwhile", async () => {
    const data = folder();
    const first = bosunOn(data);
    const run = await first.start(paying(), { inputs: {}, runId: "r" });
    for await (const event of run.log.read(0, new AbortController().signal))
      if (event.type === "step-start" && event.step === "wait") break;
    await first.suspend();
    expect((await errorOf(run.ended)).code).toBe("run/suspended");
    await first.close();

    const second = bosunOn(data);
    const given = await send(second, "r", "payment", 1);
    const resumed = await second.resume(paying(), "r");
    await send(second, "r", "payment~2", 2);
    const { status, output, steps } = await resumed.ended;
    await second.close();

    expect(given).toBe(true);
    expect({ status, output }).toEqual({ status: "done", output: [1, 2] });
    expect(steps["begin"]).toMatchObject({ calls: 1, status: "done" });
  });

  it("asks its question again in the Bosun that resumes it", async () => {
    const data = folder();
    const first = bosunOn(data);
    const run = await first.start(asking(undefined, first), { inputs: {}, runId: "r" });
    const { name } = await firstQuestion(run);
    await first.suspend();
    await first.close();

    const second = bosunOn(data);
    const names: string[] = [];
    const resumed = await second.resume(asking(undefined, second), "r", {
      onAsk: (question) => {
        names.push(question.name);
        return { ok: true };
      },
    });
    const { output } = await resumed.ended;
    await second.close();

    expect(names).toEqual([name]);
    expect(output).toEqual({ ok: true });
  });
});

describe("a flow in a queue", () => {
  const doubling = flow(
    "doubling",
    { initial: { n: 0 } },
    {
      begin: start(({ state }) => void (state.n *= 2)),
      end: listen("begin", ({ state }) => state.n),
    },
  );

  it("is executed by a Bosun that serves it, and its events are in the store", async () => {
    const data = folder();
    const [giver, worker] = [bosunOn(data), bosunOn(data)];
    const stop = new AbortController();
    const serving = worker.serve([doubling], { concurrency: 2 }, stop.signal);
    const ids = await Promise.all(
      [1, 2, 3].map((n) => giver.enqueue(doubling, { inputs: { n }, runId: `job-${n}` })),
    );
    const journal = await giver.journal();
    const ended = await Promise.all(ids.map(async (id) => (await journal?.get(id))?.result()));
    const store = await giver.store();
    const events = store?.events("job-2") ?? [];
    stop.abort();
    await serving;
    await Promise.all([giver.close(), worker.close()]);

    expect(ended).toMatchObject([2, 4, 6].map((output) => ({ status: "done", output })));
    expect([events[0]?.type, events.at(-1)?.type]).toEqual(["flow-start", "run-end"]);
  });

  it("is refused for a wrong state before it is put there", async () => {
    const data = folder();
    const home = bosunOn(data);
    const typed = flow(
      "typed",
      { state: { type: "object", required: ["topic"] } },
      { begin: start(() => null) },
    );
    const error = await errorOf(home.enqueue(typed, { inputs: {}, runId: "r" }));
    const record = await (await home.journal())?.find("r");
    await home.close();

    expect(error.code).toBe("flow/state");
    expect(record).toBeUndefined();
  });
});

const waiting = (home: Bosun) =>
  flow(
    "late",
    { bosun: home },
    {
      wait: start(({ waitFor }) => waitFor("paid", { timeoutMs: 60_000, otherwise: "unpaid" })),
      check: start(({ ask }) => ask("Pay?", { timeoutMs: 60_000 })),
    },
  );

describe("what comes when its time is over, and no process was there to see it", () => {
  it("is refused, and the flow goes on without it", async () => {
    const data = folder();
    const first = bosunOn(data, ofTask, { clock: createVirtualClock({ auto: false }) });
    const run = await first.start(waiting(first), { inputs: {}, runId: "r" });
    const { name } = await firstQuestion(run);
    await first.suspend();
    await first.close();

    const later = bosunOn(data); // some fifty years
    const journal = await later.journal();
    const given = [
      await journal?.send("r", "paid", "late"),
      await journal?.send("r", name, { ok: true }),
    ];
    const { steps } = await (await later.resume(waiting(later), "r")).ended;
    await later.close();

    expect(given).toEqual([false, false]);
    expect(steps["wait"]?.raw).toBe("unpaid");
    expect(steps["check"]?.raw).toContain("nobody answered within 60000 ms");
  });
});

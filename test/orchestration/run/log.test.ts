import { describe, expect, it } from "vitest";
import { createVirtualClock } from "../../../src/clock.ts";
import { BosunError } from "../../../src/error.ts";
import type { RunEvent, RunFact } from "../../../src/orchestration/run/event.ts";
import { createRunLog, type Recorder, type RunLog } from "../../../src/orchestration/run/log.ts";
import { settle } from "./scenario.ts";

const LIVE = new AbortController().signal;
const START: RunFact = {
  type: "run-start",
  crew: "c",
  process: "sequential",
  inputs: {},
  tasks: [{ name: "a", agent: "A", needs: [] }],
  width: 1,
};
const TASK: RunFact = { type: "task-start", task: "a", agent: "A" };
const END: RunFact = { type: "run-end", status: "done", raw: "" };

const openLog = (record?: Recorder): RunLog =>
  createRunLog({ runId: "r", clock: createVirtualClock(), record });

const delta = (text: string, channel: "text" | "reasoning" = "text") =>
  ({ agent: "A", channel, text }) as const;

/** A recorder whose test says when an event is kept. */
function slowRecorder(): {
  readonly record: Recorder;
  readonly keep: (error?: BosunError) => void;
} {
  const waiting: ((error: BosunError | undefined) => void)[] = [];
  return {
    record: (_event, kept) => void waiting.push(kept),
    keep: (error) => waiting.shift()?.(error),
  };
}

describe("a run log", () => {
  it("yields a fact only after it was kept (L1)", async () => {
    const { record, keep } = slowRecorder();
    const log = openLog(record);
    const reader = log.read(0, LIVE);
    let first: string | undefined;

    const reading = reader.next().then(({ value }) => (first = value?.type));
    log.emit([], START);
    await settle();
    const before = first;
    keep();
    await reading;

    expect([before, first]).toEqual([undefined, "run-start"]);
  });

  it("hands facts to the recorder in the order of seq, and never a delta (L1, L2)", () => {
    const recorded: RunEvent[] = [];
    const log = openLog((event) => recorded.push(event));

    log.emit([], START);
    log.delta(["task:a"], delta("x"));
    log.emit(["task:a"], TASK);
    log.emit([], END);

    expect(recorded.map(({ type, seq }) => [type, seq])).toEqual([
      ["run-start", 1],
      ["task-start", 2],
      ["run-end", 3],
    ]);
  });

  it("keeps deltas between the facts around them (L2)", async () => {
    const log = openLog();
    const reader = log.read(0, LIVE);
    const first = reader.next();
    log.emit([], START);
    await first;

    log.emit(["task:a"], TASK);
    log.delta(["task:a"], delta("a"));
    log.delta(["task:a"], delta("b"));
    log.delta(["task:a"], delta("thought", "reasoning"));
    log.emit(["task:a"], { type: "model-queued", agent: "A", reason: "r" });
    log.delta(["task:a"], delta("c"));
    log.emit([], END);
    const rest = await Array.fromAsync(reader);

    expect(rest.map((event) => (event.type === "model-delta" ? event.text : event.type))).toEqual([
      "task-start",
      "ab",
      "thought",
      "model-queued",
      "c",
      "run-end",
    ]);
  });

  it("accepts nothing after run-end (L3)", async () => {
    const log = openLog();
    log.emit([], START);
    log.emit([], END);

    log.emit(["task:a"], TASK);
    log.delta(["task:a"], delta("late"));
    const events = await Array.fromAsync(log.read(0, LIVE));

    expect(events.map(({ type }) => type)).toEqual(["run-start", "run-end"]);
  });

  it("serves two readers, each with everything from where it began", async () => {
    const log = openLog();
    const early = Array.fromAsync(log.read(0, LIVE));
    log.emit([], START);
    log.emit(["task:a"], TASK);
    await settle();
    const late = Array.fromAsync(log.read(1, LIVE));
    await settle();
    log.delta(["task:a"], delta("x"));
    log.emit([], END);

    expect((await early).map(({ type }) => type)).toEqual([
      "run-start",
      "task-start",
      "model-delta",
      "run-end",
    ]);
    expect((await late).map(({ type }) => type)).toEqual(["task-start", "model-delta", "run-end"]);
  });

  it("lets a reader that comes after the end see all facts", async () => {
    const log = openLog();
    log.emit([], START);
    log.emit([], END);

    const events = await Array.fromAsync(log.read(0, LIVE));

    expect(events).toHaveLength(2);
  });

  it("ends a reader at once that has seen the end already", async () => {
    const log = openLog();
    log.emit([], START);
    log.emit([], END);

    const events = await Array.fromAsync(log.read(2, LIVE));

    expect(events).toEqual([]);
  }, 1_000);

  it("ends a reader whose signal aborts, with the signal's reason, and only that one", async () => {
    const log = openLog();
    const controller = new AbortController();
    const aborted = Array.fromAsync(log.read(0, controller.signal)).catch(
      (error: unknown) => error,
    );
    const other = Array.fromAsync(log.read(0, LIVE));
    log.emit([], START);
    await settle();

    controller.abort(new BosunError("run/cancelled", "enough"));
    log.emit([], END);

    expect(await aborted).toMatchObject({ code: "run/cancelled" });
    expect(await other).toHaveLength(2);
  });

  it("only detaches a reader that leaves its loop", async () => {
    const log = openLog();
    log.emit([], START);
    for await (const event of log.read(0, LIVE)) {
      expect(event.type).toBe("run-start");
      break;
    }

    log.emit([], END);

    expect(log.state.status).toBe("done");
  });

  it("fails readers and flushed() when a fact could not be kept", async () => {
    const { record, keep } = slowRecorder();
    const log = openLog(record);
    const reading = Array.fromAsync(log.read(0, LIVE)).catch((error: unknown) => error);
    log.emit([], START);
    log.emit([], END);

    keep();
    keep(new BosunError("store/failed", "the disk is full"));

    expect(await reading).toMatchObject({ code: "store/failed" });
    await expect(log.flushed()).rejects.toMatchObject({ code: "store/failed" });
  });

  it("lets several wait until everything is kept", async () => {
    const { record, keep } = slowRecorder();
    const log = openLog(record);
    log.emit([], START);

    const both = Promise.all([log.flushed(), log.flushed()]);
    await settle();
    keep();

    await expect(both).resolves.toBeDefined();
  }, 1_000);

  it("keeps what a reader has not taken small: one delta for each answer between two facts", async () => {
    const log = openLog();
    const reader = log.read(0, LIVE);
    const first = reader.next();
    log.emit([], START);
    await first;

    for (let n = 0; n < 1_000; n++) {
      log.delta(["task:a"], delta("a"));
      log.delta(["task:b"], delta("b"));
    }
    log.emit([], END);
    const rest = await Array.fromAsync(reader);

    const texts = rest.flatMap((event) => (event.type === "model-delta" ? [event] : []));
    expect(
      texts
        .filter(({ path }) => path[0] === "task:a")
        .map(({ text }) => text)
        .join(""),
    ).toBe("a".repeat(1_000));
    expect(
      texts
        .filter(({ path }) => path[0] === "task:b")
        .map(({ text }) => text)
        .join(""),
    ).toBe("b".repeat(1_000));
    expect(texts).toHaveLength(2);
  });

  it("keeps the attempt that a fact is emitted with", async () => {
    const log = openLog();
    log.emit([], START);
    log.emit(["task:a~2"], TASK, 2);

    expect(log.state.tasks["a"]?.attempts).toBe(2);
  });

  it("still says that everything was kept after a fact that its fold cannot take", async () => {
    const log = openLog();
    log.emit([], START);

    const broken = (): void =>
      log.emit(["task:a"], {
        type: "tool-end",
        agent: "constructor",
        tool: "t",
        status: "done",
        tokens: 0,
        truncated: false,
        cached: false,
        content: "",
      });

    expect(broken).not.toThrow();
    await expect(log.flushed()).resolves.toBeUndefined();
  }, 1_000);
});

import { describe, expect, it } from "vitest";
import { fromAiSdk } from "../../../../src/ai-sdk.ts";
import { createVirtualClock } from "../../../../src/clock.ts";
import type { ModelEvent } from "../../../../src/inference/model/model.ts";
import { failure, FINISH, listen, REQUEST, said, sdkModel } from "./sdk-model.ts";

describe("the time-outs of a model from the AI SDK", () => {
  it.each([
    ["first-token", { firstTokenMs: 50 }, ["stall" as const], {}],
    ["inter-token", { interTokenMs: 60 }, [said("Hel"), "stall" as const], { text: "Hel" }],
    ["total", { totalMs: 70 }, [said("Hel"), "stall" as const], { text: "Hel" }],
  ])("end it: %s", async (phase, timeouts, steps, details) => {
    const clock = createVirtualClock();
    const sdk = sdkModel(steps);

    const error = await failure(listen(fromAiSdk(sdk, { clock, timeouts })));

    expect(error).toMatchObject({
      code: "model/timed-out",
      details: { phase, ...details },
    });
    expect(error.message).toContain(`${clock.now()} ms`);
    expect(sdk.asked[0]?.abortSignal?.aborted).toBe(true);
  });

  it("do not count what the caller does between two tokens", async () => {
    const clock = createVirtualClock();
    const sdk = sdkModel([said("Hel"), said("lo"), FINISH]);
    const model = fromAiSdk(sdk, { clock, timeouts: { interTokenMs: 60 } });
    const { signal } = new AbortController();

    const seen: ModelEvent[] = [];
    for await (const event of model.call(REQUEST, signal)) {
      seen.push(event);
      await clock.sleep(1_000, signal);
    }

    expect(seen.at(-1)).toMatchObject({ type: "end", text: "Hello" });
  });

  it("of a request win over those of the model", async () => {
    const clock = createVirtualClock();
    const model = fromAiSdk(sdkModel(["stall"]), { clock, timeouts: { firstTokenMs: 50 } });

    await failure(listen(model, { ...REQUEST, timeouts: { firstTokenMs: 20 } }));

    expect(clock.now()).toBe(20);
  });
});

describe("aborting a call of a model from the AI SDK", () => {
  it("ends it at once with what had come, also when the provider does not listen", async () => {
    const controller = new AbortController();
    const sdk = sdkModel([said("Hel"), "stall"]);
    const seen: ModelEvent[] = [];

    const error = await failure(
      (async () => {
        for await (const event of fromAiSdk(sdk).call(REQUEST, controller.signal)) {
          seen.push(event);
          if (event.type === "text-delta") controller.abort(new Error("enough"));
        }
      })(),
    );

    expect(error).toMatchObject({
      code: "model/cancelled",
      cause: { message: "enough" },
      details: { text: "Hel", usage: { source: "estimated" } },
    });
    expect(sdk.asked[0]?.abortSignal?.aborted).toBe(true);
  });

  it("aborts the provider's call too when the loop is left", async () => {
    const sdk = sdkModel([said("Hel"), "stall"]);

    for await (const event of fromAiSdk(sdk).call(REQUEST, new AbortController().signal))
      if (event.type === "text-delta") break;

    expect(sdk.asked[0]?.abortSignal?.aborted).toBe(true);
  });

  it("does not begin a call whose signal has aborted", async () => {
    const sdk = sdkModel([said("never")]);

    const error = await failure(listen(fromAiSdk(sdk), REQUEST, AbortSignal.abort()));

    expect(error.code).toBe("model/cancelled");
    expect(sdk.asked).toEqual([]);
  });
});

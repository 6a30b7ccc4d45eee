import http from "node:http";
import { describe, expect, it } from "vitest";
import { becomesTrue, MODEL, serveTwin, type ServedTwin } from "./served-twin.ts";

/** Sends a body and hangs up as soon as `when` says so. */
function hangUp(served: ServedTwin, body: object, when: "sent" | "first-byte"): Promise<void> {
  return new Promise((resolve) => {
    const request = http.request(`${served.url}/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
    });
    request.on("error", () => resolve()); // our own hanging up
    request.on("response", (response) => {
      response.once("data", () => request.destroy());
      response.on("close", resolve);
    });
    request.end(
      JSON.stringify({
        model: MODEL,
        messages: [{ role: "user", content: "Count." }],
        max_tokens: 4_000,
        ignore_eos: true,
        ...body,
      }),
    );
    if (when === "sent")
      void becomesTrue(() => served.inFlight() > 0).then(() => request.destroy());
  });
}

describe("a client that leaves", () => {
  it.each([
    ["a stream", { stream: true }, "first-byte", 1],
    ["a stream of three choices", { stream: true, n: 3 }, "first-byte", 3],
    ["a whole answer", {}, "sent", 1],
    ["a whole answer of three choices", { n: 3 }, "sent", 3],
  ] as const)("frees the engine of %s", async (_, body, when, aborted) => {
    await using served = await serveTwin({ speed: 1 });

    await hangUp(served, body, when);
    await becomesTrue(() => served.inFlight() === 0);

    expect(served.twin.metrics()).toContain(
      `finished_reason="abort",engine="0",model_name="${MODEL}"} ${aborted}.0`,
    );
  });

  it("frees a request that waits in the queue", async () => {
    await using served = await serveTwin({ speed: 1, engine: { maxNumSeqs: 1 } });
    const first = hangUp(served, { stream: true, max_tokens: 300 }, "first-byte");

    const second = hangUp(served, {}, "sent");
    await Promise.all([first, second]);

    await becomesTrue(() => served.inFlight() === 0);
    expect(served.inFlight()).toBe(0);
  });

  it("frees a request that a fault holds", async () => {
    await using served = await serveTwin({ faults: ["stuck; after=2"] });

    await hangUp(served, { stream: true }, "first-byte");

    await becomesTrue(() => served.inFlight() === 0);
    expect(served.inFlight()).toBe(0);
  });
});

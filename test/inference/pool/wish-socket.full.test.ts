import { describe, expect, it, onTestFinished } from "vitest";
import { systemClock } from "../../../src/clock.ts";
import { toFleet } from "../../../src/inference/fleet/fleet-file.ts";
import { toDeployment } from "../../../src/inference/pool/fleet-deployment.ts";
import { createPool } from "../../../src/inference/pool/pool.ts";
import { startFaultServer } from "../../../src/test/fault-server.ts";
import { jsonReply } from "../../../src/test/wire-reply.ts";
import { becomesTrue } from "../twin/served-twin.ts";

describe("a pool that was told of calls to a Runpod endpoint", () => {
  it("asks its worker again and again for a list of models, over one connection", async () => {
    const awake = jsonReply({ jobs: {}, workers: { running: 1 } });
    const server = await startFaultServer({ routes: { "/health": awake } });
    onTestFinished(() => server.close());
    const model = {
      model: "m",
      endpoints: [{ url: server.url, dialect: "runpod", idleSeconds: 1 }],
    } as const;
    const fleet = toFleet({ models: { m: model } });
    const deployment = toDeployment(fleet, ["m", model], { env: {}, replicasOf: () => undefined });
    const pool = createPool({ clock: systemClock, resolve: () => deployment });
    onTestFinished(() => pool.close());
    const asked = (): number =>
      server.requests.filter(({ path }) => path === "/openai/v1/models").length;
    const task = new AbortController();

    pool.prewarm?.({ models: ["m"], signal: task.signal });
    await becomesTrue(() => asked() >= 3);
    task.abort();

    expect(server.totalSockets).toBe(1);
    expect(new Set(server.requests.map(({ path }) => path))).toEqual(
      new Set(["/health", "/openai/v1/models"]),
    );
  });
});

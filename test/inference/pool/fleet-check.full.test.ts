import { describe, expect, it, onTestFinished } from "vitest";
import { systemClock } from "../../../src/clock.ts";
import type { FleetEndpoint, FleetModel } from "../../../src/inference/fleet/fleet.ts";
import type { JsonObject } from "../../../src/json.ts";
import { createEndpointModel } from "../../../src/inference/model/client.ts";
import { type AskFacts, findContradictions } from "../../../src/inference/pool/fleet-check.ts";
import { toDeployment } from "../../../src/inference/pool/fleet-deployment.ts";
import { startFaultServer } from "../../../src/test/fault-server.ts";
import { NEVER } from "../model/endpoint-bench.ts";
import { MODEL, serveTwin } from "../twin/served-twin.ts";

const ask: AskFacts = async (endpoint, signal) => {
  const model = createEndpointModel({ endpoint, clock: systemClock });
  try {
    return await model.facts(signal);
  } finally {
    model.close();
  }
};

async function contradictionsOf(
  url: string,
  model: Omit<FleetModel, "endpoints"> = {},
  endpoint: Partial<FleetEndpoint> = {},
): Promise<readonly string[]> {
  const written: FleetModel = { ...model, endpoints: [{ url, ...endpoint }] };
  const scene = { env: {}, replicasOf: () => undefined };
  const deployment = toDeployment({ models: { a: written } }, ["a", written], scene);
  const found = await findContradictions(deployment, ask, NEVER);
  expect(found.every(({ code }) => code === "config/invalid")).toBe(true);
  return found.map(({ message }) => message.replace(/^.*?127\.0\.0\.1:\d+: /, ""));
}

async function serverWith(...models: readonly JsonObject[]): Promise<string> {
  const server = await startFaultServer({ models });
  onTestFinished(() => server.close());
  return server.url;
}

describe("what an endpoint tells about itself", () => {
  it("agrees with a file that says the same or less", async () => {
    const twin = await serveTwin();
    onTestFinished(() => twin[Symbol.asyncDispose]());

    expect(await contradictionsOf(twin.url)).toEqual([]);
    expect(
      await contradictionsOf(twin.url, { model: MODEL, maxModelLen: 8_192 }, { dialect: "vllm" }),
    ).toEqual([]);
  });

  it("contradicts a file that says more, with both values", async () => {
    const twin = await serveTwin();
    onTestFinished(() => twin[Symbol.asyncDispose]());

    const found = await contradictionsOf(
      twin.url,
      { model: "gpt-4o", maxModelLen: 32_768 },
      { dialect: "ollama" },
    );

    expect(found).toEqual([
      `the file says model gpt-4o, and it serves ${MODEL}`,
      expect.stringMatching(/the file says maxModelLen 32768, and its context is 8192/),
      "the file says dialect ollama, and it is vllm",
    ]);
  });

  it("contradicts a file that names no model where there are several", async () => {
    const url = await serverWith({ id: "one" }, { id: "two" });

    expect(await contradictionsOf(url)).toEqual([
      "it serves several models, and the file names none. Write model: one of one, two",
    ]);
  });

  it("takes Ollama's names without their tag", async () => {
    const url = await serverWith({ id: "llama3:latest", owned_by: "library" });

    expect(await contradictionsOf(url, { model: "llama3" })).toEqual([]);
  });

  it("is not asked of one that would start a worker for it, nor missed where nobody answers", async () => {
    expect(await contradictionsOf("http://127.0.0.1:9/v1", { model: "m" })).toEqual([]);
    const server = await startFaultServer({ models: [{ id: "other" }] });
    onTestFinished(() => server.close());
    expect(await contradictionsOf(server.url, { model: "m" }, { dialect: "runpod" })).toEqual([]);
    expect(server.requests).toEqual([]);
  });
});

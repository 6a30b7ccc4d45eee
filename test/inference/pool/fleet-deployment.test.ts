import { describe, expect, it } from "vitest";
import type { Fleet, FleetEndpoint } from "../../../src/inference/fleet/fleet.ts";
import { toFleet } from "../../../src/inference/fleet/fleet-file.ts";
import type { Deployment } from "../../../src/inference/pool/deployment.ts";
import { toDeployment } from "../../../src/inference/pool/fleet-deployment.ts";

type Made = { readonly env?: Record<string, string>; readonly urls?: readonly string[] };

function deploymentOf(fleet: Fleet, alias: string, { env = {}, urls }: Made = {}): Deployment {
  const model = toFleet(fleet).models[alias];
  if (!model) throw new Error(`no ${alias}`);
  const replicasOf = ({ replicas }: FleetEndpoint) => (replicas ? urls : undefined);
  return toDeployment(fleet, [alias, model], { env, replicasOf });
}

describe("the deployment of a fleet's model", () => {
  it("has its endpoints with what they hold, and its settings once for all of them", () => {
    const deployment = deploymentOf(
      {
        tenants: { acme: 2 },
        models: {
          large: {
            model: "Qwen/Qwen3-32B",
            maxModelLen: 8_192,
            temperature: 0.2,
            thinking: false,
            timeouts: { queueMs: 1_000 },
            route: "session",
            order: "fcfs",
            maxQueued: 5,
            hedge: true,
            endpoints: [
              {
                url: "http://gpu-1:8000/v1/",
                dialect: "vllm",
                maxNumSeqs: 64,
                kvTokens: 90_000,
                maxWorkers: 2,
                accepts: { priority: true },
              },
              { url: "http://gpu-2:8000/v1", name: "second", apiKeyEnv: "KEY" },
            ],
          },
        },
      },
      "large",
    );

    expect(deployment).toMatchObject({
      type: "deployment",
      name: "large",
      settings: { temperature: 0.2, thinking: false },
      route: "session",
      order: "fcfs",
      maxQueued: 5,
      hedge: true,
      tenants: { acme: 2 },
    });
    expect(deployment.endpoints).toEqual([
      {
        name: "gpu-1:8000",
        at: {
          type: "endpoint",
          url: "http://gpu-1:8000/v1",
          model: "Qwen/Qwen3-32B",
          dialect: "vllm",
          maxModelLen: 8_192,
          timeouts: { queueMs: 1_000 },
        },
        capacity: { maxNumSeqs: 64, kvTokens: 90_000, maxWorkers: 2 },
        accepts: { priority: true },
      },
      {
        name: "second",
        at: {
          type: "endpoint",
          url: "http://gpu-2:8000/v1",
          model: "Qwen/Qwen3-32B",
          apiKeyEnv: "KEY",
          maxModelLen: 8_192,
          timeouts: { queueMs: 1_000 },
        },
        capacity: {},
      },
    ]);
  });

  it("keeps Runpod's workers awake as the file says, and others only where it says so", () => {
    const runpod = "https://api.runpod.ai/v2/ID/openai/v1";
    const idleOf = (one: Partial<FleetEndpoint>) =>
      deploymentOf({ models: { m: { model: "m", endpoints: [{ url: runpod, ...one }] } } }, "m")
        .endpoints[0].idle;

    expect(idleOf({})).toEqual({ leavesAfterMs: 5_000, keptAwakeMs: 300_000 });
    expect(idleOf({ idleSeconds: 60, keepAwakeSeconds: 0 })).toEqual({
      leavesAfterMs: 60_000,
      keptAwakeMs: 0,
    });
    expect(idleOf({ url: "http://gpu-1:8000/v1" })).toBeUndefined();
    expect(idleOf({ url: "http://gpu-1:8000/v1", idleSeconds: 60 })).toEqual({
      leavesAfterMs: 60_000,
      keptAwakeMs: 300_000,
    });
  });

  it("is a provider's address, dialect and key, with the alias as its model", () => {
    const fleet: Fleet = {
      models: {
        "gpt-4o-mini": { provider: "openai" },
        small: { provider: "ollama", model: "qwen3:8b" },
      },
    };

    expect(deploymentOf(fleet, "gpt-4o-mini").endpoints).toMatchObject([
      {
        name: "api.openai.com",
        at: {
          url: "https://api.openai.com/v1",
          model: "gpt-4o-mini",
          dialect: "openai",
          apiKeyEnv: "OPENAI_API_KEY",
        },
      },
    ]);
    const env = { OLLAMA_HOST: "gpu-9:11434" };
    expect(deploymentOf(fleet, "small", { env }).endpoints).toMatchObject([
      { at: { url: "http://gpu-9:11434/v1", model: "qwen3:8b", dialect: "ollama" } },
    ]);
  });

  it("has an endpoint for each replica, each with a name and the capacity of one", () => {
    const one = {
      url: "http://gpu:8000/v1",
      name: "pod",
      kvTokens: 10,
      replicas: { dns: "gpu:8000" },
    };
    const urls = ["http://10.0.0.1:8000/v1", "http://10.0.0.2:8000/v1"];

    const { endpoints } = deploymentOf({ models: { a: { endpoints: [one] } } }, "a", { urls });

    expect(endpoints.map(({ name, capacity }) => [name, capacity])).toEqual([
      ["pod@10.0.0.1:8000", { kvTokens: 10 }],
      ["pod@10.0.0.2:8000", { kvTokens: 10 }],
    ]);
  });

  it("is its own URL as long as nobody knows its replicas", () => {
    const one = { url: "http://gpu:8000/v1", replicas: { dns: "gpu:8000" } };

    const { endpoints } = deploymentOf({ models: { a: { endpoints: [one] } } }, "a");

    expect(endpoints.map(({ name }) => name)).toEqual(["gpu:8000"]);
  });

  it("names endpoints of one host by their paths", () => {
    const endpoints: FleetEndpoint[] = ["a", "b"].map((path) => ({ url: `http://gw/${path}/v1` }));
    const [first, second] = endpoints;
    if (!first || !second) throw new Error("two");

    const made = deploymentOf({ models: { a: { endpoints: [first, second] } } }, "a");

    expect(made.endpoints.map(({ name }) => name)).toEqual(["gw", "gw/b/v1"]);
  });

  it("is the gateway where there is one, which knows the model by its alias", () => {
    const fleet: Fleet = {
      gateway: "http://gateway:8400/v1",
      models: { large: { model: "Qwen/Qwen3-32B", maxModelLen: 8_192, seed: 1 } },
    };

    expect(deploymentOf(fleet, "large")).toMatchObject({
      endpoints: [
        {
          name: "gateway:8400",
          at: { url: "http://gateway:8400/v1", model: "large", maxModelLen: 8_192, gateway: true },
        },
      ],
      settings: { seed: 1 },
    });
  });

  it("sends the gateway's token where there is one", () => {
    const fleet: Fleet = { gateway: "http://gateway/v1", models: { large: {} } };
    const at = (env: Record<string, string>) =>
      deploymentOf(fleet, "large", { env }).endpoints[0].at;

    expect(at({ BOSUN_GATEWAY_TOKEN: "t" })).toMatchObject({ apiKeyEnv: "BOSUN_GATEWAY_TOKEN" });
    expect(at({})).not.toHaveProperty("apiKeyEnv");
  });
});

import { describe, expect, it } from "vitest";
import { MODEL, serveTwin } from "../inference/twin/served-twin.ts";
import { newFolder, runBosun, startBosun, TWO_AGENTS } from "./bosun-process.ts";

/** A fleet file of one model at these URLs. */
const fleetOf = (url: string, more = ""): string =>
  `${more}\nmodels:\n  large:\n    model: ${MODEL}\n    endpoints: [{ url: ${url} }]\n`;

/** A gateway on a free port that lives as long as its scope. */
async function startGateway(fleet: string, ...args: readonly string[]) {
  const cwd = newFolder({ "bosun.fleet.yaml": fleet });
  const gateway = startBosun(["gateway", "--port", "0", ...args], { cwd, env: { TOKEN: "t-1" } });
  const said = await gateway.said("Ctrl-C ends it.");
  const url = /http:\/\/[\d.]+:\d+/.exec(said)?.[0] ?? "";
  return { gateway, said, url, [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose]() };
}

describe("bosun gateway", () => {
  it("says on stderr where it is and what it serves, and ends by a signal", async () => {
    await using twin = await serveTwin();
    await using served = await startGateway(fleetOf(twin.url));

    served.gateway.kill("SIGTERM");
    const { code, out, err } = await served.gateway.ended;

    expect(err).toContain(`The gateway answers at ${served.url}/v1`);
    expect(err).toContain("Models: default, large (default is large), from bosun.fleet.yaml");
    expect([code, out]).toEqual([0, ""]);
  });

  it("serves a whole crew whose fleet file names it, and counts its calls", async () => {
    await using twin = await serveTwin();
    await using served = await startGateway(fleetOf(twin.url));
    const fleet = `gateway: ${served.url}/v1\nmodels:\n  large: { maxTokens: 200 }\n`;
    const cwd = newFolder({ "crew.ts": TWO_AGENTS, "bosun.fleet.yaml": fleet });

    const { code, out } = await runBosun(["run", "crew.ts", "--json"], { cwd });
    const metrics = await (await fetch(`${served.url}/metrics`)).text();

    expect(code).toBe(0);
    expect(out).toContain(`"endpoint":"${new URL(twin.url).host}"`);
    expect(metrics).toMatch(/^bosun_pool_admitted_total 2$/m);
  });

  it("goes to the endpoints itself, whatever gateway its file names", async () => {
    await using twin = await serveTwin();
    await using served = await startGateway(fleetOf(twin.url, "gateway: http://127.0.0.1:1/v1"));

    const response = await fetch(`${served.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: "default", messages: [{ role: "user", content: "Hello" }] }),
    });

    expect(response.status).toBe(200);
  });

  it("asks for its token, but for its health", async () => {
    await using twin = await serveTwin();
    await using served = await startGateway(fleetOf(twin.url), "--token-env", "TOKEN");
    const fleet = `gateway: ${served.url}/v1\nmodels:\n  large: { maxTokens: 200 }\n`;
    const cwd = newFolder({ "crew.ts": TWO_AGENTS, "bosun.fleet.yaml": fleet });

    const statuses = ["/metrics", "/v1/models", "/health"].map(
      async (path) => (await fetch(`${served.url}${path}`)).status,
    );
    const ran = await runBosun(["run", "crew.ts"], { cwd, env: { BOSUN_GATEWAY_TOKEN: "t-1" } });

    expect(await Promise.all(statuses)).toEqual([401, 401, 200]);
    expect(ran.code).toBe(0);
  });

  it.each([
    ["gateway: http://127.0.0.1:1/v1\nmodels: { large: {} }", [], "has neither endpoints nor"],
    [
      "models: { large: { provider: ollama } }",
      ["--token-env", "NONE"],
      "this variable is not set",
    ],
    ["models: { large: { provider: ollama } }", ["--host", "0.0.0.0"], "set a token"],
    ["models: {}", [], "bosun.fleet.yaml"],
  ])("refuses a start that cannot serve: %s %j", async (fleet, args, message) => {
    const cwd = newFolder({ "bosun.fleet.yaml": fleet });

    const { code, err } = await runBosun(["gateway", "--port", "0", ...args], { cwd });

    expect(err).toContain(message);
    expect(code).toBe(2);
  });
});

import { describe, expect, it } from "vitest";
import { fillerSource } from "../../src/inference/twin/text/plain-source.ts";
import { becomesTrue, MODEL, serveTwin } from "../inference/twin/served-twin.ts";
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

/** A streamed answer: what came first, and all that comes behind it. */
async function openStream(url: string): Promise<{ first: string; rest: Promise<string> }> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      model: "default",
      stream: true,
      messages: [{ role: "user", content: "Hello" }],
    }),
  });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  const first = (await reader?.read())?.value ?? "";
  const readRest = async (): Promise<string> => {
    let text = "";
    for (let next = await reader?.read(); next && !next.done; next = await reader?.read())
      text += next.value;
    return text;
  };
  return { first, rest: readRest() };
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

  it("lets an open stream end at SIGTERM, takes no other call, and ends with 0", async () => {
    await using twin = await serveTwin({ source: fillerSource(400), speed: 4 });
    await using served = await startGateway(fleetOf(twin.url));
    const { first, rest } = await openStream(served.url);

    served.gateway.kill("SIGTERM");
    await served.gateway.said("Closing: 1 open call may go on for 25 s.");
    await expect(fetch(`${served.url}/health`)).rejects.toThrow("fetch failed");
    const wasOpen = twin.inFlight();
    const text = await rest;
    const { code } = await served.gateway.ended;

    expect(first).not.toContain("[DONE]");
    expect(wasOpen).toBe(1);
    expect(text.trimEnd()).toMatch(/data: \[DONE\]$/);
    expect(text).toContain('"finish_reason":"stop"');
    expect(code).toBe(0);
  });

  it("cuts a stream that is open longer than --drain, and its call at the GPU", async () => {
    await using twin = await serveTwin({ source: fillerSource(8_000), speed: 1 });
    await using served = await startGateway(fleetOf(twin.url), "--drain", "0.1");
    const { rest } = await openStream(served.url);
    const failed = rest.catch((error: unknown) => error);

    served.gateway.kill("SIGTERM");
    const { code, err } = await served.gateway.ended;
    await becomesTrue(() => twin.inFlight() === 0);

    expect(await failed).toBeInstanceOf(Error);
    expect(err).toContain("may go on for 0.1 s");
    expect(code).toBe(0);
  });

  it("ends at once by a second signal", async () => {
    await using twin = await serveTwin({ source: fillerSource(8_000), speed: 1 });
    await using served = await startGateway(fleetOf(twin.url), "--drain", "3600");
    const { rest } = await openStream(served.url);
    const failed = rest.catch((error: unknown) => error);

    served.gateway.kill("SIGTERM");
    await served.gateway.said("Closing: ");
    served.gateway.kill("SIGTERM");
    const { code } = await served.gateway.ended;

    expect(await failed).toBeInstanceOf(Error);
    expect(code).toBe(130);
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
    ["models: { large: { provider: ollama } }", ["--drain", "4000"], "0 to 3600"],
    ["models: {}", [], "bosun.fleet.yaml"],
  ])("refuses a start that cannot serve: %s %j", async (fleet, args, message) => {
    const cwd = newFolder({ "bosun.fleet.yaml": fleet });

    const { code, err } = await runBosun(["gateway", "--port", "0", ...args], { cwd });

    expect(err).toContain(message);
    expect(code).toBe(2);
  });
});

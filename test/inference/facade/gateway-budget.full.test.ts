import { describe, expect, it } from "vitest";
import { startBosun } from "../../cli/bosun-process.ts";
import {
  askRaw,
  fleetFile,
  MODEL,
  mostLasting,
  runWorkers,
  serveSmallTwin,
  type SmallTwin,
  watchMetrics,
} from "./gateway-scene.ts";

const NAMES = ["ada", "bob", "cyd", "dee"];
const RUNS = 6;
const KV_TOKENS = 4_096;
/** What the fleet file gives away of it: calls hold whole blocks, and a part of their last ones stays empty. */
const BUDGET = 3_840;
const SMALL = { kvTokens: KV_TOKENS, answerTokens: 150 };

const MODELS = `
models:
  large:
    model: ${MODEL}
    maxTokens: 160
`;

/** The fleet of the gateway, and of who goes directly. */
const ownFleet = ({ url }: SmallTwin): string =>
  fleetFile(`${MODELS}    endpoints: [{ url: ${url}/v1, dialect: vllm, kvTokens: ${BUDGET} }]\n`);

const series = (name: string): RegExp => new RegExp(`^${name}\\{[^}]*\\} ([\\d.]+)`, "m");
const WAITING = series("vllm:num_requests_waiting");
const PREEMPTIONS = series("vllm:num_preemptions_total");
const RESERVED = series("bosun_pool_reserved_tokens");

/** Calls that the twin let wait for over a second of its own time: no step is so long, so there was no room for them. */
async function heldBack({ url }: SmallTwin): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const count = (rest: string): number =>
    Number(
      new RegExp(`^vllm:request_queue_time_seconds_${rest}[^}]*\\} ([\\d.]+)`, "m").exec(text)?.[1],
    );
  return count("count") - count('bucket\\{[^}]*le="1.0"');
}

type Target = { readonly fleet: string; readonly url: string; readonly model: string };

/** What the twin and who is asked show while four processes and a foreign client are at it. */
async function load(twin: SmallTwin, { fleet, url, model }: Target) {
  await askRaw(url, model, "Who are you? "); // whoever is asked first has to find out what the twin holds
  const foreign: Promise<number>[] = [];
  const ready = Promise.withResolvers<void>();
  const workers = runWorkers(fleet, NAMES, {
    runs: RUNS,
    onGo: async () => {
      ready.resolve();
      for (let index = 0; index < 24; index++)
        foreign.push(askRaw(url, model, `What does stranger ${index} want here? `));
    },
  });
  await Promise.race([ready.promise, workers]); // a worker that cannot start fails the test
  const [ofTwin, ofGateway] = await Promise.all([
    watchMetrics(`${twin.url}/metrics`, [WAITING, PREEMPTIONS], workers),
    watchMetrics(`${url}/metrics`, [RESERVED], workers),
  ]);
  return {
    done: await workers,
    statuses: new Set(await Promise.all(foreign)),
    waiting: mostLasting(ofTwin[0] ?? [], 5),
    heldBack: await heldBack(twin),
    preemptions: ofTwin[1]?.at(-1),
    reserved: Math.max(...(ofGateway[0] ?? [])),
  };
}

describe("four processes and a foreign client on one endpoint", () => {
  it("keep its budget together when all go through the gateway", async () => {
    await using twin = await serveSmallTwin(SMALL);
    await using gateway = startBosun(["gateway", "--port", "0", "--fleet", ownFleet(twin)]);
    const said = await gateway.said("Ctrl-C ends it.");
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(said)?.[0] ?? "";
    const fleet = fleetFile(`gateway: ${url}/v1\n${MODELS}`);

    const seen = await load(twin, { fleet, url, model: "large" });

    expect(seen.done).toEqual(NAMES.map(() => `${RUNS} done`));
    expect(seen.statuses).toEqual(new Set([200]));
    expect(seen.waiting).toBeLessThanOrEqual(2);
    expect(seen.heldBack).toBeLessThanOrEqual(2);
    expect(seen.preemptions).toBe(0);
    expect(seen.reserved).toBeGreaterThan(BUDGET / 2);
  });

  it("fill the endpoint's own queue when each goes there by itself", async () => {
    await using twin = await serveSmallTwin(SMALL);

    const seen = await load(twin, { fleet: ownFleet(twin), url: twin.url, model: MODEL });

    expect(seen.heldBack).toBeGreaterThan(2);
    expect(seen.preemptions).toBeGreaterThan(0);
  });
});

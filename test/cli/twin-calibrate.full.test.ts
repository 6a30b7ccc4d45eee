import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { listen } from "../../src/inference/facade/listen.ts";
import { createFaults } from "../../src/inference/twin/fault.ts";
import { createTwinServer } from "../../src/inference/twin/http/server.ts";
import { readCalibration } from "../../src/inference/twin/latency/calibration.ts";
import { planTwin } from "../../src/inference/twin/setup.ts";
import { startTwin } from "../../src/inference/twin/start.ts";
import { fillerSource } from "../../src/inference/twin/text/plain-source.ts";
import { startFaultServer, textReply } from "../../src/test/index.ts";
import { newFolder, ROOT, runBosun } from "./bosun-process.ts";

/** Four times as fast as the real one: the test then takes seconds. */
const SPEED = 4;

async function startServer(signal: AbortSignal) {
  const plan = planTwin({ gpu: "H100-SXM", model: "Qwen/Qwen3-8B" });
  const twin = startTwin(plan, {
    clock: systemClock,
    source: fillerSource(64),
    faults: createFaults([], 0),
    speed: SPEED,
  });
  return listen(createTwinServer(twin, { onError: () => undefined }), {
    port: 0,
    host: "127.0.0.1",
    signal,
  });
}

describe("bosun twin calibrate", () => {
  it("finds over HTTP what a server's steps take, prints it and writes it to a file", async () => {
    const ending = new AbortController();
    const server = await startServer(ending.signal);
    const file = join(newFolder(), "calibration.json");

    const { code, out } = await runBosun([
      "twin",
      "calibrate",
      "--endpoint",
      `${server.url}/v1`,
      "--out",
      file,
    ]);
    ending.abort();

    expect(code).toBe(0);
    expect(out).toContain("Qwen/Qwen3-8B at http://127.0.0.1");
    expect(out).toMatch(/^fixedMs +[\d.]+ {2}step$/m);
    expect(out).toMatch(/^1 × \d+ tokens: first token +[\d.]+ +[\d.]+ +-?[\d.]+ %$/m);
    expect(out).toContain(`twin --calibration ${file}`);
    const { coefficients, meanError } = readCalibration(readFileSync(file, "utf8"), file);
    const stepMs = (coefficients.fixedMs + coefficients.readMs) * SPEED;
    expect(stepMs).toBeGreaterThan(5.5); // 6.8 ms; the machine that tests adds its own
    expect(stepMs).toBeLessThan(12);
    expect(meanError).toBeLessThan(0.3);
  });

  it("says of a server that ends its answers early that it cannot be measured", async () => {
    await using server = await startFaultServer({ replies: () => textReply("one ", "two") });

    const { code, err } = await runBosun(["twin", "calibrate", "--endpoint", server.url]);

    expect(code).toBe(1);
    expect(err).toContain("ignore_eos");
  });

  it("wants a URL, and a file that can be written", async () => {
    const { code, err } = await runBosun(["twin", "calibrate", "--endpoint", "gpu-1"]);

    expect(code).toBe(2);
    expect(err).toContain("http://gpu-1:8000/v1");
  });
});

describe("bosun twin --calibration", () => {
  it("refuses a file that is no calibration", async () => {
    const { code, err } = await runBosun([
      "twin",
      "--port",
      "0",
      "--calibration",
      join(ROOT, "package.json"),
    ]);

    expect(code).toBe(2);
    expect(err).toContain("no calibration");
  });
});

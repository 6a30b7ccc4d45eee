import { describe, expect, it } from "vitest";
import { newFolder, runBosun, startBosun, TWO_AGENTS } from "./bosun-process.ts";

const TOOLS = ["--enable-auto-tool-choice", "--tool-call-parser", "hermes"];

/** A twin on a free port that lives as long as its scope. */
async function startTwin(...args: readonly string[]) {
  const twin = startBosun(["twin", "--port", "0", "--speed", "20x", ...args]);
  const said = await twin.said("Ctrl-C ends it.");
  const url = /http:\/\/127\.0\.0\.1:\d+\/v1/.exec(said)?.[0] ?? "";
  return { url, said, [Symbol.asyncDispose]: () => twin[Symbol.asyncDispose](), twin };
}

describe("bosun twin", () => {
  it("says that it is simulated, and on stderr what vLLM says at its start", async () => {
    await using served = await startTwin(
      "--gpu",
      "L40S",
      "--model",
      "Qwen/Qwen3-32B-FP8",
      "--max-model-len",
      "8192",
    );

    expect(served.said).toContain(
      "Simulated: a twin of vLLM with Qwen/Qwen3-32B-FP8 on L40S, 1 replica, 20 times as fast as real time",
    );
    served.twin.kill("SIGINT");
    const { code, err } = await served.twin.ended;
    expect(err).toMatch(/^GPU KV cache size: [\d,]+ tokens$/m);
    expect(err).toMatch(/^Maximum concurrency for 8,192 tokens per request: \d\.\d\dx$/m);
    expect(code).toBe(0);
  });

  it("passes every check of bosun doctor", async () => {
    await using served = await startTwin(...TOOLS);

    const { code, out } = await runBosun(["doctor", "--json", "--model", served.url]);

    const report = JSON.parse(out) as {
      checks: { name: string; status: string; detail: string }[];
    }; // `as`: checked below
    expect(report.checks.filter(({ status }) => status !== "ok")).toEqual([]);
    expect(report.checks.find(({ name }) => name === "tool calling")?.detail).toBe("native");
    expect(code).toBe(0);
  });

  it("lets doctor find the flag that it was started without", async () => {
    await using served = await startTwin();

    const { out } = await runBosun(["doctor", "--json", "--model", served.url]);

    expect(out).toContain("--enable-auto-tool-choice --tool-call-parser");
  });

  it("serves a whole crew", async () => {
    await using served = await startTwin("--text", "filler:30", "--replicas", "2");
    const cwd = newFolder({ "crew.ts": TWO_AGENTS });

    const { code, out } = await runBosun(["run", "crew.ts", "--json", "--model", served.url], {
      cwd,
    });

    expect(out).toContain('"type":"run-end"');
    expect(out).toContain("filler text of a twin");
    expect(code).toBe(0);
  });

  it("is a Runpod endpoint to whom it is one: its path, its workers, its bill", async () => {
    const flags = ["--serverless", "--workers-max", "2", "--scaler", "REQUEST_COUNT:1"];
    await using served = await startTwin("--text", "filler:30", ...flags, "--speed", "400x");
    const cwd = newFolder({ "crew.ts": TWO_AGENTS });
    const base = served.url.replace("/v1", "/v2/twin");

    const { code } = await runBosun(["run", "crew.ts", "--model", `${base}/openai/v1`], { cwd });
    const health = await (await fetch(`${base}/health`)).json();
    served.twin.kill("SIGINT");
    const { err } = await served.twin.ended;

    expect(code).toBe(0);
    // The list of models, of which the context is read, is a job there as everything below /openai is; then two calls.
    expect(health).toMatchObject({ jobs: { completed: 3, inQueue: 0, inProgress: 0 } });
    expect(err).toMatch(/^Simulated bill: \d+ worker seconds, \$\d\.\d{4} \(Runpod/m);
  });

  it("says what a script's file says", async () => {
    const folder = newFolder({
      "crew.ts": TWO_AGENTS,
      "script.json": '[{"match": "Write about", "text": "A report on ships."}, "Facts."]',
    });
    await using served = await startTwin("--text", `${folder}/script.json`);

    const { code, out } = await runBosun(["run", "crew.ts", "--json", "--model", served.url], {
      cwd: folder,
    });

    expect(served.said).toContain("Texts: script.json");
    expect(out).toContain("A report on ships.");
    expect(code).toBe(0);
  });

  it("lets a crew survive faults that a server may have", async () => {
    await using served = await startTwin(
      "--text",
      "filler:30",
      "--fault",
      "503; p=0.4",
      "--seed",
      "7",
    );
    const cwd = newFolder({ "crew.ts": TWO_AGENTS });

    const { code, out } = await runBosun(["run", "crew.ts", "--json", "--model", served.url], {
      cwd,
    });

    expect([code, out.includes('"status":"done"')]).toEqual([0, true]);
  });

  it.each([
    [["--gpu", "RTX-4090", "--model", "Qwen/Qwen3-32B"], "CUDA out of memory", "What would fit:"],
    [
      ["--gpu", "L40S", "--model", "Qwen/Qwen3-32B-FP8"],
      "To serve at least one request",
      "--max-model-len",
    ],
    [
      ["--max-model-len", "1000000"],
      "is greater than the derived max_model_len",
      "--max-model-len 40960",
    ],
    [["--enable-auto-tool-choice"], "--enable-auto-tool-choice requires --tool-call-parser", ""],
    [["--gpu", "abacus"], "abacus", ""],
    [["--fault", "gremlins"], "there is no such fault", ""],
    [["--text", "nowhere.json"], "neither extractive, echo, filler", ""],
    [["--speed", "-1"], "above 0", ""],
    [["--workers-max", "3"], "--workers-max counts only with --serverless", ""],
    [["--serverless", "--scaler", "LUCK:4"], "QUEUE_DELAY:SECONDS or REQUEST_COUNT:REQUESTS", ""],
    [["--serverless", "--workers-min", "4"], "workersMax", ""],
    [["--serverless", "--replicas", "2"], "the workers of a serverless endpoint scale", ""],
    [["--host", "0.0.0.0"], "set a token", ""],
  ])("does not start with %j, and says why", async (args, reason, advice) => {
    const { code, err, out } = await runBosun(["twin", "--port", "0", ...args]);

    expect(err).toContain(reason);
    expect(err).toContain(advice);
    expect([code, out]).toEqual([2, ""]);
  });

  it("has a help that says what it is", async () => {
    const { out } = await runBosun(["twin", "--help"]);

    expect(out).toContain("a simulated vLLM");
    expect(out).toContain("--scheduling-policy");
    expect(out).toContain("x-bosun-fault");
  });
});

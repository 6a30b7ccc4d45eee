import { describe, expect, it } from "vitest";
import { startFaultServer } from "../../src/test/fault-server.ts";
import { textReply } from "../../src/test/wire-reply.ts";
import { MODEL, serveTwin } from "../inference/twin/served-twin.ts";
import { newFolder, ONE_AGENT, runBosun } from "./bosun-process.ts";

const fleetWith = (...models: readonly string[]): string => `models:\n  ${models.join("\n  ")}\n`;

const NAME = "far-".repeat(8) + "1";

describe("the command with a fleet file", () => {
  it("lists its models with their endpoints and what they tell", async () => {
    await using twin = await serveTwin();
    const cwd = newFolder({
      "bosun.fleet.yaml": fleetWith(
        `large: { endpoints: [ { url: "${twin.url}", maxNumSeqs: 64 } ] }`,
        "gone: { endpoints: [ { url: http://127.0.0.1:9/v1 } ] }",
      ),
    });

    const { code, out } = await runBosun(["models"], { cwd });
    const json = await runBosun(["models", "--json"], { cwd });

    expect(out).toContain("fleet: bosun.fleet.yaml");
    expect(out).toMatch(/^large \(default\) +127\.0\.0\.1:\d+ +vllm +8,192 +[\d,]+ +64 +awake$/m);
    expect(out).toMatch(/^gone +127\.0\.0\.1:9 +unknown +\? +\? +\? +model\/unreachable$/m);
    expect(JSON.parse(json.out)).toMatchObject({
      fleet: {
        path: "bosun.fleet.yaml",
        default: "large",
        problems: [],
        models: [
          {
            alias: "large",
            endpoints: [{ dialect: "vllm", contextTokens: 8_192, maxNumSeqs: 64, state: "awake" }],
          },
          { alias: "gone" },
        ],
      },
    });
    expect(code).toBe(0);
  });

  it("lists what contradicts it, and fails", async () => {
    await using twin = await serveTwin();
    const cwd = newFolder({
      "bosun.fleet.yaml": fleetWith(
        `large: { model: gpt-4o, endpoints: [ { url: "${twin.url}" } ] }`,
      ),
    });

    const { code, out } = await runBosun(["models"], { cwd });

    expect(out).toContain(`the file says model gpt-4o, and it serves ${MODEL}`);
    expect(code).toBe(1);
  });

  it("runs a crew with --model and an alias, and says what was meant by another", async () => {
    await using server = await startFaultServer({ replies: [textReply("by the alias")] });
    const cwd = newFolder({
      "crew.ts": ONE_AGENT,
      "bosun.fleet.yaml": fleetWith(`large: { endpoints: [ { url: "${server.url}" } ] }`),
    });
    const run = ["run", "crew.ts", "--input", "topic=ships", "--model"];

    const { code, out } = await runBosun([...run, "large"], { cwd });
    const wrong = await runBosun([...run, "lagre"], { cwd });

    expect(out).toContain("by the alias");
    expect(code).toBe(0);
    expect(wrong).toMatchObject({ code: 2, err: expect.stringContaining("did you mean large?") });
  });

  it("checks a model of it", async () => {
    await using twin = await serveTwin({ speed: 100 });
    const cwd = newFolder({
      "bosun.fleet.yaml": fleetWith(
        `large: { maxModelLen: 16384, endpoints: [ { url: "${twin.url}" } ] }`,
        `small: { endpoints: [ { url: "${twin.url}" } ] }`,
      ),
    });

    const wrong = await runBosun(["doctor"], { cwd });
    const right = await runBosun(["doctor", "--model", "small"], { cwd });

    expect(wrong.out).toContain("Checking large (1 endpoint)");
    expect(wrong.out).toMatch(/^✗ fleet .*maxModelLen 16384, and its context is 8192/m);
    expect(wrong.code).toBe(1);
    expect(right.out).toMatch(/^✓ fleet .*bosun\.fleet\.yaml: 2 models/m);
    expect(right.out).toMatch(/^✓ endpoint reachable/m);
    expect(right.out).toMatch(/^✓ context length .*8,192 tokens/m);
    expect(right.out).toMatch(/^✓ one tiny call/m);
  });

  it("lines its columns up, however long the names of a model's endpoints are", async () => {
    await using twin = await serveTwin({ speed: 100 });
    await using other = await serveTwin({ speed: 100 });
    const cwd = newFolder({
      "bosun.fleet.yaml": fleetWith(
        `large: { endpoints: [ { url: "${twin.url}", name: ${NAME} }, { url: "${other.url}" } ] }`,
      ),
    });

    const { out } = await runBosun(["doctor"], { cwd });

    const timed = out
      .split("\n")
      .flatMap((line) => /^✓ .+? [\d.]+ m?s(?= {2})/.exec(line)?.[0] ?? []);
    expect(out).toContain(`endpoint reachable: ${NAME}`);
    expect(timed.length).toBeGreaterThan(4);
    expect(new Set(timed.map((text) => text.length)).size).toBe(1);
  });

  it("says the place of a mistake, and keeps to what is stored", async () => {
    const cwd = newFolder({
      "crew.ts": ONE_AGENT,
      "bosun.fleet.yaml": "models: { a: { endpont: 1 } }\n",
    });

    const { code, err } = await runBosun(["run", "crew.ts", "--input", "topic=x"], { cwd });
    const runs = await runBosun(["runs", "list"], { cwd });

    expect(err).toContain('bosun.fleet.yaml:1:16: unknown key "endpont"');
    expect(code).toBe(2);
    expect(runs.code).toBe(0);
  });

  it("takes the fleet of bosun.config.ts", async () => {
    await using server = await startFaultServer({ replies: [textReply("by the config")] });
    const cwd = newFolder({
      "crew.ts": ONE_AGENT,
      "bosun.config.ts": `export default { fleet: { models: { large: { endpoints: [{ url: "${server.url}" }] } } } };\n`,
    });

    const { out, code, err } = await runBosun(["run", "crew.ts", "--input", "topic=x"], { cwd });

    expect([code, err.includes("Warning")]).toEqual([0, false]);
    expect(out).toContain("by the config");
  });
});

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  CUT,
  errorReply,
  head,
  htmlReply,
  startFaultServer,
  chunk,
  textReply,
  write,
} from "../../src/test/index.ts";
import { newFolder, ONE_AGENT, runBosun, TWO_AGENTS } from "./bosun-process.ts";

describe("bosun run", () => {
  it("prints the text on stdout, progress and tables on stderr, and keeps the run", async () => {
    await using server = await startFaultServer({
      replies: [textReply("some ", "facts"), textReply("a ", "text")],
    });
    const cwd = newFolder({ "crew.ts": TWO_AGENTS });

    const { code, out, err } = await runBosun(["run", ".", "--model", server.url], { cwd });

    expect(out).toBe("a text\n");
    expect(code).toBe(0);
    expect(err).toContain("task research: Analyst starts");
    expect(err).toMatch(/Analyst +1 +0 +0 +11 +– +3 +unknown/);
    expect(err).toMatch(/models +test-model at 127\.0\.0\.1:\d+ ×2/);
    expect(existsSync(join(cwd, ".bosun/runs.db"))).toBe(true);
  });

  it("prints RunEvents and nothing else on stdout for --json", async () => {
    await using server = await startFaultServer({
      replies: [textReply("facts"), textReply("a ", "text")],
    });
    const cwd = newFolder({ "crew.ts": TWO_AGENTS });

    const { code, out } = await runBosun(["run", ".", "--json", "--model", server.url], { cwd });

    const events = out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { readonly type: string; readonly runId: string });
    expect(code).toBe(0);
    expect(events[0]?.type).toBe("run-start");
    expect(events.at(-1)).toMatchObject({ type: "run-end", status: "done", raw: "a text" });
    expect(new Set(events.map(({ runId }) => runId)).size).toBe(1);
  });

  it("keeps stdout clean of what the crew's own code logs", async () => {
    await using server = await startFaultServer({ replies: () => textReply("x") });
    const noisy = `console.log("loading");\nsetImmediate(() => console.info("still", { a: 1 }));\n${TWO_AGENTS}`;
    const cwd = newFolder({ "crew.ts": noisy });

    const { out, err } = await runBosun(["run", ".", "--model", server.url], { cwd });

    expect(out).toBe("x\n");
    expect(err).toContain("loading\n");
    expect(err).toContain("still { a: 1 }\n");
  });

  it("gives inputs, takes the crew's own as defaults, and notes one that nobody asks for", async () => {
    await using server = await startFaultServer({ replies: () => textReply("x") });
    const cwd = newFolder({ "crew.ts": TWO_AGENTS, "long.txt": "sailing boats" });

    const args = [
      "run",
      "crew.ts",
      "--model",
      server.url,
      "-i",
      "topic=@long.txt",
      "-i",
      "tpoic=y",
    ];
    const { code, err } = await runBosun(args, { cwd });

    expect(code).toBe(0);
    expect(JSON.stringify(server.calls[0]?.body)).toContain("Find sailing boats");
    expect(err).toContain("the crew asks for no input tpoic; its inputs: topic");
  });

  it("shows prompts by part with estimated tokens", async () => {
    await using server = await startFaultServer({ replies: () => textReply("x") });
    const cwd = newFolder({ "crew.ts": TWO_AGENTS });

    const { err } = await runBosun(["run", ".", "--show-prompts", "--model", server.url], { cwd });

    expect(err).toMatch(/prompt of Writer, task:write \/ turn:1: ~\d+ tokens/);
    expect(err).toMatch(/context:research \(~\d+ tokens\)/);
  });

  it("tells code, message, what was finished and the partial text of a run that failed", async () => {
    const half = [head(), write(chunk({ content: "half a text" })), CUT];
    await using server = await startFaultServer({ replies: [textReply("facts"), half] });
    const cwd = newFolder({ "crew.ts": TWO_AGENTS });

    const { code, out, err } = await runBosun(["run", ".", "--model", server.url], { cwd });

    expect(code).toBe(1);
    expect(out).toBe("");
    expect(err).toMatch(/research +✓ done/);
    expect(err).toMatch(/write +✗ failed/);
    expect(err).toContain("Text of the task write, which is failed:\nhalf a text");
    expect(err.trimEnd().split("\n").at(-1)).toMatch(/^Error \[model\/cut\] /);
  });

  it("uses the run id that it is given, once", async () => {
    await using server = await startFaultServer({ replies: () => textReply("x") });
    const cwd = newFolder({ "crew.ts": TWO_AGENTS });
    const args = ["run", ".", "--run-id", "nightly", "--model", server.url];

    const first = await runBosun(args, { cwd });
    const second = await runBosun(args, { cwd });
    const odd = await runBosun(["run", ".", "--run-id", "a/b"], { cwd });

    expect(first.code).toBe(0);
    expect([second.code, second.err]).toEqual([
      2,
      expect.stringContaining('a run "nightly" already'),
    ]);
    expect(odd.code).toBe(2);
  });

  it("keeps its files where --data or BOSUN_DATA says", async () => {
    await using server = await startFaultServer({ replies: () => textReply("x") });
    const cwd = newFolder({ "crew.ts": TWO_AGENTS });

    await runBosun(["run", ".", "--model", server.url, "--data", "one"], { cwd });
    await runBosun(["run", ".", "--model", server.url], { cwd, env: { BOSUN_DATA: "two" } });

    expect([existsSync(join(cwd, "one/runs.db")), existsSync(join(cwd, "two/runs.db"))]).toEqual([
      true,
      true,
    ]);
    expect(existsSync(join(cwd, ".bosun"))).toBe(false);
  });

  it("writes no colours into a pipe", async () => {
    const cwd = newFolder({ "crew.ts": TWO_AGENTS });

    const { out, err } = await runBosun(["run", "."], { cwd });

    expect(out + err).not.toContain("\u001b");
  });

  it("runs a batch from a file to a file, and skips what is done when it is repeated", async () => {
    await using server = await startFaultServer({ replies: () => textReply("x") });
    const cwd = newFolder({
      "crew.ts": ONE_AGENT,
      "jobs.jsonl": '{"topic":"a"}\n{broken\n{"topic":"c"}\n',
    });
    const args = ["run", ".", "--model", server.url, "--inputs", "jobs.jsonl", "--out", "r.jsonl"];

    const first = await runBosun(args, { cwd });
    const second = await runBosun(args, { cwd });

    expect([first.code, second.code]).toEqual([1, 1]);
    expect(server.calls).toHaveLength(2);
    expect(readFileSync(join(cwd, "r.jsonl"), "utf8").trimEnd().split("\n")).toHaveLength(3);
    expect(second.err).toContain("3 had a result");
  });
});

describe("bosun run with a wrong model", () => {
  it.each([["gpt5"], [""], ["localhost:8000"], ["extractve"]])(
    "%j is refused in one line, and no run is stored",
    async (name) => {
      const cwd = newFolder({ "crew.ts": TWO_AGENTS });

      const { code, out, err } = await runBosun(["run", ".", "--model", name], { cwd });

      expect([code, out]).toEqual([2, ""]);
      expect(err).toMatch(/^Error \[(usage|model\/unknown)\] .*\n$/);
      expect(existsSync(join(cwd, ".bosun"))).toBe(false);
    },
  );

  it("says what a name can be that nobody defined, as a mistake of configuration", async () => {
    const cwd = newFolder({ "crew.ts": TWO_AGENTS });

    const { code, err } = await runBosun(["run", ".", "--model", "huge"], { cwd });

    expect(code).toBe(2);
    expect(err).toContain('Error [model/unknown] no model is called "huge"');
  });

  it("says that nobody answers at the URL", async () => {
    const cwd = newFolder({ "crew.ts": TWO_AGENTS });

    const { code, err } = await runBosun(["run", ".", "--model", "http://127.0.0.1:9/v1"], { cwd });

    expect(code).toBe(1);
    expect(err).toMatch(/Error \[model\/unreachable\] .*127\.0\.0\.1:9 cannot be reached/);
  });

  it("says that the URL is that of a web site", async () => {
    await using server = await startFaultServer({
      models: "not-found",
      replies: () => htmlReply(404),
    });
    const cwd = newFolder({ "crew.ts": TWO_AGENTS });
    const url = server.url.replace("/v1", "");

    const { code, err } = await runBosun(["run", ".", "--model", url], { cwd });

    expect(code).toBe(1);
    expect(err).toMatch(/Error \[model\/(protocol|not-found)\] /);
    expect(err).toContain("/v1");
  });

  it("names the models that the endpoint does serve", async () => {
    await using server = await startFaultServer({
      replies: () => errorReply(404, "The model `big` does not exist."),
    });
    const cwd = newFolder({ "crew.ts": TWO_AGENTS });

    const { code, err } = await runBosun(["run", ".", "--model", "big"], {
      cwd,
      env: { OPENAI_BASE_URL: server.url },
    });

    expect(code).toBe(1);
    expect(err).toContain("Error [model/not-found]");
    expect(err).toContain("It serves: test-model");
  });
});

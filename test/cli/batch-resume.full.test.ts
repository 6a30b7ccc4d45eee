import { readFileSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { startFaultServer, textReply, wait } from "../../src/test/index.ts";
import { newFolder, runBosun, startBosun, TWO_AGENTS } from "./bosun-process.ts";
import { HALF, linesOf } from "./kill-scene.ts";

/** The topic and the task of a call: "a facts". */
function callIn(body: unknown): string {
  const text = JSON.stringify(body);
  const topic = /(?:Find|Write about) (\w+)/.exec(text)?.[1] ?? "";
  return `${topic} ${text.includes("Write about") ? "write" : "find"}`;
}

describe("a batch that is killed", () => {
  it("goes on when it is repeated: what is done is not done again, what was under way keeps its calls", async () => {
    const hold = { isOn: true };
    await using server = await startFaultServer({
      replies: ({ body }) => {
        const call = callIn(body);
        const isHeld = hold.isOn && ["b write", "c find"].includes(call);
        return isHeld ? HALF : textReply(`answer to ${call}`);
      },
    });
    const cwd = newFolder({
      "crew.ts": TWO_AGENTS,
      "jobs.jsonl": '{"topic":"a"}\n{"topic":"b"}\n{"topic":"c"}\n{"topic":"d"}\n',
    });
    const files = ["--inputs", "jobs.jsonl", "--out", "out.jsonl", "--concurrency", "2"];
    const args = ["run", ".", "--model", server.url, ...files];
    await using batch = startBosun(args, { cwd });
    await server.received(4); // a find, a write, b find; then b write and c find are held up
    batch.kill("SIGKILL");
    await batch.ended;
    hold.isOn = false;
    const before = server.calls.map(({ body }) => callIn(body));
    expect(linesOf(join(cwd, "out.jsonl"))).toHaveLength(1);

    const repeated = await runBosun(args, { cwd });

    expect(repeated.code).toBe(0);
    expect(repeated.err).toContain("3 done, 0 failed, 1 had a result");
    expect(before.toSorted()).toEqual(["a find", "a write", "b find", "b write", "c find"]);
    const after = server.calls.slice(before.length).map(({ body }) => callIn(body));
    expect(after.toSorted()).toEqual(["b write", "c find", "c write", "d find", "d write"]);
    const results = linesOf(join(cwd, "out.jsonl")).map(
      (line) => JSON.parse(line) as { readonly index: number; readonly raw: string },
    );
    expect(results.toSorted((a, b) => a.index - b.index)).toMatchObject(
      ["a", "b", "c", "d"].map((topic, index) => ({
        index,
        status: "done",
        raw: `answer to ${topic} write`,
        usage: { input: { total: 22 } },
      })),
    );

    const third = await runBosun(args, { cwd });
    expect(third.err).toContain("0 done, 0 failed, 4 had a result");
    expect(server.calls).toHaveLength(10);
  }, 60_000);

  it("with SIGTERM keeps the call that was under way when it ends in time", async () => {
    const gate = Promise.withResolvers<void>();
    await using server = await startFaultServer({
      replies: ({ body }, index) =>
        index === 0 ? [wait(gate.promise), ...textReply("found")] : textReply(callIn(body)),
    });
    const cwd = newFolder({ "crew.ts": TWO_AGENTS, "jobs.jsonl": '{"topic":"a"}\n' });
    const args = ["run", ".", "--model", server.url, "--inputs", "jobs.jsonl", "--out", "o.jsonl"];
    await using batch = startBosun(args, { cwd });
    await server.received(0);

    batch.kill("SIGTERM");
    await batch.said("interrupted by SIGTERM. Stopping");
    gate.resolve();
    const { code } = await batch.ended;
    const repeated = await runBosun(args, { cwd });

    expect([code, repeated.code]).toEqual([130, 0]);
    expect(server.calls.map(({ body }) => callIn(body))).toEqual(["a find", "a write"]);
  });

  it("takes the result of a run that had ended and was not written any more", async () => {
    await using server = await startFaultServer({ replies: () => textReply("x") });
    const cwd = newFolder({ "crew.ts": TWO_AGENTS, "jobs.jsonl": '{"topic":"a"}\n' });
    const args = ["run", ".", "--model", server.url, "--inputs", "jobs.jsonl", "--out"];
    await runBosun([...args, "out.jsonl"], { cwd });
    const path = join(cwd, "out.jsonl");
    const written = readFileSync(path, "utf8");
    truncateSync(path, 10); // as if it had been killed before the line was whole

    const repeated = await runBosun([...args, "out.jsonl"], { cwd });

    expect(repeated.code).toBe(0);
    expect(readFileSync(path, "utf8")).toBe(written);
    expect(server.calls).toHaveLength(2);
  });
});

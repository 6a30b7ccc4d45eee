import { describe, expect, it } from "vitest";
import { openStore } from "../../src/service/store/store.ts";
import {
  chunk,
  head,
  STALL,
  startFaultServer,
  textReply,
  wait,
  write,
} from "../../src/test/index.ts";
import { newFolder, ONE_AGENT, runBosun, startBosun, TWO_AGENTS } from "./bosun-process.ts";

const HALF = [head(), write(chunk({ content: "half a text" })), STALL];

describe("Ctrl-C", () => {
  it.each<NodeJS.Signals>(["SIGINT", "SIGTERM"])(
    "once (%s) gives the run back: the call is closed, what is done is kept, the exit code is 130",
    async (signal) => {
      const replies = [textReply("facts"), HALF, textReply("the report")];
      await using server = await startFaultServer({ replies });
      const cwd = newFolder({ "crew.ts": TWO_AGENTS });
      await using bosun = startBosun(["run", ".", "--run-id", "r1", "--model", server.url], {
        cwd,
      });
      await server.received(1);

      bosun.kill(signal);
      const { code, err } = await bosun.ended;

      expect(await server.closed(1)).toBe("client");
      expect(code).toBe(130);
      expect(err).toContain(`interrupted by ${signal}. Stopping`);
      expect(err).toContain("src/cli/main.ts runs resume r1");
      const store = openStore(`${cwd}/.bosun`);
      expect(store.find("r1")).toMatchObject({ status: "interrupted" });
      store.close();

      const resumed = await runBosun(["runs", "resume", "r1"], { cwd });
      expect(resumed).toMatchObject({ code: 0, out: "the report\n" });
      const calls = server.requests.filter(({ path }) => path.endsWith("/chat/completions"));
      expect(calls.length).toBe(3); // the first task is not done again
    },
  );

  it("twice ends at once, also when a tool does not stop", async () => {
    await using server = await startFaultServer({ replies: () => HALF });
    const crew = `${ONE_AGENT}\nprocess.on("SIGINT", () => { const end = Date.now() + 300; while (Date.now() < end); });\n`;
    const cwd = newFolder({ "crew.ts": crew });
    await using bosun = startBosun(["run", ".", "-i", "topic=x", "--model", server.url], { cwd });
    await server.received(0);

    bosun.kill("SIGINT");
    await bosun.said("Stopping");
    bosun.kill("SIGINT");
    const { code } = await bosun.ended;

    expect(code).toBe(130);
  });

  it("ends a crew file that never finishes loading", async () => {
    const cwd = newFolder({
      "crew.ts": `console.error("loading");\nsetInterval(() => {}, 1000);\nawait new Promise(() => {});\n`,
    });
    await using bosun = startBosun(["run", "."], { cwd });
    await bosun.said("loading");

    bosun.kill("SIGINT");

    expect(await bosun.ended).toMatchObject({
      code: 130,
      err: "loading\nError [run/cancelled] interrupted by SIGINT\n",
    });
  });

  it("in a batch keeps what is done and goes on when it is repeated", async () => {
    let isSlow = true;
    await using server = await startFaultServer({
      replies: (request) =>
        isSlow && JSON.stringify(request.body).includes("slow") ? HALF : textReply("x"),
    });
    const cwd = newFolder({
      "crew.ts": ONE_AGENT,
      "jobs.jsonl": '{"topic":"quick"}\n{"topic":"slow"}\n',
    });
    const args = [
      "run",
      ".",
      "--model",
      server.url,
      "--inputs",
      "jobs.jsonl",
      "--out",
      "r.jsonl",
      "--concurrency",
      "1",
    ];
    await using bosun = startBosun(args, { cwd });
    await server.received(1);
    bosun.kill("SIGINT");
    const first = await bosun.ended;
    isSlow = false;

    const second = await runBosun(args, { cwd });

    expect([first.code, second.code]).toEqual([130, 0]);
    expect(first.err).toContain("The same command goes on where it stopped");
    expect(second.err).toContain("1 done, 0 failed, 1 had a result");
  });

  it("ends doctor", async () => {
    await using server = await startFaultServer({ replies: () => [head(), STALL] });
    await using bosun = startBosun(["doctor", "--model", server.url]);
    await server.received(0);

    bosun.kill("SIGINT");

    expect((await bosun.ended).code).toBe(130);
  });
});

describe("a reader that leaves", () => {
  it("ends the command at the next event, without a stack trace", async () => {
    const gate = Promise.withResolvers<void>();
    const reply = [head(), wait(gate.promise), write(chunk({ content: "half" })), STALL];
    await using server = await startFaultServer({ replies: [reply] });
    const cwd = newFolder({ "crew.ts": ONE_AGENT });
    const args = ["run", ".", "--json", "-i", "topic=x", "--model", server.url];
    await using bosun = startBosun(args, { cwd });
    await bosun.said("model-start");
    bosun.leave();
    gate.resolve();

    const { code, err } = await bosun.ended;

    expect(code).toBe(130);
    expect(err).toContain("the reader of the output has left");
    expect(err).not.toMatch(/^ +at /m);
  });
});

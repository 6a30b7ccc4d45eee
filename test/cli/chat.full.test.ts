import { describe, expect, it } from "vitest";
import {
  chunk,
  errorReply,
  head,
  STALL,
  startFaultServer,
  textReply,
  write,
} from "../../src/test/index.ts";
import { newFolder, ONE_AGENT, runBosun, startBosun } from "./bosun-process.ts";

const AGENT = `
import { agent } from "bosun";
export default agent({ role: "Helper", goal: "help with {subject}" });
`;

describe("bosun chat", () => {
  it("answers each line, and shows each run what was said before", async () => {
    await using server = await startFaultServer({
      replies: [textReply("They float."), textReply("Because of Archimedes.")],
    });
    const cwd = newFolder({ "agent.ts": AGENT });
    const args = ["chat", "agent.ts", "--input", "subject=ships", "--model", server.url];

    const typed = "What do ships do?\n\nWhy?\n/exit\nnever asked\n";
    const { code, out, err } = await runBosun(args, { cwd, typed });

    expect({ code, out }).toEqual({ code: 0, out: "They float.\nBecause of Archimedes.\n" });
    expect(server.calls).toHaveLength(2);
    expect(JSON.stringify(server.calls[0]?.body)).not.toContain("conversation so far");
    const second = JSON.stringify(server.calls[1]?.body);
    expect(second).toContain("User: What do ships do?");
    expect(second).toContain("Answer: They float.");
    expect(err).toMatch(/Session (chat-[\w-]+): --session \1 goes on with it/);
  });

  it("goes on with an earlier conversation, in another process", async () => {
    await using server = await startFaultServer({ replies: () => textReply("Noted.") });
    const cwd = newFolder({ "crew.ts": ONE_AGENT });
    const args = ["chat", ".", "--session", "s1", "--model", server.url];

    await runBosun(args, { cwd, typed: "My ship is the Vasa\n" });
    await runBosun(args, { cwd, typed: "What is my ship?\n" });

    expect(JSON.stringify(server.calls[1]?.body)).toContain("User: My ship is the Vasa");
  });

  it("tells a failed turn and listens on", async () => {
    await using server = await startFaultServer({
      replies: [errorReply(400, "no"), textReply("Back again.")],
    });
    const cwd = newFolder({ "crew.ts": ONE_AGENT });
    const args = ["chat", ".", "--model", server.url];

    const { code, out, err } = await runBosun(args, { cwd, typed: "one\ntwo\n" });

    expect({ code, out }).toEqual({ code: 0, out: "Back again.\n" });
    expect(err).toContain("Error [model/bad-request]");
  });

  it("ends a turn at the first Ctrl-C, with what there was of it, and listens on", async () => {
    await using server = await startFaultServer({
      replies: [[head(), write(chunk({ content: "half a text" })), STALL], textReply("Whole.")],
    });
    const cwd = newFolder({ "crew.ts": ONE_AGENT });
    const args = ["chat", ".", "--model", server.url];
    await using bosun = startBosun(args, { cwd, typed: "one\ntwo\n" });
    await server.received(0);
    await new Promise((resolve) => setImmediate(resolve));

    bosun.kill("SIGINT");
    const { code, out, err } = await bosun.ended;

    expect(await server.closed(0)).toBe("client");
    expect({ code, out: out.split("\n").at(-2) }).toEqual({ code: 0, out: "Whole." });
    expect(err).toContain("Error [run/cancelled]");
  });

  it("ends with 1 when no turn went well", async () => {
    await using server = await startFaultServer({ replies: [errorReply(400, "no")] });
    const cwd = newFolder({ "crew.ts": ONE_AGENT });

    const { code, err } = await runBosun(["chat", ".", "--model", server.url], {
      cwd,
      typed: "a\n/help\n",
    });

    expect(code).toBe(1);
    expect(err).toContain("There is no /help. /exit or Ctrl-D ends.");
    expect(err).not.toContain("goes on with it");
  });

  it("refuses a session's id that could be none, before anything is asked", async () => {
    const cwd = newFolder({ "crew.ts": ONE_AGENT });
    const { code, err } = await runBosun(["chat", ".", "--session", "bad id!"], { cwd });

    expect([code, err]).toEqual([2, expect.stringContaining("--session bad id!")]);
  });

  it("says which input could carry what is said when it cannot tell", async () => {
    const crew = ONE_AGENT.replace("Write about {topic}", "Write about {topic} in {style}");
    const cwd = newFolder({ "crew.ts": crew });

    const { code, err } = await runBosun(["chat", "."], { cwd, typed: "x\n" });

    expect(code).toBe(2);
    expect(err).toContain("asks for topic, style. Say which one carries what you say");
  });
});

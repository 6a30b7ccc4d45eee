import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openStore } from "../../src/service/store/store.ts";
import {
  chunk,
  DONE,
  finishChunk,
  startFaultServer,
  streamReply,
  textReply,
} from "../../src/test/index.ts";
import { newFolder, runBosun } from "./bosun-process.ts";

const CREW = `
import { agent, crew, task, tool } from "bosun";
const send = tool({
  name: "send_mail", description: "Sends mail", approval: true,
  parameters: { type: "object", properties: { to: { type: "string" } }, required: ["to"] },
  run: ({ to }) => "sent to " + to,
});
const writer = agent({ role: "Writer", goal: "write", tools: [send] });
const write = task({ name: "write", description: "Write", expectedOutput: "text", agent: writer, humanInput: true, outputFile: "out/{name}.md" });
export const inputs = { name: "report" };
export default crew({ name: "mail", tasks: [write] });
`;

const call = { name: "send_mail", arguments: '{"to":"bob@example.com"}' };
const calling = streamReply(
  chunk({ tool_calls: [{ index: 0, id: "c1", type: "function", function: call }] }),
  finishChunk("tool_calls"),
  DONE,
);

describe("what a run asks a person", () => {
  it("is asked on the terminal; what is typed approves, edits and rejects", async () => {
    await using server = await startFaultServer({
      replies: [calling, textReply("first try"), textReply("second try")],
    });
    const cwd = newFolder({ "crew.ts": CREW });
    const typed = 'e {"to":"eve@example.com"}\n\nmaybe\nn too short\nyes\n';

    const { code, out, err } = await runBosun(["run", ".", "--model", server.url], { cwd, typed });

    expect({ code, out }).toEqual({ code: 0, out: "second try\n" });
    expect(err).toContain(
      "Writer, at task write, wants to call send_mail (within 1h 00m, else rejected)",
    );
    expect(err).toContain('  {"to":"bob@example.com"}');
    expect(err).toContain("Is this answer of Writer to task write good?");
    expect(err.match(/Type y to approve/g)).toHaveLength(2);
    expect(JSON.stringify(server.calls[1]?.body)).toContain("sent to eve@example.com");
    expect(JSON.stringify(server.calls[2]?.body)).toContain("too short");
    expect(readFileSync(join(cwd, "out/report.md"), "utf8")).toBe("second try");
  });

  it("is decided by its own default when the input has ended", async () => {
    await using server = await startFaultServer({ replies: [calling, textReply("without mail")] });
    const cwd = newFolder({ "crew.ts": CREW.replace("humanInput: true", "humanInput: false") });

    const { code, out } = await runBosun(["run", ".", "--model", server.url], { cwd });

    expect({ code, out }).toEqual({ code: 0, out: "without mail\n" });
    const told = JSON.stringify(server.calls[1]?.body);
    expect(told).toContain(
      "was not approved: nobody can answer: the input of the command has ended",
    );
  });

  it("is a step's own question in a flow, and no answer of an agent", async () => {
    const cwd = newFolder({
      "flow.ts": `import { flow, start } from "bosun/flow";
export default flow("pays", {}, {
  approve: start(async ({ ask }) => [await ask("Pay 100?"), await ask("For this?\\nA ship")]),
});`,
    });

    const { code, err } = await runBosun(["run", "."], { cwd, typed: "y\ny\n" });

    expect(code, err).toBe(0);
    expect(err).toContain("? Step approve asks: Pay 100? (within 1h 00m, else rejected)\n");
    expect(err).toContain(
      "? Step approve asks: (within 1h 00m, else rejected)\n  For this?\n  A ship\n",
    );
  });

  it("is decided by its own default in a batch, which asks nobody", async () => {
    await using server = await startFaultServer({ replies: () => textReply("text") });
    const crew = CREW.replace("humanInput: true", 'humanInput: { onTimeout: "approve" }');
    const cwd = newFolder({ "crew.ts": crew, "jobs.jsonl": '{"name":"a"}\n{"name":"b"}\n' });
    const args = ["run", ".", "--inputs", "jobs.jsonl", "--out", "results.jsonl"];

    const { code } = await runBosun([...args, "--model", server.url], { cwd });

    expect(code).toBe(0);
    expect(readFileSync(join(cwd, "out/b.md"), "utf8")).toBe("text");
  });

  it("waits in the store's events with its answer", async () => {
    await using server = await startFaultServer({ replies: [textReply("good")] });
    const cwd = newFolder({ "crew.ts": CREW });

    await runBosun(["run", ".", "--run-id", "r1", "--model", server.url], { cwd, typed: "y\n" });

    const store = openStore(join(cwd, ".bosun"));
    const events = store.events("r1").filter(({ type }) => type.startsWith("ask-"));
    store.close();
    expect(events).toMatchObject([
      { type: "ask-start", subject: "answer", text: "good", onTimeout: "reject" },
      { type: "ask-end", answer: "approved", by: "person" },
    ]);
  });
});

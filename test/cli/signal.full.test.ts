import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { textReply } from "../../src/test/index.ts";
import { type Ended, newFolder, runBosun, startBosun } from "./bosun-process.ts";
import { callReply, type HeldServer, placesOf, serverOf, storedEvents } from "./kill-scene.ts";

/** A tool that waits for a person, and an answer that does. */
const CREW = `
import { agent, crew, task, tool } from "bosun";
const send = tool({
  name: "send_mail", description: "Sends mail", approval: true,
  parameters: { type: "object", properties: { to: { type: "string" } }, required: ["to"] },
  run: ({ to }) => "sent to " + to,
});
const mail = task({ name: "mail", description: "Do MAIL", expectedOutput: "text",
  agent: agent({ role: "Writer", goal: "write", tools: [send] }) });
const note = task({ name: "note", description: "Do NOTE", expectedOutput: "text", humanInput: true, outputFile: "note.md",
  agent: agent({ role: "Clerk", goal: "note" }) });
export default crew({ name: "mail", tasks: [mail, note] });
`;

const server = (): Promise<HeldServer> =>
  serverOf({
    MAIL: [callReply("send_mail", { to: "bob" }), textReply("mail is sent")],
    NOTE: [textReply("first note"), textReply("second note")],
  });

const runArgs = (url: string): readonly string[] => ["run", ".", "--run-id", "r1", "--model", url];

/** A run that waits for its first question, and whose process is then killed. */
async function killedWaiting({ url }: HeldServer): Promise<string> {
  const cwd = newFolder({ "crew.ts": CREW });
  await using bosun = startBosun(runArgs(url), { cwd, staysOpen: true });
  await bosun.said("wants to call send_mail");
  await untilWaiting(cwd); // that it waits is kept a moment after the question is shown
  bosun.kill("SIGKILL");
  await bosun.ended;
  return cwd;
}

async function untilWaiting(cwd: string): Promise<void> {
  const { out } = await runBosun(["runs", "list", "--status", "waiting"], { cwd });
  if (!out.startsWith("run ")) await untilWaiting(cwd);
}

const bosun = (cwd: string, ...args: readonly string[]): Promise<Ended> =>
  runBosun(["runs", ...args], { cwd });

const statusesOf = async (cwd: string): Promise<unknown> => {
  const { out } = await bosun(cwd, "list", "--json");
  return (JSON.parse(out) as { runs: { status: string }[] }).runs.map(({ status }) => status);
};

describe("a run that waits for a person", () => {
  it("waits also without a process, takes the answer then, and goes on with it when it is resumed", async () => {
    await using model = await server();
    const cwd = await killedWaiting(model);

    const waiting = await bosun(cwd, "list", "--status", "waiting");
    const told = await bosun(cwd, "signal", "r1", "approval", '{"ok":true}');
    const again = await bosun(cwd, "signal", "r1", "approval", '{"ok":true}');
    const resumed = await bosun(cwd, "resume", "r1");
    const noted = await bosun(cwd, "list", "--json");

    expect(waiting.out).toMatch(/^r1 .*waiting/m);
    expect(told).toMatchObject({
      code: 0,
      out: expect.stringMatching(/has the answer.*src\/cli\/main\.ts runs resume r1\n/),
    });
    expect(again).toMatchObject({ code: 1, out: expect.stringContaining("has an answer") });
    // Its stdin has ended: the second question is decided by its own default.
    expect([resumed.code, resumed.err]).toEqual([1, expect.stringContaining("task/unanswered")]);
    expect(JSON.stringify(model.calls[1]?.body)).toContain("sent to bob");
    expect(placesOf(model)).toEqual(["MAIL 0", "MAIL 1", "NOTE 0"]);
    expect(noted.out).toContain('"failed"');
  });

  it("asks again whoever resumes it at a terminal", async () => {
    await using model = await server();
    const cwd = await killedWaiting(model);
    await using resumed = startBosun(["runs", "resume", "r1"], { cwd, typed: "y\ny\n" });

    const { code, out, err } = await resumed.ended;

    expect([code, out]).toEqual([0, "first note\n"]);
    expect(err).toContain("wants to call send_mail");
    expect(readFileSync(join(cwd, "note.md"), "utf8")).toBe("first note");
  });

  it("takes answers from another process while it runs: approve, edit and reject", async () => {
    await using model = await server();
    const cwd = newFolder({ "crew.ts": CREW });
    await using run = startBosun(runArgs(model.url), { cwd, staysOpen: true });
    await run.said("wants to call send_mail");

    const edit = await bosun(cwd, "signal", "r1", "approval", '{"ok":true,"edit":{"to":"eve"}}');
    await run.said("Is this answer of Clerk to task note good?");
    const reject = await bosun(
      cwd,
      "signal",
      "r1",
      "task:note",
      '{"ok":false,"reason":"too short"}',
    );
    await run.said("second note");
    const open = storedEvents(cwd).findLast(({ type }) => type === "ask-start");
    const name = open?.type === "ask-start" ? open.name : "";
    const approve = await bosun(cwd, "signal", "r1", name, '{"ok":true}', "--json");

    const { code, out } = await run.ended;
    expect([edit.code, reject.code, approve.code]).toEqual([0, 0, 0]);
    expect(JSON.parse(approve.out)).toEqual({ runId: "r1", name, isTaken: true });
    expect([code, out]).toEqual([0, "second note\n"]);
    expect(JSON.stringify(model.calls[1]?.body)).toContain("sent to eve");
    expect(JSON.stringify(model.calls.at(-1)?.body)).toContain("too short");
  });

  it("keeps a rejection and an edit that come while it has no process", async () => {
    await using model = await server();
    const cwd = await killedWaiting(model);
    await bosun(cwd, "signal", "r1", "approval", '{"ok":false,"reason":"wrong person"}');
    await using resumed = startBosun(["runs", "resume", "r1"], { cwd, staysOpen: true });
    await resumed.said("Is this answer of Clerk to task note good?");
    resumed.kill("SIGKILL");
    await resumed.ended;
    expect(await statusesOf(cwd)).toEqual(["waiting"]);

    const told = await bosun(cwd, "signal", "r1", "approval", '{"ok":true,"edit":"my own note"}');
    const { code, out } = await bosun(cwd, "resume", "r1");

    expect(told.code).toBe(0);
    expect([code, out]).toEqual([0, "my own note\n"]);
    expect(JSON.stringify(model.calls[1]?.body)).toContain("wrong person");
    expect(placesOf(model)).toEqual(["MAIL 0", "MAIL 1", "NOTE 0"]);
  });

  it("refuses a name that is no question, text that is no JSON, and JSON that is no answer", async () => {
    await using model = await server();
    const cwd = await killedWaiting(model);

    const name = await bosun(cwd, "signal", "r1", "approve-it", '{"ok":true}');
    const text = await bosun(cwd, "signal", "r1", "approval", "yes");
    const json = await bosun(cwd, "signal", "r1", "approval", '{"yes":1}');
    const run = await bosun(cwd, "signal", "r2", "approval", '{"ok":true}');

    expect([name.code, text.code, json.code, run.code]).toEqual([2, 2, 2, 2]);
    expect(name.err).toContain('has no open question "approve-it". Its open questions: task:mail/');
    expect(text.err).toContain("the answer must be JSON");
    expect(json.err).toContain("the answer must be JSON");
    expect(run.err).toContain("[run/unknown]");
    expect(await statusesOf(cwd)).toEqual(["waiting"]);
  });
});

/** A question of a step, and one event that is waited for twice. */
const FLOW = `
import { flow, start } from "bosun/flow";
const limits = { timeoutMs: 3_600_000, otherwise: null };
export default flow("pays", {}, {
  approve: start(({ ask }) => ask("Pay 100?")),
  hear: start(async ({ waitFor }) => [await waitFor("it's paid", limits), await waitFor("it's paid", limits)]),
});
`;

/** A flow's run that waits for both of its steps, and whose process is gone. */
async function flowWaiting(): Promise<string> {
  const cwd = newFolder({ "flow.ts": FLOW });
  await using run = startBosun(["run", ".", "--run-id", "r1"], { cwd, staysOpen: true });
  await run.said("Step approve asks: Pay 100?");
  await untilWaiting(cwd);
  run.kill("SIGKILL");
  await run.ended;
  return cwd;
}

describe("a run that waits, looked at", () => {
  it("lists each open question and each awaited event with its time and the command that gives it", async () => {
    const cwd = await flowWaiting();

    const shown = await bosun(cwd, "show", "r1");
    const report = await bosun(cwd, "show", "r1", "--json");
    await bosun(cwd, "signal", "r1", "it's paid", "1");
    const given = await bosun(cwd, "show", "r1");

    expect(shown.out).toMatch(/Step approve asks: Pay 100\? \(59m \d\ds left, else rejected\)$/m);
    expect(shown.out).toMatch(/ runs signal r1 step:approve '\{"ok":true\}'$/m);
    expect(shown.out).toMatch(/^ {2}it's paid \(59m \d\ds left\)$/m);
    expect(shown.out).toMatch(/ runs signal r1 'it'\\''s paid' '<JSON>'$/m);
    expect(shown.out).toMatch(/^approve +◌ waiting .*asks a person$/m);
    expect(shown.out).toMatch(/^hear +◌ waiting .*waits$/m);
    expect(JSON.parse(report.out)).toMatchObject({
      status: "waiting",
      waitsFor: [
        { name: "step:approve/ask:1/ask", question: { subject: "question", text: "Pay 100?" } },
        { name: "it's paid", isGiven: false },
      ],
    });
    expect(given.out).toMatch(/^it's paid: given, .* runs resume r1$/m);
    expect(given.out).not.toContain("runs signal r1 'it");
  });

  it("lists what a crew asks, and nothing once it has ended", async () => {
    await using model = await server();
    const cwd = await killedWaiting(model);

    const waiting = await bosun(cwd, "show", "r1");
    await bosun(cwd, "cancel", "r1");
    const ended = await bosun(cwd, "show", "r1");

    expect(waiting.out).toMatch(/^ {2}Writer, at task mail, wants to call send_mail \(59m /m);
    expect(waiting.out).toMatch(/^ +\{"to":"bob"\}$/m);
    expect(waiting.out).toMatch(/ runs signal r1 task:mail '\{"ok":true\}'$/m);
    expect(ended.out).not.toContain("waits for");
  });
});

describe("bosun runs signal", () => {
  it("names what is awaited now where a name was given before, is not known, or is early", async () => {
    const cwd = await flowWaiting();
    await bosun(cwd, "signal", "r1", "it's paid", "1");
    await using run = startBosun(["runs", "resume", "r1"], { cwd, staysOpen: true });
    await run.said("Step approve asks");
    await untilAwaited(cwd, "it's paid~2");

    const again = await bosun(cwd, "signal", "r1", "it's paid", "2");
    const early = await bosun(cwd, "signal", "r1", "paid", "3");
    const unknown = await bosun(cwd, "signal", "r1", "step:pay", '{"ok":true}');

    expect([again.code, early.code, unknown.code]).toEqual([1, 0, 2]);
    expect(again.out).toContain("It waits for step:approve/ask:1/ask, it's paid~2.");
    expect(early.out).toContain("it is kept. It waits for step:approve/ask:1/ask, it's paid~2.");
    expect(unknown.err).toContain(
      "questions: step:approve/ask:1/ask. It waits for it's paid~2 too",
    );
  });

  it("says of a run that has ended how it has", async () => {
    const cwd = await flowWaiting();
    await bosun(cwd, "cancel", "r1");

    const text = await bosun(cwd, "signal", "r1", "it's paid", "1");
    const json = await bosun(cwd, "signal", "r1", "step:approve", '{"ok":true}', "--json");

    expect(text).toMatchObject({ code: 1, out: "Run r1 has ended already: it is cancelled.\n" });
    expect(json.code).toBe(1);
    expect(JSON.parse(json.out)).toMatchObject({ isTaken: false, phase: "cancelled" });
  });
});

async function untilAwaited(cwd: string, name: string): Promise<void> {
  const { out } = await bosun(cwd, "show", "r1");
  if (!out.includes(`  ${name} (`)) await untilAwaited(cwd, name);
}

import { describe, expect, it } from "vitest";
import { crew } from "../../../src/crew.ts";
import { agent } from "../../../src/orchestration/crew/agent.ts";
import type { Script, ScriptedCall } from "../../../src/test/scripted-model.ts";
import { eventsOf, job, only, promptOf, scene, worker } from "./scenario.ts";
import {
  ask,
  byWho,
  calling,
  delegate,
  helper,
  lead,
  led,
  peers,
  resultsIn,
  toolsIn,
  whoIn,
} from "./team-scene.ts";

describe("an agent that may delegate", () => {
  it.each(["sequential", "parallel"] as const)(
    "has coworkers to ask and to give work to, in a %s crew",
    async (process) => {
      const { made, model } = peers(
        byWho({
          lead: [
            calling(ask("Helper", "Is it so?", "it matters"), delegate("Helper", "Do it")),
            "ok",
          ],
          Helper: ["yes", "did it"],
        }),
        [lead, helper],
        { process },
      );

      const result = await made.kickoff();

      expect(result.raw).toBe("ok");
      expect(toolsIn(model.requests[0])).toEqual(["delegate_work", "ask_coworker"]);
      expect(promptOf(model.requests[1])).toContain("Is it so?");
      expect(promptOf(model.requests[1])).toContain("it matters");
      expect(resultsIn(model.requests.at(-1))).toEqual([
        "[d1] Helper answers:\nyes",
        "[d2] Helper answers:\ndid it",
      ]);
    },
  );

  it("cannot send a result back: that is a manager's", async () => {
    const back: ScriptedCall = { tool: "send_back", arguments: { id: "d1", reasons: "r" } };
    const { made, model } = peers(
      byWho({ lead: [calling(delegate("Helper", "t")), calling(back), "ok"], Helper: "h" }),
      [lead, helper],
    );

    await made.kickoff();

    expect(resultsIn(model.requests.at(-1))[0]).toMatch(/no tool "send_back"/);
  });

  it("is told who there is, and an agent that may not delegate is told nothing of it", async () => {
    const { bosun, model } = scene(() => "x");

    await crew({
      name: "c",
      tasks: [job("a", { agent: lead }), job("b", { agent: helper })],
      bosun,
    }).kickoff();

    const [first, second] = model.requests;
    expect(first?.messages[0]?.content).toContain("- Helper: Help");
    expect(first?.messages[0]?.content).not.toContain("- Lead");
    expect(second?.messages[0]?.content).not.toContain("coworkers");
    expect(toolsIn(second)).toEqual([]);
  });

  it("has no tools for it in a crew where nobody else is", async () => {
    const { made, model } = peers(() => "x", [lead]);

    await made.kickoff();

    expect(toolsIn(model.requests[0])).toEqual([]);
  });

  it("gives work to agents that no task names", async () => {
    const { made } = peers(byWho({ lead: [calling(delegate("Extra", "t")), "ok"], Extra: "e" }), [
      lead,
      worker("Extra"),
    ]);

    const { events } = await eventsOf(made.stream());

    expect(only(events, "delegation-end")).toMatchObject([
      { agent: "Lead", to: "Extra", id: "d1", status: "done", raw: "e" },
    ]);
  });

  it("counts what its coworkers do as work, under their own names", async () => {
    const { made } = peers(byWho({ lead: [calling(delegate("Helper", "t")), "ok"], Helper: "h" }), [
      lead,
      helper,
    ]);

    const result = await made.kickoff();

    expect(result.agents).toMatchObject({ Lead: { calls: 2 }, Helper: { calls: 1 } });
    expect(Object.keys(result.purposes)).toEqual(["work"]);
  });
});

describe("the name of a coworker", () => {
  it.each(["researcher", "  RESEARCHER ", '"Researcher"', "`Researcher`", "Research analyst"])(
    "is understood as a model writes it: %s",
    async (written) => {
      const named = worker("Research analyst", { name: "Researcher" });
      const { made } = peers(
        byWho({ lead: [calling(delegate(written, "t")), "ok"], Researcher: "found" }),
        [lead, named],
      );

      const { events } = await eventsOf(made.stream());

      expect(only(events, "delegation-end")).toMatchObject([{ to: "Researcher", raw: "found" }]);
    },
  );

  it("that nobody has is an error that names those who can be asked, and costs nothing", async () => {
    const { made, model } = peers(
      byWho({ lead: [calling(delegate("Nobody", "t"), delegate("", "t")), "ok"] }),
      [lead, helper, worker("Third")],
    );

    await made.kickoff();

    expect(model.requests).toHaveLength(2);
    expect(resultsIn(model.requests[1])).toEqual([
      'Error: "Nobody" is none of your coworkers. You can ask: Helper, Third.',
      'Error: "" is none of your coworkers. You can ask: Helper, Third.',
    ]);
  });

  it("has its placeholders filled", async () => {
    const { bosun } = scene(
      byWho({ lead: [calling(delegate("whale expert", "t")), "ok"], "whale expert": "big" }),
    );
    const expert = agent({ role: "{animal} expert", goal: "Know {animal}" });
    const made = crew({
      name: "c",
      tasks: [job("t", { agent: lead })],
      agents: [lead, expert],
      bosun,
    });

    const result = await made.kickoff({ inputs: { animal: "whale" } });

    expect(Object.keys(result.agents)).toEqual(["Lead", "whale expert"]);
  });
});

describe("a coworker with a slash in their name", () => {
  it("is one part of a path, which readers split at slashes", async () => {
    const { made } = peers(byWho({ lead: [calling(delegate("R/D", "t")), "ok"], "R%2FD": "x" }), [
      lead,
      worker("R/D"),
    ]);

    const { events } = await eventsOf(made.stream());

    expect(only(events, "delegation-end")).toMatchObject([{ to: "R/D", raw: "x" }]);
    expect(events.flatMap(({ path }) => path).filter((part) => part.includes("/"))).toEqual([]);
  });
});

describe("work that is passed on", () => {
  const names = ["A", "B", "C", "D"];
  const chain = names.map((name) => worker(name, { allowDelegation: true }));
  const passingOn: Script = (request) => {
    const who = whoIn(request);
    const next = names[names.indexOf(who === "lead" ? "A" : who) + 1] ?? "A";
    const isFirst = resultsIn(request).length === 0 && toolsIn(request).length > 0;
    return isFirst ? calling(delegate(next, "pass it on")) : `${who} did it`;
  };

  it("goes two deep by default: the second who gets it must do it", async () => {
    const { made, model } = peers(passingOn, chain);

    await made.kickoff();

    expect(model.requests.map(whoIn)).toEqual(["lead", "B", "C", "B", "lead"]);
    expect(model.requests[2]?.hints.path).toEqual([
      "task:t",
      "turn:1",
      "tool:0",
      "agent:B",
      "turn:1",
      "tool:0",
      "agent:C",
      "turn:1",
    ]);
  });

  it.each([
    [1, "lead B lead"],
    [3, "lead B C D C B lead"],
  ])("goes as deep as maxDelegationDepth allows: %i", async (maxDelegationDepth, expected) => {
    const { made, model } = peers(passingOn, chain, { maxDelegationDepth });

    await made.kickoff();

    expect(model.requests.map(whoIn).join(" ")).toBe(expected);
  });

  it("never comes back to somebody who waits for it, however deep it may go", async () => {
    const two = chain.slice(0, 2);
    const { made, model } = peers(
      byWho({ lead: [calling(delegate("B", "t")), "ok"], B: [calling(delegate("A", "t")), "b"] }),
      two,
      { maxDelegationDepth: 9 },
    );

    await made.kickoff();

    const [first] = model.requests.filter((request) => whoIn(request) === "B");
    expect(toolsIn(first)).toEqual([]); // nobody is left to ask
    expect(model.requests.map(whoIn)).toEqual(["lead", "B", "B", "lead"]);
  });

  it("tells whoever asks one who waits for it that they wait", async () => {
    const { made, model } = peers(
      byWho({ lead: [calling(delegate("B", "t")), "ok"], B: [calling(ask(" a ", "q")), "b"] }),
      chain,
    );

    await made.kickoff();

    const second = model.requests.filter((request) => whoIn(request) === "B")[1];
    expect(resultsIn(second)[0]).toMatch(/is waiting for this very work\. You can ask: C, D/);
  });

  it("by a manager's workers ends too, and never at the manager", async () => {
    const { made, model } = led(
      byWho({
        lead: [calling(delegate("A", "t")), "ok"],
        A: [calling(delegate("Crew manager", "t"), delegate("B", "t")), "a"],
        B: "b",
      }),
      { agents: chain },
    );

    await made.kickoff();

    const second = model.requests.filter((request) => whoIn(request) === "A")[1];
    expect(resultsIn(second)).toEqual([
      expect.stringMatching(/"Crew manager" is waiting for this very work/),
      "[d1] B answers:\nb",
    ]);
  });
});

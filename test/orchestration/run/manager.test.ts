import { describe, expect, it } from "vitest";
import { crew } from "../../../src/crew.ts";
import { agent } from "../../../src/orchestration/crew/agent.ts";
import { task } from "../../../src/orchestration/crew/task.ts";
import { tool } from "../../../src/orchestration/tool/tool.ts";
import { BosunError } from "../../../src/error.ts";
import type { ModelRequest } from "../../../src/inference/model/model.ts";
import { errorOf, eventsOf, job, only, promptOf, scene, worker } from "./scenario.ts";
import { byWho, calling, delegate, resultsIn, sendBack, toolsIn, whoIn } from "./team-scene.ts";

const researcher = worker("Researcher", { goal: "Find facts" });
const writer = worker("Writer", { goal: "Write clearly" });
const agents = [researcher, writer];
const report = task({ name: "report", description: "Report on it", expectedOutput: "A report" });

const by = (requests: readonly ModelRequest[], who: string): readonly ModelRequest[] =>
  requests.filter((request) => whoIn(request) === who);
const systemOf = (request: ModelRequest | undefined): string => request?.messages[0]?.content ?? "";

describe("a hierarchical crew", () => {
  it("lets the manager delegate, shows it the results, and takes its answer as the output", async () => {
    const { bosun, model } = scene(
      byWho({
        lead: [calling(delegate("Researcher", "Find facts", "about whales")), "the report"],
        Researcher: "whales are big",
      }),
    );
    const made = crew({ name: "c", tasks: [report], agents, process: "hierarchical", bosun });

    const result = await made.kickoff();

    expect(result).toMatchObject({ status: "done", raw: "the report" });
    expect(result.tasks.report.agent).toBe("Crew manager");
    const [brief] = by(model.requests, "Researcher");
    expect(promptOf(brief)).toContain("Find facts");
    expect(promptOf(brief)).toContain("about whales");
    expect(resultsIn(by(model.requests, "lead")[1])).toEqual([
      "[d1] Researcher answers:\nwhales are big",
    ]);
  });

  it("tells the manager who there is and what each is for", async () => {
    const { bosun, model } = scene(() => "x");

    await crew({ name: "c", tasks: [report], agents, process: "hierarchical", bosun }).kickoff();

    expect(systemOf(model.requests[0])).toContain("- Researcher: Find facts");
    expect(systemOf(model.requests[0])).toContain("- Writer: Write clearly");
    expect(toolsIn(model.requests[0])).toEqual(["delegate_work", "ask_coworker", "send_back"]);
  });

  it("lets the manager answer at once, without anybody's help", async () => {
    const { bosun, model } = scene(() => "I know that");

    const result = await crew({
      name: "c",
      tasks: [report],
      agents,
      process: "hierarchical",
      bosun,
    }).kickoff();

    expect(result.raw).toBe("I know that");
    expect(model.requests).toHaveLength(1);
  });

  it("does its tasks one after the other, each seeing the outputs before it", async () => {
    const { bosun, model } = scene((request) => `${request.hints.path[0]} is done`);
    const tasks = [report, task({ name: "check", description: "d", expectedOutput: "e" })];

    await crew({ name: "c", tasks, agents, process: "hierarchical", bosun }).kickoff();

    expect(promptOf(model.requests[1])).toContain("task:report is done");
  });

  it("keeps what a worker sees to its piece: neither the task nor the other results", async () => {
    const { bosun, model } = scene(
      byWho({
        lead: [
          calling(delegate("Researcher", "Find facts")),
          calling(delegate("Writer", "Write a line")),
          "done",
        ],
        Researcher: "SECRET FACT",
        Writer: "a line",
      }),
    );

    await crew({ name: "c", tasks: [report], agents, process: "hierarchical", bosun }).kickoff();

    const [brief] = by(model.requests, "Writer");
    const seen = brief?.messages.map(({ content }) => content).join("\n");
    expect(seen).toContain("Write a line");
    expect(seen).not.toContain("SECRET FACT");
    expect(seen).not.toContain("Report on it");
  });

  it("gives the task's tools to the manager and the workers' own tools to them", async () => {
    const [look, search] = ["look", "search"].map((name) =>
      tool({ name, description: "d", parameters: { type: "object" }, run: () => "x" }),
    );
    if (!look || !search) throw new Error("two tools");
    const helper = worker("Helper", { tools: [search] });
    const { bosun, model } = scene(
      byWho({ lead: [calling(delegate("Helper", "t")), "done"], Helper: "h" }),
    );

    await crew({
      name: "c",
      tasks: [task({ name: "t", description: "d", expectedOutput: "e", tools: [look] })],
      agents: [helper],
      process: "hierarchical",
      bosun,
    }).kickoff();

    expect(toolsIn(by(model.requests, "lead")[0])).toContain("look");
    expect(toolsIn(by(model.requests, "Helper")[0])).toEqual(["search"]);
  });

  it("lets the manager try again, with more context, what a worker failed at", async () => {
    const { bosun, model } = scene(
      byWho({
        lead: [
          calling(delegate("Researcher", "Find it")),
          calling(delegate("Researcher", "Find it", "look in the attic")),
          "found",
        ],
        Researcher: [new BosunError("model/bad-request", "cannot"), "in the attic"],
      }),
    );
    const made = crew({ name: "c", tasks: [report], agents, process: "hierarchical", bosun });

    const { events } = await eventsOf(made.stream());

    expect(resultsIn(by(model.requests, "lead")[1])[0]).toMatch(
      /^Error: Researcher could not do it: .*cannot.*more context/s,
    );
    expect(only(events, "delegation-end")).toMatchObject([
      { to: "Researcher", id: "d1", status: "failed", error: { code: "model/bad-request" } },
      { to: "Researcher", id: "d2", status: "done", raw: "in the attic" },
    ]);
    expect(only(events, "run-end")).toMatchObject([{ status: "done", raw: "found" }]);
  });

  it("fails when the manager's own model fails, with that error", async () => {
    const { bosun } = scene(() => new BosunError("model/bad-request", "no"));

    const error = await errorOf(
      crew({ name: "c", tasks: [report], agents, process: "hierarchical", bosun }).kickoff(),
    );

    expect(error.code).toBe("model/bad-request");
  });

  it("takes an agent of the user's as its manager, with its own tools and model", async () => {
    const note = tool({ name: "note", description: "d", parameters: {}, run: () => "noted" });
    const boss = worker("Boss", { goal: "Lead", tools: [note], temperature: 0.5 });
    const { bosun, model } = scene(
      byWho({ lead: [calling(delegate("Writer", "t")), "done"], Writer: "w" }),
    );

    const result = await crew({
      name: "c",
      tasks: [report],
      agents,
      manager: boss,
      process: "hierarchical",
      bosun,
    }).kickoff();

    expect(result.tasks.report.agent).toBe("Boss");
    expect(toolsIn(model.requests[0])).toEqual([
      "note",
      "delegate_work",
      "ask_coworker",
      "send_back",
    ]);
    expect(model.requests[0]?.settings).toMatchObject({ temperature: 0.5 });
    expect(systemOf(model.requests[0])).toContain("You are Boss.");
  });

  it("runs the manager that it makes on managerModel, and the workers on theirs", async () => {
    const { bosun } = scene([], {
      models: {
        big: scene(byWho({ lead: [calling(delegate("Writer", "t")), "from big"] })).model,
        small: scene(() => "from small").model,
      },
      model: "small",
    });

    const { events } = await eventsOf(
      crew({
        name: "c",
        tasks: [report],
        agents: [worker("Writer", { model: "small" })],
        managerModel: "big",
        process: "hierarchical",
        bosun,
      }).stream(),
    );

    expect(only(events, "delegation-end")).toMatchObject([{ raw: "from small" }]);
    expect(only(events, "run-end")).toMatchObject([{ raw: "from big" }]);
  });

  it("shows a task's own agent to the manager as a wish, with its placeholders filled", async () => {
    const expert = agent({ role: "{topic} expert", goal: "g" });
    const asked = task({ name: "t", description: "d", expectedOutput: "e", agent: expert });
    const { bosun, model } = scene(() => "x");
    const made = crew({
      name: "c",
      tasks: [asked, job("u", { agent: worker("Other") })],
      process: "hierarchical",
      bosun,
    });

    await made.kickoff({ inputs: { topic: "Whale" } });

    expect(promptOf(model.requests[0])).toContain("Best done by: Whale expert");
    expect(promptOf(model.requests[1])).toContain("Best done by: Other");
  });

  it("refuses a send-back of a result that does not exist, and tells which exist", async () => {
    const { bosun, model } = scene(
      byWho({
        lead: [
          calling(sendBack("d1", "bad")),
          calling(delegate("Writer", "t")),
          calling(sendBack("d9", "bad")),
          "done",
        ],
        Writer: "w",
      }),
    );

    await crew({ name: "c", tasks: [report], agents, process: "hierarchical", bosun }).kickoff();

    const read = by(model.requests, "lead").flatMap((request) => resultsIn(request));
    expect(read[0]).toMatch(/no result "d1".*nothing has come back yet/);
    expect(read[2]).toMatch(/no result "d9".*There are: d1/);
  });

  it("refuses a send-back without reasons: nobody could do better from it", async () => {
    const { bosun, model } = scene(
      byWho({
        lead: [calling(delegate("Writer", "t")), calling(sendBack("d1", " ")), "ok"],
        Writer: "w",
      }),
    );

    await crew({ name: "c", tasks: [report], agents, process: "hierarchical", bosun }).kickoff();

    expect(resultsIn(model.requests.at(-1))[0]).toMatch(/say in words what is wrong or missing/);
    expect(by(model.requests, "Writer")).toHaveLength(1);
  });

  it("sends a result back with reasons: the worker sees its work and what is wrong with it", async () => {
    const { bosun, model } = scene(
      byWho({
        lead: [
          calling(delegate("Writer", "Write a line", "for children")),
          calling(sendBack("d1", "too long")),
          "done",
        ],
        Writer: ["a very long line", "a line"],
      }),
    );
    const made = crew({ name: "c", tasks: [report], agents, process: "hierarchical", bosun });

    const { events } = await eventsOf(made.stream());

    const again = promptOf(by(model.requests, "Writer")[1]);
    for (const part of ["Write a line", "for children", "a very long line", "too long"])
      expect(again).toContain(part);
    expect(only(events, "delegation-start")).toMatchObject([
      { id: "d1", kind: "delegate", text: "Write a line" },
      { id: "d2", kind: "send-back", text: "too long", to: "Writer" },
    ]);
    expect(resultsIn(by(model.requests, "lead")[2])).toEqual(["[d2] Writer answers:\na line"]);
  });

  it("is refused when an input gives a worker the manager's name", async () => {
    const { bosun } = scene(() => "x");
    const named = agent({ role: "Worker", goal: "g", name: "{who}" });
    const made = crew({
      name: "c",
      tasks: [report],
      agents: [named],
      process: "hierarchical",
      bosun,
    });

    const error = await errorOf(made.kickoff({ inputs: { who: "Crew manager" } }));

    expect(error.code).toBe("crew/duplicate-name");
  });
});

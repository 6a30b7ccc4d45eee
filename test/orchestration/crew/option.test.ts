import { describe, expect, it } from "vitest";
import { createBosun } from "../../../src/bosun.ts";
import { crew } from "../../../src/crew.ts";
import type { BosunError } from "../../../src/error.ts";
import { agent } from "../../../src/orchestration/crew/agent.ts";
import { task } from "../../../src/orchestration/crew/task.ts";
import { endpoint } from "../../../src/inference/model/endpoint.ts";
import { errorOf, job, scene, thrownBy, worker } from "../run/scenario.ts";

/** Calls a builder as somebody does who writes JavaScript: with whatever options. */
const loose =
  (build: (options: never) => unknown, base: object) =>
  (more: object): BosunError =>
    thrownBy(() => build({ ...base, ...more } as never));

const agentWith = loose(agent, { role: "Analyst", goal: "Find facts" });
const taskWith = loose(task, {
  name: "research",
  description: "Look",
  expectedOutput: "Facts",
  agent: worker("A"),
});
const crewWith = loose(crew, { name: "report", tasks: [job("a")] });

describe("an option that is not built", () => {
  it.each(["memory", "knowledge", "maxRpm"])(
    "of an agent is an error that says so: %s",
    (option) => {
      const error = agentWith({ [option]: true });
      expect(error.code).toBe("crew/not-built");
      expect(error.message).toMatch(new RegExp(`Analyst.*${option}.*not built yet`, "s"));
    },
  );

  it.each(["writes", "memory", "knowledge"])("of a task is an error that says so: %s", (option) => {
    const error = taskWith({ [option]: true });
    expect(error.code).toBe("crew/not-built");
    expect(error.message).toMatch(new RegExp(`research.*${option}.*not built yet`, "s"));
  });

  it.each(["memory", "knowledge"])("of a crew is an error that says so: %s", (option) => {
    const error = crewWith({ [option]: true });
    expect(error.code).toBe("crew/not-built");
    expect(error.message).toMatch(new RegExp(`report.*${option}.*not built yet`, "s"));
  });

  it("given as undefined is no error", () => {
    expect(() => agent({ role: "A", goal: "g", memory: undefined } as never)).not.toThrow();
  });
});

describe("an unknown option", () => {
  it("of an agent, a task or a crew is an error that names it and those that there are", () => {
    const errors = [
      agentWith({ rolle: "x" }),
      taskWith({ ouput: 1 }),
      crewWith({ proces: "parallel" }),
    ];

    expect(errors.map(({ code }) => code)).toEqual(Array(3).fill("crew/invalid"));
    expect(errors.map(({ message }) => message)).toEqual([
      expect.stringMatching(/Analyst.*rolle.*role/s),
      expect.stringMatching(/research.*ouput.*output/s),
      expect.stringMatching(/report.*proces.*process/s),
    ]);
  });

  it("of a Bosun is an error that names it", () => {
    const error = thrownBy(() => createBosun({ data: false, env: {}, modle: "x" } as never));
    expect(error.message).toContain("modle");
  });

  it("of a kickoff is an error that names it", async () => {
    const { bosun } = scene(() => "x");
    const made = crew({ name: "c", tasks: [job("a")], bosun });

    const error = await errorOf(made.kickoff({ input: { topic: "x" } } as never));

    expect(error.message).toContain("input");
  });

  it("of an endpoint is an error that names it", () => {
    const error = thrownBy(() => endpoint({ url: "http://h/v1", tempreature: 1 } as never));
    expect(error).toMatchObject({ code: "config/invalid" });
    expect(error.message).toContain("tempreature");
  });
});

describe("an unknown option that is nearly a known one", () => {
  it.each([
    ["allow_delegation", "allowDelegation"],
    ["llm", "model"],
    ["max_iter", "maxIterations"],
    ["modle", "model"],
    ["TOOLS", "tools"],
  ])("says which was meant: %s", (key, meant) => {
    expect(agentWith({ [key]: 1 }).message).toContain(`Did you mean ${meant}?`);
  });

  it("guesses nothing for a word of its own", () => {
    expect(agentWith({ verbose: true }).message).not.toContain("Did you mean");
  });
});

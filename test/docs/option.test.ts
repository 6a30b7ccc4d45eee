import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createBosun } from "../../src/bosun.ts";
import { endpoint } from "../../src/inference/model/endpoint.ts";
import { agent } from "../../src/orchestration/crew/agent.ts";
import { defineCrew } from "../../src/orchestration/crew/crew.ts";
import { task } from "../../src/orchestration/crew/task.ts";
import { tool } from "../../src/orchestration/tool/tool.ts";
import { thrownBy } from "../orchestration/run/scenario.ts";

const PAGE = readFileSync(join(import.meta.dirname, "../../docs/options.md"), "utf8");

/** The options that a builder says it takes, when it is given one that it does not know. */
function optionsOf(build: (options: never) => unknown, base: object): readonly string[] {
  const { message } = thrownBy(() => build({ ...base, zzzzzzzzzz: 1 } as never));
  const list = /(?:It takes|one of the options) (.+?)(?:, got .*)?$/.exec(message)?.[1] ?? "";
  return list.split(/, /);
}

describe("docs/options.md", () => {
  it.each<[string, (options: never) => unknown, object]>([
    ["agent", agent, { role: "r", goal: "g" }],
    ["task", task, { name: "t", description: "d", expectedOutput: "e" }],
    ["crew", defineCrew, { name: "c", tasks: [] }],
    ["tool", tool, { name: "t" }],
    ["endpoint", endpoint, { url: "http://h/v1" }],
    ["createBosun", createBosun, { data: false, env: {} }],
  ])("names every option of %s", (name, build, base) => {
    const options = optionsOf(build, base);
    const start = PAGE.indexOf(`## ${name}(`);
    const section = PAGE.slice(start, PAGE.indexOf("\n## ", start + 1));
    const settings = PAGE.slice(PAGE.indexOf("On an endpoint, an agent or a task"));

    expect(options.length).toBeGreaterThan(4);
    const missing = options.filter(
      (option) => !section.includes(`\`${option}\``) && !settings.includes(`\`${option}\``),
    );
    expect(missing).toEqual([]);
  });
});

import { describe, expect, it } from "vitest";
import type { Agent } from "../../../../src/orchestration/crew/agent.ts";
import type { Task } from "../../../../src/orchestration/crew/task.ts";
import { load, yamlProject } from "./project-folder.ts";

const AGENT = "one:\n  role: One\n  goal: Be one\n";
const TASK = "first:\n  description: Do it\n  expected_output: It\n";
/** Loads a YAML project in which one agent or one task has a further line. */
const withAgentLine = (line: string) => load(yamlProject({ "agents.yaml": `${AGENT}  ${line}\n` }));
const withTaskLine = (line: string) =>
  load(yamlProject({ "tasks.yaml": `${TASK}  agent: one\n  ${line}\n` }));
const firstAgent = async (line: string): Promise<Agent | undefined> =>
  (await withAgentLine(line)).options.agents?.[0];
const firstTask = async (line: string): Promise<Task | undefined> =>
  (await withTaskLine(line)).options.tasks[0];

describe("models of a project", () => {
  it.each([
    ["llm: openai/gpt-4o", ["openai/gpt-4o"]],
    ["llm: gpt-4o-mini", ["gpt-4o-mini"]],
    ["llm: hosted_vllm/Qwen/Qwen3-8B", ["hosted_vllm/Qwen/Qwen3-8B"]],
    ["llm: ollama_chat/llama3", ["ollama/llama3"]],
    ["llm: Qwen/Qwen3-8B", ["Qwen/Qwen3-8B"]],
    ["llm: {model: llama3, provider: ollama}", ["ollama/llama3"]],
    ["llm: anthropic/claude-x", []],
    ["llm: {model: x, provider: azure}", []],
    ["llm:", []],
  ])("%s means %j", async (line, models) => {
    expect((await firstAgent(line))?.models).toEqual(models);
  });

  it("says that a provider without a client is replaced by the run's model", async () => {
    const { notes } = await withAgentLine("llm: anthropic/claude-x");

    expect(notes).toContainEqual(
      expect.objectContaining({
        key: "llm",
        level: "warning",
        line: 4,
        column: 3,
        message: expect.stringContaining("run's model"),
      }),
    );
  });

  it("takes settings, seconds and the variable of a key, and never a key itself", async () => {
    const { options, notes } = await withAgentLine(
      "llm: {model: openai/x, base_url: 'http://h/v1', api_key: sk-secret, timeout: 20, top_p: 0.5, stop: END, reasoning_effort: low, odd: 1}",
    );
    const named = await firstAgent(
      "llm: {model: x, base_url: 'http://h/v1', api_key: os.environ/MY_KEY}",
    );

    expect(options.agents?.[0]).toMatchObject({
      models: [{ url: "http://h/v1", model: "x" }],
      timeouts: { totalMs: 20_000 },
      topP: 0.5,
      stop: ["END"],
      extraBody: { reasoning_effort: "low" },
    });
    expect(JSON.stringify([options, notes])).not.toContain("sk-secret");
    expect(notes.map(({ message }) => message)).toEqual(
      expect.arrayContaining([
        expect.stringContaining("api_key"),
        expect.stringContaining("llm.odd"),
      ]),
    );
    expect(named?.models).toMatchObject([{ apiKeyEnv: "MY_KEY" }]);
  });

  it("tells of a key's variable that nothing looks at", async () => {
    const { notes } = await withAgentLine("llm: {model: gpt-4o, api_key: os.environ/MY_KEY}");
    const usual = await withAgentLine("llm: {model: gpt-4o, api_key: os.environ/OPENAI_API_KEY}");

    expect(notes.map(({ message }) => message)).toContainEqual(
      expect.stringContaining("MY_KEY is not used"),
    );
    expect(usual.notes.map(({ key }) => key)).toEqual(["tasks"]);
  });
});

describe("keys of a project", () => {
  it("carries tasks' keys over", async () => {
    expect(await firstTask("human_input: true")).toMatchObject({ humanInput: {} });
    expect(await firstTask("async_execution: true")).toMatchObject({ async: true });
    expect(await firstTask("output_file: ./a/{x}.md")).toMatchObject({ outputFile: "a/{x}.md" });
    expect(await firstTask("guardrail: Be short")).toMatchObject({ guardrails: ["Be short"] });
    expect(await firstTask("tools: [scrape_website, FileReadTool]")).toMatchObject({
      tools: [{ name: "fetch_url" }, { name: "read_file" }],
    });
    expect(await firstAgent("allow_delegation: true")).toMatchObject({ allowDelegation: true });
  });

  it("names a task as it says, and tells of retries without a guardrail", async () => {
    const { options, notes } = await load(
      yamlProject({ "tasks.yaml": `${TASK}  agent: one\n  name: Do it 1\n  max_retries: 2\n` }),
    );

    expect(options.tasks).toMatchObject([{ name: "Do-it-1", guardrailRetries: 3 }]);
    expect(notes).toContainEqual(expect.objectContaining({ key: "max_retries", line: 6 }));
  });

  it("says what an unknown key in camelCase should be", async () => {
    const { notes } = await withAgentLine("maxIter: 3");

    expect(notes).toContainEqual(
      expect.objectContaining({
        key: "maxIter",
        message: expect.stringMatching(/unknown.*Write max_iter$/),
      }),
    );
  });

  it("warns of placeholders that CrewAI would leave as they stand", async () => {
    const agents = "one:\n  role: One\n  goal: Know { topic } and {{place}}\n";
    const tasks = `${TASK.replace("Do it", "'Do {it} { , } {\"a\": 1} {year }'")}  agent: one\n`;

    const { notes } = await load(yamlProject({ "agents.yaml": agents, "tasks.yaml": tasks }));

    expect(notes.filter(({ level }) => level === "warning")).toMatchObject([
      { key: "goal", line: 3, message: expect.stringContaining('topic="{ topic }"') },
      { key: "description", line: 2, message: expect.stringContaining("{year } asks for") },
    ]);
  });

  it("lets an empty expected_output and an unset key be", async () => {
    const tasks = "t:\n  description: d\n  expected_output: ''\n  agent: one\n  output_file:\n";

    const { options, notes } = await load(yamlProject({ "tasks.yaml": tasks }));

    expect(options.tasks).toMatchObject([
      { expectedOutput: "A complete answer", outputFile: undefined },
    ]);
    expect(notes).toContainEqual(expect.objectContaining({ key: "expected_output", line: 3 }));
  });

  it.each([
    ["max_rpm: 3", "warning"],
    ["allow_code_execution: true", "note"],
    ["function_calling_llm: x", "warning"],
    ["respect_context_window: false", "warning"],
    ["guardrail: Be short", "note"],
    ["tool_failure_policy: warn", "note"],
    ["tool_failure_policy: raise", "warning"],
    ["tools: [ScrapeWebsiteTool]", "note"],
    ["tools: [SeleniumScrapingTool]", "warning"],
    ["tools: [RagTool]", "warning"],
    ["verbose: 2", undefined],
    ["memory: false", undefined],
    ["memory: true", "warning"],
    ["knowledge_sources: []", undefined],
    ["cache: true", undefined],
    ["cache: false", "note"],
    ["step_callback: say", "warning"],
    ["maxIter: 3", "warning"],
    ["__proto__: 3", "warning"],
    ["constructor: 3", "warning"],
  ])("tells of %s as %s", async (line, level) => {
    const { notes } = await withAgentLine(line);

    expect(notes.filter(({ key }) => key !== "tasks").map((note) => note.level)).toEqual(
      level === undefined ? [] : [level],
    );
  });
});

import { describe, expect, it } from "vitest";
import { type Bosun, createBosun } from "../../src/bosun.ts";
import { BosunError } from "../../src/error.ts";
import { defineCrew } from "../../src/orchestration/crew/crew.ts";
import { openSqliteEngine } from "../../src/orchestration/durable/sqlite/engine.ts";
import { tool } from "../../src/orchestration/tool/tool.ts";
import { type Script, scriptedModel } from "../../src/test/scripted-model.ts";
import { costing, job, QUICK, taskIn, worker } from "../orchestration/run/scenario.ts";
import { ID, tempFolder } from "../resume-scene.ts";

const look = tool({
  name: "look",
  description: "Looks",
  parameters: { type: "object" },
  run: () => "x",
});
const pair = () =>
  defineCrew({
    name: "pair",
    process: "parallel",
    policy: "continue",
    limits: { tokensPerRun: 1_200 },
    tasks: [
      job("a", { agent: worker("A", { maxTokens: 300 }) }),
      job("b", { agent: worker("B", { maxTokens: 300, tools: [look] }) }),
    ],
  });

const failing: Script = (request) => {
  if (taskIn(request) === "b") return new Promise<never>(() => undefined);
  const details = { text: "", usage: { ...costing(500, 100) } };
  return new BosunError("model/server", "again", { retryable: true, details });
};

describe("a run whose budget a failed attempt has used up", () => {
  it("makes no further call after it is resumed, also where there would be room again (G3)", async () => {
    using folder = tempFolder();
    let first: Bosun | undefined;
    await using engine = openSqliteEngine(folder.path, {
      probe: (point, key) => {
        if (point === "kept" && key === "task:a/turn:1") void first?.suspend();
      },
    });
    first = open(folder.path, engine, failing).bosun;
    const begun = await first.start(pair(), { inputs: {}, runId: ID });
    await begun.ended.catch(() => undefined); // given back
    await first.close();

    await using later = openSqliteEngine(folder.path);
    const { bosun, model } = open(folder.path, later, () => ({
      calls: [{ tool: "look", arguments: {} }],
      usage: costing(10, 7),
    }));
    const { ended } = await bosun.resume(pair(), ID);
    const state = await ended;
    await bosun.close();

    expect(state.status).toBe("over-budget");
    expect(model.requests.map(({ hints }) => hints.path.join("/"))).toEqual(["task:b/turn:1"]);
  });
});

function open(data: string, engine: ReturnType<typeof openSqliteEngine>, script: Script) {
  const model = scriptedModel(script);
  return { model, bosun: createBosun({ data, env: {}, engine, model, retry: QUICK }) };
}

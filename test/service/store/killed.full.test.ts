import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, it } from "vitest";
import { openStore } from "../../../src/service/store/store.ts";

const urlOf = (path: string): string =>
  JSON.stringify(pathToFileURL(join(import.meta.dirname, "../../../src", path)).href);

/** Runs a crew whose second task never answers; says so when the second call has begun. */
const script = (data: string): string => `
  const { createBosun } = await import(${urlOf("bosun.ts")});
  const { crew } = await import(${urlOf("crew.ts")});
  const { agent } = await import(${urlOf("orchestration/crew/agent.ts")});
  const { task } = await import(${urlOf("orchestration/crew/task.ts")});
  const { scriptedModel } = await import(${urlOf("test/scripted-model.ts")});
  const model = scriptedModel((_request, index) => index === 0 ? "first text" : new Promise(() => {}));
  const bosun = createBosun({ data: ${JSON.stringify(data)}, env: {}, model });
  const worker = agent({ role: "Worker", goal: "Work" });
  const job = (name) => task({ name, description: "d", expectedOutput: "e", agent: worker });
  const made = crew({ name: "doomed", tasks: [job("a"), job("b")], bosun });
  for await (const event of made.stream({ runId: "doomed-run" }))
    if (event.type === "model-start" && event.path[0] === "task:b") process.stdout.write("stuck");
`;

it("shows a run whose process was killed as interrupted, with all events that were yielded (E2)", async () => {
  const data = mkdtempSync(join(tmpdir(), "bosun-killed-"));
  const child = spawn(
    process.execPath,
    ["--conditions=bosun-source", "--input-type=module", "--eval", script(data)],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  try {
    await once(child.stdout, "data");
    const store = openStore(data);
    const alive = store.list();
    child.kill("SIGKILL");
    await once(child, "exit");

    const dead = store.list();
    const events = store.events("doomed-run");

    expect(alive).toMatchObject([{ runId: "doomed-run", crew: "doomed", status: "running" }]);
    expect(dead).toMatchObject([{ runId: "doomed-run", status: "interrupted" }]);
    expect(store.list({ status: "interrupted" })).toHaveLength(1);
    expect(store.find("doomed")).toMatchObject({ status: "interrupted" });
    expect(events.at(-1)).toMatchObject({ type: "model-start", path: ["task:b", "turn:1"] });
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    store.close();
  } finally {
    child.kill("SIGKILL");
    rmSync(data, { recursive: true, force: true });
  }
}, 30_000);

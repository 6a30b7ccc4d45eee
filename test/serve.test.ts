import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { type Bosun, createBosun } from "../src/bosun.ts";
import { type Crew, defineCrew } from "../src/orchestration/crew/crew.ts";
import { type Script, scriptedModel } from "../src/test/scripted-model.ts";
import { errorOf, job, QUICK, taskIn } from "./orchestration/run/scenario.ts";

const folders: string[] = [];
afterEach(() => {
  for (const path of folders.splice(0)) rmSync(path, { recursive: true, force: true });
});

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "bosun-serve-"));
  folders.push(path);
  return path;
}

const report = (): Crew => defineCrew({ name: "report", tasks: [job("facts"), job("text")] });

function open(data: string, script: Script = (request) => `of ${taskIn(request)}`): Bosun {
  return createBosun({ data, env: {}, model: scriptedModel(script), retry: QUICK });
}

/** What a run came to, as whoever has the data folder sees it. */
async function ended(bosun: Bosun, id: string): Promise<unknown> {
  return (await (await bosun.journal())?.get(id))?.result();
}

describe("a run in a queue", () => {
  it("is executed by a process that serves its crew, and its events are in the store", async () => {
    const data = folder();
    await using stop = stopper();
    const [giver, worker] = [open(data), open(data)];
    const serving = worker.serve([report()], { concurrency: 2 }, stop.signal);

    const id = await giver.enqueue(report(), { inputs: {}, runId: "job-1" });
    const outcome = await ended(giver, id);

    expect(outcome).toMatchObject({ status: "done", raw: "of text" });
    const store = await giver.store();
    expect(store?.find("job-1")).toMatchObject({ status: "done", crew: "report" });
    stop.abort();
    await serving;
    await Promise.all([giver.close(), worker.close()]);
  });

  it("goes on in another process, where the first one gave it back", async () => {
    const data = folder();
    await using stop = stopper();
    const seen: string[] = [];
    const begun = Promise.withResolvers<void>();
    const first = open(data, (request) => {
      seen.push(taskIn(request));
      if (taskIn(request) === "facts") return "of facts";
      begun.resolve();
      return new Promise<never>(() => undefined);
    });
    const serving = first.serve([report()], {}, stop.signal);
    const id = await first.enqueue(report(), { inputs: {} });
    await begun.promise;
    await first.suspend();
    stop.abort();
    await serving;
    await first.close();

    await using again = stopper();
    const second = open(data, (request) => {
      seen.push(taskIn(request));
      return `of ${taskIn(request)}`;
    });
    const served = second.serve([report()], {}, again.signal);
    const outcome = await ended(second, id);
    const events = (await second.store())?.events(id) ?? [];
    again.abort();
    await served;
    await second.close();

    expect(outcome).toMatchObject({ status: "done", raw: "of text" });
    expect(seen).toEqual(["facts", "text", "text"]);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    expect(events.filter(({ type }) => type === "run-end")).toHaveLength(1);
  });

  it("is left alone by a process whose crew of that name is another one", async () => {
    const data = folder();
    await using stop = stopper();
    const [giver, worker] = [open(data), open(data)];
    const other = defineCrew({ name: "report", tasks: [job("facts"), job("picture")] });
    const serving = worker.serve([other], {}, stop.signal);

    const id = await giver.enqueue(report(), { inputs: {} });
    // The worker takes what it can in the order of its coming: this one comes after.
    await ended(giver, await giver.enqueue(other, { inputs: {} }));
    const record = await (await giver.journal())?.find(id);
    stop.abort();
    await serving;
    await Promise.all([giver.close(), worker.close()]);

    expect(record?.phase).toBe("queued");
  });

  it("is refused before anything is paid for when an input is missing, and where nothing is kept", async () => {
    const bosun = open(folder());
    const asking = defineCrew({ name: "c", tasks: [job("a", { outputFile: "../out.md" })] });
    const nothing = createBosun({ data: false, env: {}, model: scriptedModel(() => "x") });

    expect((await errorOf(bosun.enqueue(asking, { inputs: {} }))).code).not.toBe("");
    expect((await errorOf(nothing.enqueue(report(), { inputs: {} }))).code).toBe("usage");
    await bosun.close();
  });
});

function stopper(): AsyncDisposable & { readonly signal: AbortSignal; abort(): void } {
  const controller = new AbortController();
  return {
    signal: controller.signal,
    abort: () => controller.abort(),
    async [Symbol.asyncDispose]() {
      controller.abort();
    },
  };
}

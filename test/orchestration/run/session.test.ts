import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { crew } from "../../../src/crew.ts";
import { task } from "../../../src/orchestration/crew/task.ts";
import type { Bosun } from "../../../src/bosun.ts";
import { estimateTokens } from "../../../src/inference/model/tokens.ts";
import type { ScriptedModel, Script } from "../../../src/test/scripted-model.ts";
import { toHistory } from "../../../src/session.ts";
import { errorOf, eventsOf, job, only, promptOf, scene, seeded, worker } from "./scenario.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "bosun-session-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const chat = task({
  name: "chat",
  description: "{message}",
  expectedOutput: "e",
  agent: worker("A"),
});
const chatOn = (bosun: Bosun) => crew({ name: "c", tasks: [chat], bosun });
let scenes = 0;
/** A Bosun that keeps its conversations in a file, or in the process. */
const sceneOn = (where: "disk" | "process", script: Script) =>
  scene(script, { data: where === "disk" ? join(folder, `s${scenes++}`) : false });

const seenBy = (model: ScriptedModel): readonly string[] =>
  model.requests.map((request) => {
    const [, rest = ""] = promptOf(request).split("## conversation so far\n");
    return rest.split("\n\n# Task")[0] ?? "";
  });

describe.each(["disk", "process"] as const)("a session kept in the %s", (where) => {
  it("shows each run what was asked and answered before it", async () => {
    const { bosun, model } = sceneOn(where, (_, index) => `answer ${index + 1}`);
    const made = chatOn(bosun);

    for (const message of ["one", "two", "three"])
      await made.kickoff({ inputs: { message }, session: "s" });

    expect(seenBy(model)).toEqual([
      "",
      "User: one\nAnswer: answer 1",
      "User: one\nAnswer: answer 1\n\nUser: two\nAnswer: answer 2",
    ]);
    await bosun.close();
  });

  it("is another for another id, and none for a run without one", async () => {
    const { bosun, model } = sceneOn(where, () => "x");
    const made = chatOn(bosun);

    await made.kickoff({ inputs: { message: "mine" }, session: "a" });
    await made.kickoff({ inputs: { message: "yours" }, session: "b" });
    await made.kickoff({ inputs: { message: "nobody's" } });

    expect(seenBy(model)).toEqual(["", "", ""]);
    await bosun.close();
  });

  it("is carried from one crew to another", async () => {
    const { bosun, model } = sceneOn(where, () => "x");

    await chatOn(bosun).kickoff({ inputs: { message: "hello" }, session: "s" });
    await crew({ name: "other", tasks: [job("t")], bosun }).kickoff({ session: "s" });

    expect(seenBy(model)[1]).toBe("User: hello\nAnswer: x");
    await bosun.close();
  });

  it("does not keep a run that failed", async () => {
    const answers = ["fine", "", "", "fine again"];
    const { bosun, model } = sceneOn(where, (_, index) => answers[index] ?? "x");
    const made = chatOn(bosun);

    await made.kickoff({ inputs: { message: "one" }, session: "s" });
    await errorOf(made.kickoff({ inputs: { message: "two" }, session: "s" }));
    await made.kickoff({ inputs: { message: "three" }, session: "s" });

    expect(seenBy(model).at(-1)).toBe("User: one\nAnswer: fine");
    await bosun.close();
  });

  it("keeps what the run's hook made of the answer", async () => {
    const { bosun, model } = sceneOn(where, () => "secret");
    const hooks = { afterKickoff: () => ({ raw: "public" }) };
    const made = crew({ name: "c", tasks: [chat], hooks, bosun });

    await made.kickoff({ inputs: { message: "one" }, session: "s" });
    await made.kickoff({ inputs: { message: "two" }, session: "s" });

    expect(seenBy(model)[1]).toBe("User: one\nAnswer: public");
    await bosun.close();
  });

  it("takes the newest turns that fit its budget", async () => {
    const { bosun, model } = sceneOn(where, (_, index) => `answer ${index} ${"word ".repeat(100)}`);
    const made = chatOn(bosun);

    for (let n = 0; n < 6; n++)
      await made.kickoff({ inputs: { message: `m${n}` }, session: { id: "s", maxTokens: 300 } });

    const history = seenBy(model).at(-1) ?? "";
    expect(history).toContain("m4");
    expect(history).not.toContain("m1");
    expect(estimateTokens(history)).toBeLessThanOrEqual(300);
    await bosun.close();
  });

  it("is shown to every task of a run, and told in run-start", async () => {
    const { bosun, model } = sceneOn(where, () => "x");
    await chatOn(bosun).kickoff({ inputs: { message: "hello" }, session: "s" });
    const two = crew({ name: "c", tasks: [job("a"), job("b")], bosun });

    const { events } = await eventsOf(two.stream({ session: "s" }));

    expect(only(events, "run-start")).toMatchObject([{ session: "s" }]);
    expect(
      model.requests.slice(1).every((request) => promptOf(request).includes("User: hello")),
    ).toBe(true);
    await bosun.close();
  });
});

describe("a session on disk", () => {
  it("is there again for another Bosun on the same folder", async () => {
    const data = join(folder, "shared");
    const first = scene(() => "x", { data });
    await chatOn(first.bosun).kickoff({ inputs: { message: "hello" }, session: "s" });
    await first.bosun.close();

    const second = scene(() => "y", { data });
    await chatOn(second.bosun).kickoff({ inputs: { message: "again" }, session: "s" });
    await second.bosun.close();

    expect(seenBy(second.model)).toEqual(["User: hello\nAnswer: x"]);
  });
});

describe("a session that is none", () => {
  it.each([7, "", "a b", "../x", {}, { id: "s", maxTokens: 0 }, { id: "s", max: 5 }])(
    "is refused before anything is paid for: %j",
    async (session) => {
      const { bosun, model } = scene(() => "x");

      const error = await errorOf(
        chatOn(bosun).kickoff({ inputs: { message: "m" }, session: session as string }),
      );

      expect(error.code).toBe("crew/invalid");
      expect(model.requests).toEqual([]);
    },
  );
});

describe("toHistory", () => {
  it("shows a lone input as it is, several by name, and what is no text as JSON", () => {
    const turns = [
      { inputs: { message: "hello" }, raw: "hi" },
      { inputs: { topic: "whales", words: 5, tags: ["a"] }, raw: "big" },
      { inputs: { n: 7 }, raw: "seven" },
    ];

    expect(toHistory(turns, 1_000)).toBe(
      'User: hello\nAnswer: hi\n\nUser: topic: whales; words: 5; tags: ["a"]\nAnswer: big\n\nUser: 7\nAnswer: seven',
    );
  });

  it("cuts the newest turn when it alone is too long, and says so", () => {
    const history = toHistory([{ inputs: { m: "q" }, raw: "word ".repeat(1_000) }], 50);

    expect(history).toMatch(/^User: q\nAnswer: word .*\[… cut to fit …\]$/s);
  });

  it("never has more than its budget, and its turns are the last ones, in order (300 seeds)", () => {
    for (let seed = 1; seed <= 300; seed++) {
      const random = seeded(seed);
      const maxTokens = 1 + Math.floor(random() * 400);
      const turns = Array.from({ length: Math.floor(random() * 8) }, (_, n) => ({
        inputs: { m: `<${n}>` },
        raw: (random() < 0.2 ? "鯨" : "").repeat(200) + "word ".repeat(random() ** 3 * 500),
      }));

      const history = toHistory(turns, maxTokens);

      expect(estimateTokens(history), `seed ${seed}`).toBeLessThanOrEqual(maxTokens);
      const shown = [...history.matchAll(/<(\d)>/g)].map(([, n]) => Number(n));
      expect(shown, `seed ${seed}`).toEqual(
        turns.map((_, n) => n).slice(turns.length - shown.length),
      );
    }
  });

  it("is empty without turns", () => {
    expect(toHistory([], 1_000)).toBe("");
  });
});

describe("a session of many kickoffs at once", () => {
  it("is refused: they would be turns of one conversation that do not see each other", async () => {
    const { bosun } = scene(() => "x");
    const made = crew({ name: "c", tasks: [job("a")], bosun });

    const error = await errorOf(made.kickoffForEach([{}], { session: "s" } as never));

    expect(error).toMatchObject({ code: "usage" });
  });
});

import { describe, expect, it } from "vitest";
import type { Json } from "../../../../src/json.ts";
import { ENGINES } from "./harness.ts";
import { createProcessScene, type ProcessScene } from "./process-scene.ts";
import type { Traced } from "./worker.ts";

const ID = "run-1";

type Survived = {
  readonly output: Json;
  /** What was kept by then, as the process told and as the journal says. */
  readonly kept: readonly string[];
  /** How often each step had been begun when its process was killed, and when the run was done. */
  readonly before: Readonly<Record<string, number>>;
  readonly after: Readonly<Record<string, number>>;
  readonly trace: readonly Traced[];
};

/** Runs a flow in a process that is killed at each of these points in turn, and then in one that is not. */
async function survive(
  scene: ProcessScene,
  flow: string,
  points: readonly string[],
): Promise<Survived> {
  let isStarted = false;
  const next = (at?: string) =>
    scene.spawn(
      isStarted
        ? { do: "resume", id: ID, isPatient: true }
        : { do: "start", flow, options: { id: ID } },
      at === undefined ? {} : { cut: { signal: "SIGKILL", at } },
    );
  for (const at of points) {
    const process = await next(at);
    expect(await process.exited, `killed at ${at}`).toBe("SIGKILL");
    isStarted = true;
  }
  const steps = isStarted ? await (await scene.open()).steps(ID) : [];
  const journaled = steps.filter(({ status }) => status !== "begun").map(({ key }) => key);
  const kept = [...new Set([...(await scene.kept()), ...journaled])];
  const before = scene.counter.begun(ID);
  const last = await next();
  const output = await last.end();
  return { output, kept, before, after: scene.counter.begun(ID), trace: await scene.trace() };
}

/** Keys of steps that were executed again although they were kept. */
function repeatedOf({ kept, before, after }: Survived): readonly string[] {
  return kept.filter((key) => after[key] !== before[key]);
}

/** What the branches come to where nobody kills them. */
const BRANCHES = `${Array.from({ length: 20 }, (_, b) => [1, 2, 3].map((n) => `[b${b}/${n}]`).join("")).join("")}[join]`;

const POINTS = ["begun", "ended", "kept"] as const;
const SIX = POINTS.flatMap((point) => [1, 2, 3, 4, 5, 6].map((n) => `${point}:${n}`));
/** Of the 61 steps in 20 branches, most under way at once. */
const SOME = POINTS.flatMap((point) => [1, 20, 41, 60].map((n) => `${point}:${n}`));

describe.each(ENGINES)("on $name, a run of six steps that is killed", (kind) => {
  it.each(SIX)("at %s comes to the same, and repeats no step that was kept", async (at) => {
    await using scene = await createProcessScene(kind);

    const survived = await survive(scene, "six", [at]);

    const [point, n] = at.split(":");
    expect(survived.output).toBe("[s1][s2][s3][s4][s5][s6]");
    expect(repeatedOf(survived)).toEqual([]);
    expect(survived.kept).toHaveLength(point === "kept" ? Number(n) : Number(n) - 1);
    // Only the one whose function had ended before its outcome was kept may be executed twice.
    const twice = Object.entries(survived.after).filter(([, count]) => count > 1);
    expect(twice).toEqual(point === "ended" ? [[`s${n}`, 2]] : []);
  });

  it("again and again, once for each step, repeats none", async () => {
    await using scene = await createProcessScene(kind);

    const survived = await survive(
      scene,
      "six",
      Array.from({ length: 6 }, () => "kept:1"),
    );

    expect(survived.output).toBe("[s1][s2][s3][s4][s5][s6]");
    expect(Object.values(survived.after)).toEqual([1, 1, 1, 1, 1, 1]);
  });
});

describe.each(ENGINES)("on $name, a run of 20 branches that is killed", (kind) => {
  it.each(SOME)("at %s comes to the same, and repeats no step that was kept", async (at) => {
    await using scene = await createProcessScene(kind);

    const survived = await survive(scene, "branches", [at]);

    expect(survived.output).toBe(BRANCHES);
    expect(repeatedOf(survived)).toEqual([]);
    expect(Object.keys(survived.after)).toHaveLength(61);
  });

  it("four times repeats no step that was kept", async () => {
    await using scene = await createProcessScene(kind);

    const survived = await survive(scene, "branches", ["kept:7", "ended:9", "kept:11", "begun:5"]);

    expect(repeatedOf(survived)).toEqual([]);
    expect(Object.keys(survived.after)).toHaveLength(61);
  });
});

describe.each(ENGINES)("on $name, a run that does all that a body can, and is killed", (kind) => {
  it.each([
    ["kept:1"],
    ["kept:2", "begun:3"],
    ["ended:4", "kept:3", "kept:2"],
    ["kept:6", "kept:3"],
    ["kept:9"],
    ["ended:11", "begun:1"],
    ["kept:1", "kept:1", "kept:1", "kept:1"],
  ])("at %s %s %s … comes to the same and sees the same", async (...points) => {
    await using scene = await createProcessScene(kind);

    const survived = await survive(scene, "rich", points);

    expect(survived.output).toEqual([
      ["[a]", "[b]"],
      ["1", "3", "5", "7"],
      [["model/context-length", "too long", { tokens: 9 }], "at last"],
      ["task/timed-out", "too late", null],
      "nothing",
    ]);
    expect(differences(survived.trace)).toEqual([]);
    // The tries of "flaky" are counted together: that its first one was kept does not mean that the step was.
    expect(repeatedOf(survived).filter((key) => key !== "flaky")).toEqual([]);
  });
});

/** What bodies saw differently in different executions. */
function differences(trace: readonly Traced[]): readonly string[] {
  const seen = trace.filter((line) => line.type === "seen");
  const byName = Map.groupBy(seen, ({ name }) => name);
  return [...byName].flatMap(([name, all]) => {
    const values = new Set(all.map(({ value }) => JSON.stringify(value)));
    return values.size > 1 ? [`${name}: ${[...values].join(" or ")}`] : [];
  });
}

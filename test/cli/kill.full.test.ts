import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FaultServer, STALL } from "../../src/test/index.ts";
import { type Ended, newFolder, runBosun, startBosun } from "./bosun-process.ts";
import {
  HIERARCHY,
  HIERARCHY_ANSWERS,
  keptCalls,
  killAtEvent,
  namesOf,
  startAnswering,
  storedRun,
  THREE_ANSWERS,
  threeTasks,
  type ToldEvent,
  toldIn,
} from "./kill-crew.ts";

const CREWS = [
  { process: "sequential", crew: threeTasks("sequential"), calls: 5 },
  { process: "parallel", crew: threeTasks("parallel"), calls: 5 },
  { process: "hierarchical", crew: HIERARCHY, calls: 4 },
] as const;

/** The call with this number gets no answer. */
let stalled = -1;
let server: FaultServer;
beforeAll(async () => {
  const answers = { ...THREE_ANSWERS, ...HIERARCHY_ANSWERS };
  server = await startAnswering(answers, (answer, index) => (index === stalled ? [STALL] : answer));
});
afterAll(() => server.close());

const env = (): Record<string, string> => ({ SERVER_URL: server.url });
const place = ({ path, type, seq }: ToldEvent): string => `${seq} ${path.join("/")} ${type}`;

describe.each(CREWS)("a $process crew that is killed with -9", ({ crew, calls }) => {
  const cwd = newFolder({ "crew.ts": crew });
  const places = Array.from({ length: calls }, (_, index) => index + 1);
  let whole: Ended;
  let expected: unknown;
  beforeAll(async () => {
    whole = await runBosun(["run", ".", "--run-id", "whole"], { cwd, env: env() });
    expected = storedRun("whole", cwd);
  });

  it.each(places)(
    "when answer %i is kept goes on from there, and comes to what it would have come to",
    async (n) => {
      const runId = `kept-${n}`;
      const args = ["run", ".", "--run-id", runId];

      const told = await killAtEvent(
        args,
        { cwd, env: { ...env(), HOLD: "1" } },
        { type: "model-end", n },
      );
      const kept = await keptCalls(runId, cwd);
      const before = server.calls.length;
      const resumed = await runBosun(["runs", "resume", runId], { cwd, env: env() });

      expect(resumed).toMatchObject({ code: whole.code, out: whole.out });
      expect(kept.length).toBeGreaterThanOrEqual(n);
      expect(namesOf(server, before).filter((name) => kept.includes(name))).toEqual([]);
      expect(storedRun(runId, cwd)).toEqual(expected);
      expect(told.every(({ replayed }) => !replayed)).toBe(true);
    },
  );

  it.each(places)("amid call %i makes that one again and no other that was kept", async (n) => {
    const runId = `amid-${n}`;
    stalled = server.calls.length + n - 1;
    await using bosun = startBosun(["run", ".", "--run-id", runId], { cwd, env: env() });
    await server.received(stalled);
    bosun.kill("SIGKILL");
    await bosun.ended;
    const kept = await keptCalls(runId, cwd);
    const before = server.calls.length;

    const resumed = await runBosun(["runs", "resume", runId], { cwd, env: env() });

    expect(resumed).toMatchObject({ code: whole.code, out: whole.out });
    const made = namesOf(server, before);
    expect([...made, ...kept].toSorted()).toEqual([...new Set([...made, ...kept])].toSorted());
    expect(made.length + kept.length).toBe(calls);
    expect(storedRun(runId, cwd)).toEqual(expected);
  });

  it("tells with --json what it had told as replayed, and then the rest", async () => {
    const args = ["run", ".", "--run-id", "told"];
    const told = await killAtEvent(args, { cwd, env: env() }, { type: "model-end", n: 2 });

    const resumed = await runBosun(["runs", "resume", "told", "--json"], { cwd, env: env() });

    const again = toldIn(resumed.out);
    const facts = told.filter(({ type }) => type !== "model-delta").map(place);
    expect(again.slice(0, facts.length).map(place)).toEqual(facts);
    expect(again.slice(0, facts.length).every(({ replayed }) => replayed)).toBe(true);
    const stored = again.filter(({ type }) => type !== "model-delta");
    expect(stored.map(({ seq }) => seq)).toEqual(stored.map((_, index) => index + 1));
    expect(stored.at(-1)).toMatchObject({ type: "run-end", replayed: false });
  });
});

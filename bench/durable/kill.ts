// kill -9 in the middle of runs, and another process at once: how soon it goes on, and what is done twice.

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { formatNumber, type Section } from "../overhead/report.ts";
import { rotate, summarize } from "../overhead/statistics.ts";
import { spreadOf } from "./figure.ts";
import type { KillMessage, KillOrder } from "./kill-worker.ts";
import { openPlace } from "./open-place.ts";
import type { Scale } from "./scale.ts";

type Scenario = Pick<KillOrder, "shape" | "callMs" | "moreMs" | "hangsAt"> & {
  readonly title: string;
  readonly runs: number;
  /** From the first steps' beginning until the kill. */
  readonly killAfterMs: number;
};

/** One kill. Milliseconds. */
type Killed = {
  /** From the kill until the next process begins to open the journal: Node, imports, and Bosun's types being stripped. */
  readonly startMs: number;
  /** From there, opening included, until a step begins that was not done. */
  readonly firstMs: number;
  readonly doneMs: number;
  /** Steps whose function had ended before the kill. */
  readonly ended: number;
  /** Of those, how many were called again. */
  readonly repeated: number;
  /** How long before the kill the function of a repeated one had ended, at most. */
  readonly windowMs: number;
};

const WORKER = fileURLToPath(new URL("kill-worker.ts", import.meta.url));

export async function measureKill(names: readonly string[], scale: Scale): Promise<Section> {
  const keepers = names.filter((name) => name !== "none");
  const rows: Record<string, string>[] = [];
  const data: unknown[] = [];
  for (const scenario of scenariosOf(scale)) {
    const results = new Map<string, Killed[]>(keepers.map((name) => [name, []]));
    for (let round = 0; round < scale.kills; round++)
      for (const name of rotate(keepers, round))
        results.get(name)?.push(await killOnce(name, scenario, round));
    for (const [name, kills] of results) {
      const [firstMs, startMs, doneMs] = (["firstMs", "startMs", "doneMs"] as const).map((key) =>
        summarize(kills.map((kill) => kill[key])),
      );
      if (!firstMs || !startMs || !doneMs) continue;
      const sum = (key: "ended" | "repeated"): number =>
        kills.reduce((total, kill) => total + kill[key], 0);
      rows.push({
        runs: scenario.title,
        engine: name,
        kills: String(kills.length),
        "open to new step, ms": formatNumber(firstMs.median),
        spread: spreadOf(firstMs),
        "kill to open, ms": formatNumber(startMs.median),
        "kill to all done, ms": formatNumber(doneMs.median),
        "ended before": String(sum("ended")),
        repeated: String(sum("repeated")),
        "ended at most ms before": formatNumber(Math.max(...kills.map(({ windowMs }) => windowMs))),
      });
      data.push({ scenario: scenario.title, name, kills });
    }
  }
  return {
    title: "kill -9, and another process at once",
    note: "repeated = steps whose function had ended before the kill and was called again (what was under way is always called again, and not counted). The next process runs from source, whose types Node strips: kill to open.",
    rows,
    data,
  };
}

function scenariosOf({ longSteps }: Scale): readonly Scenario[] {
  const long = { order: "row", steps: longSteps + 1 } as const;
  return [
    {
      title: "10 of five steps of 200 ms",
      runs: 10,
      shape: { order: "row", steps: 5 },
      callMs: 200,
      moreMs: 0,
      hangsAt: undefined,
      killAfterMs: 520,
    },
    {
      title: "10 of twenty parallel steps of 200 to 390 ms",
      runs: 10,
      shape: { order: "fan", steps: 20 },
      callMs: 200,
      moreMs: 10,
      hangsAt: undefined,
      killAfterMs: 300,
    },
    {
      title: `one of ${formatNumber(longSteps)} steps and one more`,
      runs: 1,
      shape: long,
      callMs: 0,
      moreMs: 0,
      hangsAt: longSteps,
      killAfterMs: 100,
    },
  ];
}

async function killOnce(name: string, scenario: Scenario, round: number): Promise<Killed> {
  const { runs, killAfterMs, shape, callMs, moreMs, hangsAt } = scenario;
  const opened = await openPlace(name);
  const { place } = opened;
  const log = join(place.folder, "steps.log");
  const ids = Array.from({ length: runs }, (_, index) => `kill-${index}`);
  const order = { name, place, log, ids, shape, callMs, moreMs, hangsAt };
  const killed = start({ ...order, who: "killed" });
  await messageOf(killed);
  // Another moment each time: an engine's window may be a few milliseconds.
  await new Promise((resolve) => setTimeout(resolve, killAfterMs + round * 3));
  const gone = once(killed, "exit");
  killed.kill("SIGKILL");
  const killedAt = performance.timeOrigin + performance.now();
  await gone;
  const next = start({ ...order, who: "next" });
  const ended = once(next, "exit");
  const message = await messageOf(next);
  await ended;
  const lines = readFileSync(log, "utf8").trim().split("\n");
  await opened.close();
  if (message.type !== "done") throw new Error(`${name}: the next process did not go on`);
  const { openedAt, doneAt } = message;
  return {
    startMs: openedAt - killedAt,
    doneMs: doneAt - killedAt,
    ...readLog(lines, { openedAt, killedAt }),
  };
}

/** What the two processes did. */
function readLog(
  lines: readonly string[],
  { openedAt, killedAt }: { readonly openedAt: number; readonly killedAt: number },
): Pick<Killed, "firstMs" | "ended" | "repeated" | "windowMs"> {
  const endedAt = new Map<string, number>();
  const begun = new Set<string>();
  let firstAt = Infinity;
  for (const line of lines) {
    const [who, what, run, step, at] = line.split(" ");
    const key = `${run} ${step}`;
    if (who === "killed" && what === "end") endedAt.set(key, Number(at));
    if (who === "next" && what === "begin") {
      begun.add(key);
      firstAt = Math.min(firstAt, Number(at));
    }
  }
  const repeated = [...endedAt].filter(([key]) => begun.has(key));
  return {
    firstMs: firstAt - openedAt,
    ended: endedAt.size,
    repeated: repeated.length,
    windowMs: Math.max(0, ...repeated.map(([, at]) => killedAt - at)),
  };
}

function start(order: KillOrder): ChildProcess {
  return fork(WORKER, [JSON.stringify(order)], {
    execArgv: ["--no-deprecation"],
    stdio: ["ignore", 2, 2, "ipc"],
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"] },
  });
}

async function messageOf(child: ChildProcess): Promise<KillMessage> {
  const exit = once(child, "exit").then(() => {
    throw new Error("the process ended before it said anything");
  });
  const [message] = await Promise.race([once(child, "message"), exit]);
  return message as KillMessage; // `as`: kill-worker.ts sent it
}

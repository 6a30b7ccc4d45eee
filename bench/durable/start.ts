// A fresh process until it has printed the result of its first run.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { formatNumber } from "../overhead/report.ts";
import { rotate, summarize } from "../overhead/statistics.ts";
import { PEERS } from "./contender.ts";
import { spreadOf } from "./figure.ts";
import { type OpenPlace, openPlace } from "./open-place.ts";
import type { Scale } from "./scale.ts";
import type { Told } from "./target.ts";

type Target = {
  readonly title: string;
  readonly name: string;
  /** Undefined for what is not Bosun's. */
  readonly build: "src" | "dist" | undefined;
};

const FIRST = fileURLToPath(new URL("first.mjs", import.meta.url));
const DIST = new URL("../../dist/orchestration/durable/sqlite/engine.js", import.meta.url);

export async function measureStart(names: readonly string[], scale: Scale): Promise<Told> {
  const targets = targetsOf(names);
  const places = new Map<string, OpenPlace>();
  for (const { name } of targets)
    if (name !== NODE && !places.has(name)) places.set(name, await openPlace(name));
  const times = new Map<string, number[]>(targets.map(({ title }) => [title, []]));
  const time = (target: Target): Promise<number> => startOnce(target, places.get(target.name));
  try {
    for (const target of targets) await time(target);
    for (let round = 0; round < scale.starts; round++)
      for (const target of rotate(targets, round))
        times.get(target.title)?.push(await time(target));
  } finally {
    for (const opened of places.values()) await opened.close();
  }
  const measured = targets.map(({ title, name, build }) => ({
    title,
    name,
    build,
    ms: summarize(times.get(title) ?? []),
  }));
  const bare = measured[0]?.ms.median ?? NaN;
  return {
    title: "Start to first result: a fresh process",
    note: `${scale.starts} processes of each, interleaved, after one that is not counted; files in the page cache. From the start of the process until its output is read: open, start a run of one step, print. sqlite and langgraph make their file anew each time; the servers of dbos and restate run already and know the schema.`,
    rows: measured.map(({ title, ms }) => ({
      process: title,
      "median ms": formatNumber(ms.median),
      p90: formatNumber(ms.p90),
      spread: spreadOf(ms),
      "over node": formatNumber(ms.median - bare),
    })),
    data: measured,
    figures: Object.fromEntries(
      measured.flatMap(({ name, build, ms }) =>
        build === "dist" ? [[`start ${name}`, ms.median]] : [],
      ),
    ),
  };
}

const NODE = "node";

const isPeer = (name: string): boolean => PEERS.some((peer) => peer === name);

function targetsOf(names: readonly string[]): readonly Target[] {
  const builds = existsSync(DIST) ? (["dist", "src"] as const) : (["src"] as const);
  return [
    { title: "node, nothing", name: NODE, build: undefined },
    ...names
      .filter((name) => name !== "none")
      .flatMap((name): readonly Target[] =>
        isPeer(name)
          ? [{ title: name, name, build: undefined }]
          : builds.map((build) => ({ title: `${name} (${build})`, name, build })),
      ),
  ];
}

/** Milliseconds until the process has printed. */
async function startOnce({ name, build }: Target, opened: OpenPlace | undefined): Promise<number> {
  const place = opened && {
    ...opened.place,
    folder: mkdtempSync(join(opened.place.folder, "start-")),
  };
  const startedAt = performance.now();
  const child = spawn(
    process.execPath,
    ["--no-deprecation", FIRST, JSON.stringify({ name, build, place })],
    {
      stdio: ["ignore", "pipe", "inherit"],
      env: { PATH: process.env["PATH"], HOME: process.env["HOME"] },
    },
  );
  const exited = once(child, "exit");
  await Promise.race([once(child.stdout, "data"), exited]);
  const tookMs = performance.now() - startedAt;
  const [code] = (await exited) as [number | null]; // `as`: what node gives with it
  if (code !== 0) throw new Error(`${name}: the process ended with ${code}`);
  return tookMs;
}

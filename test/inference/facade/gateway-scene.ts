// Real processes around one twin with a small KV cache: the gateway, workers, and what the twin's own metrics show meanwhile.

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { systemClock } from "../../../src/clock.ts";
import { listen } from "../../../src/inference/facade/listen.ts";
import { createFaults } from "../../../src/inference/twin/fault.ts";
import { createTwinServer } from "../../../src/inference/twin/http/server.ts";
import { planTwin } from "../../../src/inference/twin/setup.ts";
import { startTwin } from "../../../src/inference/twin/start.ts";
import { fillerSource } from "../../../src/inference/twin/text/plain-source.ts";

export const MODEL = "Qwen/Qwen3-8B";
const WORKER = fileURLToPath(new URL("gateway-worker.ts", import.meta.url));

export type SmallTwin = AsyncDisposable & { readonly url: string };

/** A twin whose cache holds so many tokens, and whose answers have so many. */
export async function serveSmallTwin(scene: {
  readonly kvTokens: number;
  readonly answerTokens: number;
}): Promise<SmallTwin> {
  const plan = planTwin({ gpu: "H100-SXM", model: MODEL, maxModelLen: 2_048 });
  const engine = { ...plan.engine, numGpuBlocks: scene.kvTokens / 16 };
  const twin = startTwin(
    { ...plan, engine },
    {
      clock: systemClock,
      source: fillerSource(scene.answerTokens),
      faults: createFaults([]),
      speed: 10,
    },
  );
  const server = await listen(createTwinServer(twin), { port: 0 });
  return { url: server.url, [Symbol.asyncDispose]: () => server.close() };
}

/** A fleet file with these lines at its top level. */
export function fleetFile(text: string): string {
  const path = join(mkdtempSync(join(tmpdir(), "bosun-gateway-")), "bosun.fleet.yaml");
  writeFileSync(path, text);
  return path;
}

/** Starts workers that wait for each other; resolves with how many runs of each ended well. */
export async function runWorkers(
  fleet: string,
  names: readonly string[],
  { runs, onGo }: { readonly runs: number; readonly onGo: () => Promise<void> },
): Promise<readonly string[]> {
  const workers = names.map((name) => {
    const child = spawn(process.execPath, [WORKER, fleet, name, String(runs)], {
      env: { PATH: process.env["PATH"] ?? "" },
      stdio: ["pipe", "pipe", "inherit"],
    });
    return { child, line: linesOf(child) };
  });
  try {
    await Promise.all(workers.map(({ line }) => line(/ready/)));
    await onGo();
    for (const { child } of workers) child.stdin.write("go\n");
    return await Promise.all(workers.map(({ line }) => line(/\d+ done/)));
  } finally {
    for (const { child } of workers) child.kill("SIGKILL");
  }
}

/** Resolves with the first text on stdout that fits. */
function linesOf(child: ChildProcess): (pattern: RegExp) => Promise<string> {
  let out = "";
  const waiting = new Set<() => void>();
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    out += text;
    for (const check of waiting) check();
  });
  return (pattern) =>
    new Promise((resolve, reject) => {
      const check = (): void => {
        const found = pattern.exec(out);
        if (found) resolve(found[0]);
      };
      waiting.add(check);
      check();
      child.once("close", (code) => reject(new Error(`a worker ended with ${code}: ${out}`)));
    });
}

/** Values of each series in the metrics of a server, read over and over until `until` has come to its end. */
export async function watchMetrics(
  url: string,
  series: readonly RegExp[],
  until: Promise<unknown>,
): Promise<readonly (readonly number[])[]> {
  const over = new AbortController();
  void until.finally(() => over.abort()).catch(() => undefined);
  const read: number[][] = series.map(() => []);
  while (!over.signal.aborted) {
    const text = await (await fetch(url)).text();
    for (const [index, pattern] of series.entries())
      read[index]?.push(Number(pattern.exec(text)?.[1] ?? Number.NaN));
  }
  return read;
}

/**
 * The most that so many readings in a row have reached. The twin counts who came a moment ago as waiting until its next step, which
 * takes them: only who is still there some readings later has found no room.
 */
export function mostLasting(readings: readonly number[], inARow: number): number {
  const windows = readings.map((_, index) => readings.slice(index, index + inARow));
  return Math.max(0, ...windows.filter(({ length }) => length === inARow).map(least));
}

function least(readings: readonly number[]): number {
  return Math.min(...readings);
}

/** One raw call: no Bosun, no SDK. */
export async function askRaw(url: string, model: string, text: string): Promise<number> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      model,
      max_tokens: 160,
      messages: [{ role: "user", content: text.repeat(80) }],
    }),
  });
  await response.text();
  return response.status;
}

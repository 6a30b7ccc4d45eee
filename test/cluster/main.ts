// Runs of five steps on a cluster of three nodes, of which one is killed together with one of two workers. README.md says how.

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { systemClock } from "../../src/clock.ts";
import { createRestateEngine } from "../../src/orchestration/durable/restate/engine.ts";
import { freePorts } from "../orchestration/durable/restate/server.ts";
import { startBalancer } from "./balancer.ts";
import { startNodes } from "./node.ts";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "40" },
    "kill-node": { type: "string", default: "2" },
  },
});
const runs = Number(values.runs);
const killed = Number(values["kill-node"]);
const LIVE = new AbortController().signal;

const begun = new Map<string, number>();
const kept = new Set<string>();
const again: string[] = [];
const counter = createServer((request, response) => {
  void text(request).then((body) => {
    const { what, key } = JSON.parse(body) as { what: string; key: string }; // `as`: worker.ts sends it
    if (what === "kept") kept.add(key);
    else {
      if (kept.has(key)) again.push(key);
      begun.set(key, (begun.get(key) ?? 0) + 1);
    }
    response.end();
    return undefined;
  });
});
counter.listen(0, "127.0.0.1");
await once(counter, "listening");
const counterUrl = `http://127.0.0.1:${(counter.address() as AddressInfo).port}/`; // `as`: it listens on a port

const startedAt = systemClock.now();
const nodes = await startNodes(3);
const upMs = systemClock.now() - startedAt;
const [first] = nodes;
if (!first) throw new Error("no node");
const [one, two] = await freePorts();
await using balancer = await startBalancer([one, two]);
const url = `http://127.0.0.1:${balancer.port}`;
const startWorker = async (port: number): Promise<ChildProcess> => {
  const args = [first.ingressUrl, first.adminUrl, String(port), url, counterUrl];
  const child = fork(new URL("worker.ts", import.meta.url), args, {
    execArgv: ["--conditions=bosun-source"],
  });
  await once(child, "message");
  return child;
};
const workers = [await startWorker(one), await startWorker(two)];
const { ingressUrl, adminUrl } = first;
const engine = await createRestateEngine({ ingressUrl, adminUrl, isWorker: false });
await systemClock.sleep(2_000, LIVE); // the workers are registered
const flow = { name: "cluster", version: "1", run: async () => null };
const beganAt = systemClock.now();
const handles = await Promise.all(
  Array.from({ length: runs }, (_, n) => engine.start(flow, null, { id: `run-${n}` })),
);
while (kept.size < (runs * 5) / 3) await systemClock.sleep(20, LIVE);
const killedAt = systemClock.now();
const atKill = { kept: kept.size, begun: begun.size };
workers[1]?.kill("SIGKILL");
nodes[killed - 1]?.process.kill("SIGKILL");
const outputs = await Promise.all(handles.map((handle) => handle.result()));
const endedAt = systemClock.now();

const wrong = outputs.filter((output) => JSON.stringify(output) !== "[1,2,3,4,5]").length;
const executions = [...begun.values()].reduce((sum, count) => sum + count, 0);
const report = {
  nodes: nodes.length,
  killed: [`node ${killed}`, "worker 2"],
  runs,
  wrong,
  steps: begun.size,
  executions,
  keptExecutedAgain: again.length,
  atKill,
  upMs: Math.round(upMs),
  killToAllDoneMs: Math.round(endedAt - killedAt),
  allMs: Math.round(endedAt - beganAt),
};
process.stdout.write(`${JSON.stringify(report)}\n`);
for (const { process: child } of nodes) child.kill("SIGKILL");
for (const child of workers) child.kill("SIGKILL");
process.exit(wrong === 0 && again.length === 0 && begun.size === runs * 5 ? 0 : 1);

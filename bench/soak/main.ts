// Whether a service can live on: node bench/soak/main.ts [--runs 2000] [--in-flight 50] [--block 100] [--seed 1] [--store] [--json]. Exits with 1
// when anything is left or wrong. README.md says what is looked at.

import { parseArgs } from "node:util";
import { formatSection, readMachine } from "../overhead/report.ts";
import { growthOf } from "./growth.ts";
import { type Block, runSoak } from "./soak.ts";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "2000" },
    "in-flight": { type: "string", default: "50" },
    block: { type: "string", default: "100" },
    seed: { type: "string", default: "1" },
    store: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
const [runs, inFlight, blockRuns, seed] = [
  values.runs,
  values["in-flight"],
  values.block,
  values.seed,
].map(Number) as [number, number, number, number]; // `as`: map keeps the length
/** For people; with --json it goes to stderr, and stdout has the object alone. */
const say = (text: string): void => (values.json ? console.error(text) : console.log(text));

const MAX_LINES = 20;
const machine = readMachine();
say(`# Soak: ${runs} crews of five agents, ${inFlight} at once, seed ${seed}`);
say(`${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, Node ${machine.node}`);
const blocks: Block[] = [];
for await (const block of runSoak({ runs, inFlight, blockRuns, seed, hasStore: values.store })) {
  blocks.push(block);
  const { left, twin, alive, wrong } = block;
  say(
    `${block.runs} runs in ${block.seconds.toFixed(1)} s, heap ${left.heapMb.toFixed(1)} MB, ${alive} ended runs in memory, ${left.sockets} sockets, ${left.timers} timers, ${left.listeners} listeners, twins ${twin.running}+${twin.waiting} requests and ${twin.heapMb.toFixed(1)} MB, ${wrong.length} wrong`,
  );
  for (const line of wrong.slice(0, MAX_LINES)) say(`  WRONG ${line}`);
}

const outcomes = new Map<string, number>();
for (const block of blocks)
  for (const [name, count] of block.outcomes) outcomes.set(name, (outcomes.get(name) ?? 0) + count);
const rows = [...outcomes]
  .toSorted(([, a], [, b]) => b - a)
  .map(([outcome, count]) => ({ outcome, runs: String(count) }));
const growth = growthOf(blocks.filter((block) => block.runs > 0));
const wrong = [...blocks.flatMap((block) => block.wrong), ...growth.wrong];
say(`\n${formatSection({ title: "How runs ended", note: growth.note, rows, data: undefined })}`);
for (const line of growth.wrong) say(`WRONG ${line}`);
say(wrong.length === 0 ? "Nothing is left." : `${wrong.length} wrong`);
if (values.json)
  console.log(JSON.stringify({ machine, outcomes: Object.fromEntries(outcomes), growth, wrong }));
process.exitCode = wrong.length === 0 ? 0 : 1;

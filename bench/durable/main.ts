// What the journals cost: node bench/durable/main.ts [--quick] [--json] [--only step,runs,fan,long,start,size,kill,crew]
// [--without dbos,…] [--write FILE] [--cpu-prof DIR]. README.md says what is measured and what is not.

import { mkdirSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { formatSection, readLoad, readMachine } from "../overhead/report.ts";
import { measureCrew } from "./crew.ts";
import { type Field, startField } from "./field.ts";
import { measureKill } from "./kill.ts";
import { measureLong } from "./long.ts";
import { lookForContenders } from "./open-place.ts";
import { FULL, QUICK } from "./scale.ts";
import { measureSize } from "./size.ts";
import { measureStart } from "./start.ts";
import { measureStep } from "./step.ts";
import { checkTargets, type Told } from "./target.ts";
import { measureFan, measureThroughput } from "./throughput.ts";

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    only: { type: "string", default: "step,runs,fan,long,start,size,kill,crew" },
    /** Contenders to leave out. */
    without: { type: "string", default: "" },
    /** A file for the tables: RESULTS.md. */
    write: { type: "string" },
    /** Writes a CPU profile of each of Bosun's processes there; figures are then too high. */
    "cpu-prof": { type: "string" },
  },
});
const scale = values.quick ? QUICK : FULL;
const profileFolder = values["cpu-prof"] === undefined ? undefined : resolve(values["cpu-prof"]);
if (profileFolder !== undefined) mkdirSync(profileFolder, { recursive: true });
const nodeOptionsOf = (name: string): readonly string[] =>
  profileFolder === undefined
    ? []
    : ["--cpu-prof", `--cpu-prof-dir=${profileFolder}`, `--cpu-prof-name=${name}.cpuprofile`];

const machine = readMachine();
const loadAtStart = readLoad();
const startedAt = performance.now();
const lines: string[] = [];
/** Tables for people; with --json they go to stderr, and stdout has the object alone. */
const say = (text: string): void => {
  lines.push(text);
  if (values.json) console.error(text);
  else console.log(text);
};
const { names: present, missing } = lookForContenders();
const without = new Set(values.without.split(","));
const names = present.filter((name) => !without.has(name));
say(`# Durable runs (${scale.name})\n`);
say(
  `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, ${machine.os}, Node ${machine.node}, ${new Date().toISOString().slice(0, 10)}.`,
);
for (const { name, why } of missing) say(`\n**NOT MEASURED: ${name}: ${why}.**`);

/** Started for the first part that needs it. */
let field: Field | undefined;
const withField = async (): Promise<Field> => (field ??= await startField(names, nodeOptionsOf));
const parts: Readonly<Record<string, () => Promise<readonly Told[]>>> = {
  step: async () => [
    await measureStep(await withField(), scale, 0),
    await measureStep(await withField(), scale, 5),
  ],
  runs: async () => measureThroughput(await withField(), scale),
  fan: async () => measureFan(await withField(), scale),
  long: async () => [await measureLong(await withField(), scale)],
  size: async () => [await measureSize(await withField(), scale)],
  start: async () => [await measureStart(names, scale)],
  kill: async () => [await measureKill(names, scale)],
  crew: async () => [await measureCrew(scale)],
};
const sections: Told[] = [];
try {
  for (const name of values.only.split(",")) {
    const part = parts[name];
    if (!part) throw new Error(`no part "${name}": ${Object.keys(parts).join(", ")}`);
    for (const section of await part()) {
      sections.push(section);
      say(`\n${formatSection(section)}`);
    }
  }
  const targets = checkTargets(sections);
  sections.push(targets);
  say(`\n${formatSection(targets)}`);
  if (field) say(`\n${[...field.does].map(([name, does]) => `- ${name}: ${does}`).join("\n")}`);
} finally {
  await field?.stop();
}
const seconds = Math.round((performance.now() - startedAt) / 1_000);
const load = { atStart: loadAtStart, atEnd: readLoad() };
say(`\n${seconds} s; load average ${load.atStart} before, ${load.atEnd} after.`);
if (values.json)
  console.log(JSON.stringify({ scale: scale.name, machine, load, seconds, missing, sections }));
if (values.write !== undefined) writeFileSync(values.write, `${lines.join("\n")}\n`);

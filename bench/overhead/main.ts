// What Bosun costs on top of the model: node bench/overhead/main.ts [--quick] [--json] [--only pipeline,client,import,memory]
// [--cpu-prof DIR]. README.md says what is measured and what is not.

import { mkdirSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { startChild } from "./child.ts";
import { measureClient } from "./client.ts";
import { arePeersInstalled } from "./contender.ts";
import { measureImport } from "./import.ts";
import { measureCrowds, measureLoops } from "./memory.ts";
import { measurePipeline } from "./pipeline.ts";
import { formatSection, readLoad, readMachine, type Section } from "./report.ts";
import { FULL, QUICK } from "./scale.ts";

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    only: { type: "string", default: "pipeline,client,import,memory" },
    /** Writes a CPU profile of each Bosun process there; its figures are then too high. */
    "cpu-prof": { type: "string" },
  },
});
const scale = values.quick ? QUICK : FULL;
const profileFolder = values["cpu-prof"] === undefined ? undefined : resolve(values["cpu-prof"]);
if (profileFolder !== undefined) mkdirSync(profileFolder, { recursive: true });
const nodeOptionsOf = (name: string): readonly string[] =>
  profileFolder !== undefined && name.startsWith("bosun")
    ? ["--cpu-prof", `--cpu-prof-dir=${profileFolder}`, `--cpu-prof-name=${name}.cpuprofile`]
    : [];

const machine = readMachine();
const loadAtStart = readLoad();
const startedAt = performance.now();
/** Tables for people; with --json they go to stderr, and stdout has the object alone. */
const say = (text: string): void => (values.json ? console.error(text) : console.log(text));
say(`# Overhead (${scale.name})`);
say(
  `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, ${machine.os}, Node ${machine.node}`,
);
if (!arePeersInstalled()) say("Frameworks are left out: npm ci --prefix bench/peers installs them");

const server = startChild("server.ts");
const parts: Readonly<Record<string, () => Promise<readonly Section[]>>> = {
  pipeline: () => measurePipeline(server, scale, nodeOptionsOf),
  client: async () => [await measureClient(server, scale, nodeOptionsOf)],
  import: async () => [await measureImport(scale)],
  memory: async () => [await measureCrowds(server, scale), await measureLoops(scale)],
};
const sections: Section[] = [];
try {
  for (const name of values.only.split(",")) {
    const part = parts[name];
    if (!part) throw new Error(`no part "${name}": ${Object.keys(parts).join(", ")}`);
    for (const section of await part()) {
      sections.push(section);
      say(`\n${formatSection(section)}`);
    }
  }
} finally {
  server.stop();
}
const seconds = Math.round((performance.now() - startedAt) / 1_000);
const load = { atStart: loadAtStart, atEnd: readLoad() };
say(`\n${seconds} s; load average ${load.atStart} before, ${load.atEnd} after`);
if (values.json)
  console.log(
    JSON.stringify({
      scale: scale.name,
      machine,
      load,
      seconds,
      sections: sections.map(({ title, note, data }) => ({ title, note, data })),
    }),
  );

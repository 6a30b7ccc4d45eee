// How fast the twin is: node bench/twin/main.ts [--quick] [--json] [--only engine,fleet]. README.md says what is measured and what
// is not.

import { parseArgs } from "node:util";
import { formatSection, readLoad, readMachine, type Section } from "../overhead/report.ts";
import { measureEngine } from "./engine.ts";
import { measureFleet } from "./fleet.ts";

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    only: { type: "string", default: "engine,fleet" },
  },
});
const [rounds, requests] = values.quick ? [3, 2_560] : [9, 10_240];
const machine = readMachine();
const loadAtStart = readLoad();
/** Tables for people; with --json they go to stderr, and stdout has the object alone. */
const say = (text: string): void => (values.json ? console.error(text) : console.log(text));
say(`# Twin (${values.quick ? "quick" : "full"})`);
say(
  `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, ${machine.os}, Node ${machine.node}`,
);
const parts: Readonly<Record<string, () => Section | Promise<Section>>> = {
  engine: () => measureEngine(rounds),
  fleet: () => measureFleet(rounds, requests),
};
const sections: Section[] = [];
for (const name of values.only.split(",")) {
  const part = parts[name];
  if (!part) throw new Error(`no part "${name}": ${Object.keys(parts).join(", ")}`);
  const section = await part();
  sections.push(section);
  say(`\n${formatSection(section)}`);
}
const load = { atStart: loadAtStart, atEnd: readLoad() };
say(`\nLoad average ${load.atStart} before, ${load.atEnd} after`);
if (values.json) console.log(JSON.stringify({ machine, load, sections }));

// What a step of a flow costs: node bench/flow/main.ts [--quick] [--json] [--only chain,loop,fan,…] [--kept bare,nothing,journal]
// [--in-flight 16,64] [--write FILE]. README.md says what is measured and what is not.

import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { formatNumber, formatSection, readLoad, readMachine } from "../overhead/report.ts";
import { type Keeping, measureShape, type Told } from "./measure.ts";
import { SHAPES } from "./shape.ts";

/** Activations per second that were wanted. */
const WANTED = { nothing: 10_000, journal: 2_000 } as const;
const KEEPINGS: readonly Keeping[] = ["bare", "nothing", "journal"];

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    only: { type: "string", default: SHAPES.map(({ name }) => name).join(",") },
    /** Contenders: for profiles, which then show one alone. */
    kept: { type: "string", default: KEEPINGS.join(",") },
    "in-flight": { type: "string", default: "16,64" },
    /** A file for the tables: RESULTS.md. */
    write: { type: "string" },
  },
});
const scale = values.quick ? { rounds: 3, forMs: 300 } : { rounds: 7, forMs: 800 };
const only = values.only.split(",");
const kept = values.kept.split(",");
const keepings = KEEPINGS.filter((keeping) => kept.includes(keeping));

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
say(`# Flows (${values.quick ? "quick" : "full"})\n`);
say(
  `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, ${machine.os}, Node ${machine.node}, ${new Date().toISOString().slice(0, 10)}.`,
);
const sections: Told[] = [];
for (const shape of SHAPES.filter(({ name }) => only.includes(name)))
  for (const inFlight of values["in-flight"].split(",").map(Number)) {
    const section = await measureShape(shape, scale, { inFlight, keepings });
    sections.push(section);
    say(`\n${formatSection(section)}`);
  }
const targets = sections.flatMap(({ title, perSecond }) =>
  (["nothing", "journal"] as const)
    .filter((keeping) => keepings.includes(keeping))
    .map((keeping) => ({
      figure: `${title}, ${keeping} kept`,
      wanted: `at least ${formatNumber(WANTED[keeping])}`,
      measured: formatNumber(perSecond[keeping]),
      met: perSecond[keeping] >= WANTED[keeping] ? "yes" : "NO",
    })),
);
const title = "What was wanted: activations per second";
say(`\n${formatSection({ title, note: "", rows: targets, data: targets })}`);
const seconds = Math.round((performance.now() - startedAt) / 1_000);
const load = { atStart: loadAtStart, atEnd: readLoad() };
say(`\n${seconds} s; load average ${load.atStart} before, ${load.atEnd} after.`);
if (values.json) console.log(JSON.stringify({ machine, load, seconds, sections, targets }));
if (values.write !== undefined) writeFileSync(values.write, `${lines.join("\n")}\n`);

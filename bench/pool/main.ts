// What the pool does for crews: node bench/pool/main.ts [--quick] [--json] [--only overload,order,bound,affinity,cold,speed,headline]
// [--seeds 301,302] [--write FILE]. README.md says what is measured and what is not.

import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { formatSection, readLoad, readMachine, type Section } from "../overhead/report.ts";
import { measureAffinity } from "./affinity.ts";
import { measureArrivals } from "./arrivals.ts";
import { measureBound } from "./bound.ts";
import { measureColdStart } from "./cold-start.ts";
import { createField, type Field } from "./field.ts";
import { measureHeadline } from "./headline.ts";
import { measureOrder } from "./order.ts";
import { measureOverload } from "./overload.ts";
import { L40S, L40S_FULL, LOOPS, mixedCrews, SHARED } from "./profile.ts";
import { measureSpeed } from "./speed.ts";

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    only: { type: "string", default: "headline,overload,order,bound,affinity,cold,speed" },
    /** Of overload, order and bound. No constant of the pool was chosen by looking at these. */
    seeds: { type: "string", default: "301,302,303,304,305,306" },
    /** A file for the tables: RESULTS.md. */
    write: { type: "string" },
  },
});
const [programs, rounds] = values.quick ? [300, 3] : [600, 9];
const asked = values.seeds.split(",").map(Number);
const unseen = values.quick ? asked.slice(0, 1) : asked;
const mixed = (longShare: number): Promise<Field> =>
  createField({
    profile: mixedCrews(longShare),
    setup: L40S,
    replicas: 1,
    programs,
    seeds: unseen,
  });
let fields: Promise<readonly [Field, Field]> | undefined;
/** Drawn and measured once for all sections that play them. */
const bothMixes = (): Promise<readonly [Field, Field]> =>
  (fields ??= (async () => [await mixed(0.1), await mixed(0.3)] as const)());
const shared = (profile: typeof SHARED, replicas: number, seed = 1): Promise<Field> =>
  createField({
    profile,
    setup: L40S_FULL,
    replicas,
    programs: (programs * replicas) / 4,
    seeds: [seed],
  });

const parts: Readonly<Record<string, () => Promise<Section | readonly Section[]>>> = {
  headline: async () => measureHeadline(await shared(LOOPS, 4)),
  overload: async () =>
    measureOverload([...(await bothMixes()), await shared(SHARED, 4, unseen[0])]),
  order: async () => measureOrder(await bothMixes()),
  bound: async () => measureBound(await bothMixes()),
  affinity: async () => measureAffinity([await shared(SHARED, 4), await shared(SHARED, 8)]),
  cold: () => measureColdStart(values.quick ? 5 : 20),
  speed: async () => [await measureSpeed(rounds, 5_000), await measureArrivals(rounds)],
};
const machine = readMachine();
const loadAtStart = readLoad();
const lines: string[] = [];
/** Tables for people; with --json they go to stderr, and stdout has the object alone. */
const say = (text: string): void => {
  lines.push(text);
  if (values.json) console.error(text);
  else console.log(text);
};
say(`# Pool (${values.quick ? "quick" : "full"}): simulated GPUs`);
say(
  `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, ${machine.os}, Node ${machine.node}, ${new Date().toISOString().slice(0, 10)}. ` +
    "All but the speed section is virtual time on the twin: no GPU was there.",
);
const sections: Section[] = [];
for (const name of values.only.split(",")) {
  const part = parts[name];
  if (!part) throw new Error(`no part "${name}": ${Object.keys(parts).join(", ")}`);
  const before = process.cpuUsage();
  const made = [await part()].flat();
  const { user, system } = process.cpuUsage(before);
  sections.push(...made);
  say(
    `\n${made.map(formatSection).join("\n\n")}\n${Math.round((user + system) / 1e6)} s of processor time.`,
  );
}
const load = { atStart: loadAtStart, atEnd: readLoad() };
say(`\nLoad average ${load.atStart} before, ${load.atEnd} after`);
if (values.json) console.log(JSON.stringify({ machine, load, sections }));
if (values.write !== undefined) writeFileSync(values.write, `${lines.join("\n")}\n`);

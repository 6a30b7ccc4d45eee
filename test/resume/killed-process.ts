// A process that executes a run and kills itself with -9 at a place of its journal. Started by scene.ts with a scenario's name.

import process from "node:process";
import { scenarioOf } from "./flows.ts";
import { interrupted, isPoint } from "./scenario-run.ts";

const [name = "", data = "", point, n] = process.argv.slice(2);
if (!isPoint(point)) throw new Error(`no point "${point}"`);
await interrupted(
  scenarioOf(name),
  data,
  { point, n: Number(n) },
  { end: () => process.kill(process.pid, "SIGKILL") },
);

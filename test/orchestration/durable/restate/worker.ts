// A worker process of these tests: executes the flow "branches", and notes in a file what it begins and what it knows to be kept.
//
// Arguments: ingress URL, admin URL, port, URL of the deployment, file, milliseconds of a step.

import { appendFileSync } from "node:fs";
import { systemClock } from "../../../../src/clock.ts";
import type { Json } from "../../../../src/json.ts";
import type { Durable, Flow } from "../../../../src/orchestration/durable/durable.ts";
import { createRestateEngine } from "../../../../src/orchestration/durable/restate/engine.ts";

const [ingressUrl = "", adminUrl = "", port = "", url = "", file = "", stepMs = ""] =
  process.argv.slice(2);

const note = (what: string, key: string): void =>
  appendFileSync(file, `${process.pid} ${what} ${key}\n`);

/** Four branches of six steps each, whose times are different in each execution. Keys carry the run, for the file. */
const branches: Flow<Json, Json> = {
  name: "branches",
  version: "1",
  async run(d: Durable) {
    const branch = async (b: number): Promise<string> => {
      let text = "";
      for (let n = 0; n < 6; n++)
        text += await d.step(`${d.rootId}/${b}/${n}`, async ({ key, signal }) => {
          note("begun", key);
          await systemClock.sleep(Number(stepMs) * (0.5 + Math.random()), signal);
          return `${b}${n} `;
        });
      return text;
    };
    return Promise.all([0, 1, 2, 3].map(branch));
  },
};

const engine = await createRestateEngine({
  ingressUrl,
  adminUrl,
  listen: { port: Number(port) },
  url,
  pollMs: 100,
  probe: (point, key) => {
    if (point === "kept") note("kept", key);
  },
});
engine.register(branches);
void engine.serve({ concurrency: 100 }, new AbortController().signal);
await engine.queue("any", {}); // registers it before it says that it is ready
process.send?.("ready");

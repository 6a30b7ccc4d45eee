// One worker of the cluster: tells a counter what it begins and what is kept.

import { systemClock } from "../../src/clock.ts";
import type { Json } from "../../src/json.ts";
import type { Flow } from "../../src/orchestration/durable/durable.ts";
import { createRestateEngine } from "../../src/orchestration/durable/restate/engine.ts";

const [ingressUrl = "", adminUrl = "", port = "", url = "", counter = ""] = process.argv.slice(2);

const tell = async (what: string, key: string): Promise<void> => {
  await fetch(counter, { method: "POST", body: JSON.stringify({ what, key }) });
};

/** Five steps in a row. */
const flow: Flow<Json, Json> = {
  name: "cluster",
  version: "1",
  async run(d) {
    const parts: number[] = [];
    for (let n = 1; n <= 5; n++) {
      const part = await d.step(`s${n}`, async ({ signal }) => {
        await tell("begun", `${d.runId}/s${n}`);
        await systemClock.sleep(300, signal);
        return n;
      });
      await d.step(`kept${n}`, () => tell("kept", `${d.runId}/s${n}`).then(() => null));
      parts.push(part);
    }
    return parts;
  },
};

const engine = await createRestateEngine({
  ingressUrl,
  adminUrl,
  listen: { port: Number(port) },
  url,
});
engine.register(flow);
void engine.serve({ concurrency: 100 }, new AbortController().signal);
process.send?.("ready");

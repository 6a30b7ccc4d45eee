// A worker process: runs crews on a fleet file, all at once, when its stdin says go. Prints how many ended well.

import { createBosun } from "../../../src/bosun.ts";
import { agent, crew, task } from "../../../src/index.ts";

const [fleet = "", name = "", count = "1"] = process.argv.slice(2);

/** Prompts of about 300 tokens that differ between workers, so that no cache makes them small. */
const story = `${name} keeps the log of ship number ${name}. `.repeat(24);
const writer = agent({ role: `Writer ${name}`, goal: "write", backstory: story });
const outline = task({
  name: "outline",
  description: "Outline {topic}",
  expectedOutput: "text",
  agent: writer,
});
const write = task({
  name: "write",
  description: "Write {topic}",
  expectedOutput: "text",
  agent: writer,
});
const report = crew({ name: "report", tasks: [outline, write] });

const bosun = createBosun({ fleet, data: false, env: {} });
process.stdout.write("ready\n");
await new Promise((resolve) => process.stdin.once("data", resolve));
const runs = Array.from({ length: Number(count) }, async (_, index) => {
  const started = await bosun.start(report, { inputs: { topic: `${name} ${index}` } });
  return (await started.ended).status;
});
const done = (await Promise.all(runs)).filter((status) => status === "done");
process.stdout.write(`${done.length} done\n`);
await bosun.close();
process.exit(0);

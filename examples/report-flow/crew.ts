// Report flow: two crews at the same time; what one writes is written again until it has enough sources, then both become one report.
//   Run:          npm exec -- node src/cli/main.ts run examples/report-flow
//   See it:       npm exec -- node src/cli/main.ts flow plot examples/report-flow
//   With a model: npm exec -- node src/cli/main.ts run examples/report-flow --model http://localhost:8000/v1
// A crew that has run is kept: a run that is killed goes on without paying for it again. docs/flows.md explains the rest.

import { readdir } from "node:fs/promises";
import { agent, crew, task } from "bosun";
import { and, flow, listen, or, router, start } from "bosun/flow";
import { searchDocs } from "bosun/tool";

const folder = `${import.meta.dirname}/../../docs`;
const reader = agent({
  role: "Reader",
  goal: "Find facts about {topic}",
  tools: [searchDocs({ folder })],
});
const writer = agent({ role: "Writer", goal: "Explain {topic} in plain words" });

const define = task({
  name: "define",
  description: "Say what {topic} is.",
  expectedOutput: "One sentence with its source",
  agent: reader,
});
const find = task({
  name: "find",
  description: "Find what the documents say about {topic}.",
  expectedOutput: "A list of facts with sources",
  agent: reader,
});
const write = task({
  name: "write",
  description: "Explain {topic}, with the source of each statement.",
  expectedOutput: "A text of about {words} words",
  agent: writer,
  context: [find],
});
const definition = crew({ name: "definition", tasks: [define] });
const text = crew({ name: "text", tasks: [find, write] });

export const inputs = { topic: "prefix caching" };

export default flow(
  "report-flow",
  {
    initial: { ...inputs, words: 25, lead: "", draft: "" },
    description: "Writes a report with sources.",
  },
  {
    define: start(
      async (context) => {
        const { state } = context;
        state.lead = (await context.run(definition, { topic: state.topic })).raw;
      },
      { crews: [definition], writes: ["lead"] },
    ),
    // What is outside of the run stands in a step: it is done once, also when the run is resumed.
    count: start((context) => context.step("count", async () => (await readdir(folder)).length)),
    write: listen(
      or("count", "again"),
      async (context) => {
        const { topic, words } = context.state;
        context.state.draft = (await context.run(text, { topic, words })).raw;
      },
      { crews: [text], writes: ["draft"] },
    ),
    check: router("write", ["good", "again"], ({ state, call }) => {
      const sources = state.draft.match(/\[docs\/[\w-]+\.md\]/g) ?? [];
      if (sources.length >= 4 || call === 4) return "good";
      state.words *= 2;
      return "again";
    }),
    publish: listen(and("good", "define"), ({ state: { lead, draft } }) => `${lead}\n\n${draft}`),
  },
);

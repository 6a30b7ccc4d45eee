// Structured output: the answer is checked against a schema, and the result's `output` has its type.
//   Run:          npm exec -- node src/cli/main.ts run examples/structured-output
//   In code:      const { tasks } = await crew.kickoff({ inputs }); tasks.extract.output.facts[0]?.source
//   With a model: npm exec -- node src/cli/main.ts run examples/structured-output --model http://localhost:8000/v1
// An answer that does not fit goes back to the model with what is wrong, twice; then the task fails with task/output-invalid.

import { agent, crew, task } from "bosun";
import { searchDocs } from "bosun/tool";
import { z } from "zod";

const Facts = z.object({
  topic: z.string().describe("What the facts are about"),
  facts: z
    .array(
      z.object({ statement: z.string(), source: z.string().describe("The document it stands in") }),
    )
    .min(1)
    .max(5),
});

const researcher = agent({
  role: "Researcher",
  goal: "Find facts about {topic}",
  tools: [searchDocs({ folder: `${import.meta.dirname}/../../docs` })],
  maxIterations: 3,
});
const extractor = agent({ role: "Extractor", goal: "Turn findings into data" });

const find = task({
  name: "find",
  description: "Find facts about {topic} in the documents.",
  expectedOutput: "Facts with sources",
  agent: researcher,
});
const extract = task({
  name: "extract",
  description: "List the facts about {topic} with their sources.",
  expectedOutput: "At most five facts",
  agent: extractor,
  output: Facts,
});

export const inputs = { topic: "continuous batching" };

export default crew({ name: "structured-output", tasks: [find, extract] });

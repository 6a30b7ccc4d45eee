// Hello: a small crew. One agent searches the documents of this repository, the other one writes.
//   Run:          npm exec -- node src/cli/main.ts run examples/hello
//   Ask:          npm exec -- node src/cli/main.ts run examples/hello --input topic="what a cold start is"
//   With a model: npm exec -- node src/cli/main.ts run examples/hello --model http://localhost:8000/v1
// Without a model the embedded one answers: it quotes what was found and has no neural network.

import { agent, crew, task } from "bosun";
import { searchDocs } from "bosun/tool";

const docs = searchDocs({ folder: `${import.meta.dirname}/../../docs` });
const reader = agent({ role: "Reader", goal: "Find facts about {topic}", tools: [docs] });
const writer = agent({ role: "Writer", goal: "Explain {topic} in plain words" });

const read = task({
  name: "read",
  description: "Find facts about {topic}.",
  expectedOutput: "Three facts",
  agent: reader,
});
const write = task({
  name: "write",
  description: "Explain {topic}.",
  expectedOutput: "Two sentences",
  agent: writer,
});

export const inputs = { topic: "what prefix caching saves" };
export default crew({ name: "hello", tasks: [read, write] });

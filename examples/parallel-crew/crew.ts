// Parallel crew: one analyst does three tasks at the same time, an editor joins what it found. `context` is the graph.
//   Run:          npm exec -- node src/cli/main.ts run examples/parallel-crew
//   Watch:        the live view shows the editor waiting for the three tasks
//   With a model: npm exec -- node src/cli/main.ts run examples/parallel-crew --model http://localhost:8000/v1
// policy "continue": when one task fails the others go on; the editor then does not start, because it needs all three.

import { agent, crew, task } from "bosun";
import { searchDocs } from "bosun/tool";

const docs = searchDocs({ folder: `${import.meta.dirname}/../../docs` });
const analyst = agent({
  role: "Analyst",
  goal: "Find facts about serving {subject} on your own GPUs",
  tools: [docs],
  maxIterations: 4,
});
const editor = agent({
  role: "Editor",
  goal: "Join findings into one text without repeating them",
});

const memory = task({
  name: "memory",
  description: "Find what limits GPU memory when serving {subject}: the KV cache and its size.",
  expectedOutput: "Three facts with sources",
  agent: analyst,
});
const speed = task({
  name: "speed",
  description: "Find what makes serving {subject} fast: batching and prefix caching.",
  expectedOutput: "Three facts with sources",
  agent: analyst,
});
const cost = task({
  name: "cost",
  description: "Find what a run of {subject} costs: price per GPU hour and cold starts.",
  expectedOutput: "Three facts with sources",
  agent: analyst,
});
const join = task({
  name: "join",
  description: "Write an overview of serving {subject}: memory, speed and cost.",
  expectedOutput: "A text with three parts and its sources",
  agent: editor,
  context: [memory, speed, cost],
});

export const inputs = { subject: "agent crews" };

export default crew({
  name: "parallel-crew",
  tasks: [memory, speed, cost, join],
  process: "parallel",
  policy: "continue",
});

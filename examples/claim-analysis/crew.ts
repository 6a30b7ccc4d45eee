// Claim analysis: a record of 200,000 tokens that fits no prompt. The clerk searches and reads it; the adjuster sees what answers the task.
//   Run:          npm exec -- node src/cli/main.ts run examples/claim-analysis
//   Watch:        the report says how much of the record each task has not read
//   With a model: npm exec -- node src/cli/main.ts run examples/claim-analysis --model http://localhost:8000/v1
//   How:          docs/context.md

import { agent, crew, task } from "bosun";
import { customerRecord } from "./record.ts";

const clerk = agent({
  role: "Claims clerk",
  goal: "Find in the record what a claim turns on",
  maxIterations: 6,
});
const adjuster = agent({
  role: "Adjuster",
  goal: "Decide claims by the contract and the facts",
});

const facts = task({
  name: "facts",
  description:
    "What is the deductible for {damage}, and what does the expert say? The record: {record}",
  expectedOutput: "At most five facts, each with its lines in the record",
  agent: clerk,
});
const decision = task({
  name: "decision",
  description: "How much is paid for the {damage}, and why?",
  expectedOutput: "The amount and its reason in at most 80 words",
  agent: adjuster,
});

export const inputs = { damage: "water damage", record: customerRecord() };

export default crew({ name: "claim-analysis", tasks: [facts, decision] });

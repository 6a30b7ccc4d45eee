// Managed crew: a manager gives the work to whom it suits, checks what comes back, and writes the answer; guardrails check that.
//   Run:          npm exec -- node src/cli/main.ts run examples/managed-crew
//   Watch:        the report's line "manager" says what the manager's own calls cost
//   With a model: npm exec -- node src/cli/main.ts run examples/managed-crew --model http://localhost:8000/v1
// The embedded model gives the whole task to one coworker; a language model splits it, several at once, and sends back.

import { agent, crew, type Guardrail, maxWords, task } from "bosun";
import { searchDocs } from "bosun/tool";

const librarian = agent({
  role: "Librarian",
  goal: "Find what the documents say about {subject}, with sources",
  tools: [searchDocs({ folder: `${import.meta.dirname}/../../docs` })],
  maxIterations: 4,
});
const editor = agent({
  role: "Editor",
  goal: "Turn notes into a short text for engineers",
});

const namesSources: Guardrail = ({ raw }) =>
  raw.includes("[docs/")
    ? { ok: true }
    : { ok: false, reason: "Name the source of each statement in brackets: [docs/…]." };

const brief = task({
  name: "brief",
  description: "Write a brief about {subject} for somebody who will be paged for it.",
  expectedOutput: "At most 200 words, each statement with its source",
  guardrail: [maxWords(260), namesSources],
});

export const inputs = { subject: "cold starts" };

export default crew({
  name: "managed-crew",
  process: "hierarchical",
  agents: [librarian, editor],
  tasks: [brief],
  maxDelegations: 6,
});

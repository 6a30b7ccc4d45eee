// Research crew: a researcher finds facts with sources, a writer makes a report of them, a reviewer looks for statements without one.
//   Run:          npm start, or: npm exec -- node src/cli/main.ts run examples/research-crew
//   Your subject: npm exec -- node src/cli/main.ts run examples/research-crew --input topic="…" --input words=400
//   Your files:   BOSUN_DOCS=/path/to/notes npm exec -- node src/cli/main.ts run examples/research-crew (searched besides docs/; several with ":" between them)
// Without --model the embedded model answers: it quotes the documents word for word and has no neural network.

import { delimiter } from "node:path";
import { agent, crew, task } from "bosun";
import { searchDocs } from "bosun/tool";

const own = (process.env["BOSUN_DOCS"] ?? "").split(delimiter).filter(Boolean);
const docs = searchDocs({ folders: [`${import.meta.dirname}/../../docs`, ...own], maxResults: 8 });

const researcher = agent({
  role: "Research analyst",
  goal: "Find facts about {topic}, each with the document that it stands in",
  backstory: "You search first and trust only what you have found.",
  tools: [docs],
  maxIterations: 6,
});

const writer = agent({
  role: "Technical writer",
  goal: "Explain {topic} to engineers, precisely and with sources",
  backstory:
    "You write short sentences and name the source behind each statement, as in [docs/file.md].",
});

const reviewer = agent({
  role: "Reviewer",
  goal: "Keep only statements that have a source",
  backstory: "You compare the report with the findings, statement by statement.",
});

const research = task({
  name: "research",
  description:
    "Search the documents for facts about {topic}. Search once for each part of the subject; look for mechanisms, formulas and numbers.",
  expectedOutput: "A list of facts, each followed by its source in square brackets",
  agent: researcher,
});

const write = task({
  name: "write",
  description:
    "Write a report about {topic} from the findings, with a heading for each part of the subject.",
  expectedOutput:
    "A report in Markdown of about {words} words, with a source in square brackets behind each statement",
  agent: writer,
});

const review = task({
  name: "review",
  description:
    "Review the report against the findings. Remove each statement without a source and list what was removed at the end.",
  expectedOutput:
    "The corrected report of about {words} words, then the list of removed statements",
  agent: reviewer,
  context: [research, write],
});

/** What is used when the command line gives no --input. */
export const inputs = {
  topic: "how paged attention and continuous batching work, and how to size a KV cache",
  words: 600,
};

export default crew({ name: "research-crew", tasks: [research, write, review] });

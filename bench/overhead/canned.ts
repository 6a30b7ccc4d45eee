// What the canned server says and what every contender asks: the same three agents, the same texts, the same replies.
//
// Knows no framework. The texts are those that Bosun's prompts come to, so that all contenders send about the same bytes.

/** One agent of the run. */
export type CannedAgent = {
  readonly name: string;
  readonly task: string;
  readonly role: string;
  readonly goal: string;
  readonly backstory: string;
  readonly description: string;
  readonly expectedOutput: string;
  /** The system text. */
  readonly system: string;
  /** The user text; holds the previous agent's output, "" for the first one. */
  readonly ask: (previous: string) => string;
};

/** The model's name at the canned server. */
export const MODEL = "canned";
/** Tokens of one reply. One token is one SSE event. */
export const TOKENS = 200;
/** Model calls of one run. */
export const CALLS = 3;

/** How a reply leaves the server. `each`: one socket write per token. `ten`: coalesced in ten writes. `slow`: ten writes, the first
 *  after SLOW_FIRST_MS, the others SLOW_NEXT_MS apart. `paced`: one write per token, PACE_MS apart. */
export const WRITES = ["each", "ten", "slow", "paced"] as const;
export type Writes = (typeof WRITES)[number];

export const SLOW_FIRST_MS = 1_200;
export const SLOW_NEXT_MS = 50;
export const PACE_MS = 2;

const WORDS =
  "paged attention keeps each sequence in blocks of keys and values so a request takes memory only as it grows ".split(
    " ",
  );

/** The n-th token: 2 to 10 characters with its space, as English tokens are. */
function tokenAt(index: number): string {
  const word = WORDS[(index * 7 + Math.floor(index / 19)) % (WORDS.length - 1)] ?? "block";
  return index === 0 ? word : ` ${word}`;
}

/** The tokens of every reply. */
export const REPLY_TOKENS: readonly string[] = Array.from({ length: TOKENS }, (_, index) =>
  tokenAt(index),
);
/** The text of every reply. */
export const REPLY: string = REPLY_TOKENS.join("");

/** Researcher, writer, reviewer. */
export const AGENTS: readonly [CannedAgent, CannedAgent, CannedAgent] = [
  canned(
    {
      name: "researcher",
      task: "research",
      role: "Research analyst",
      goal: "Find facts with sources",
      backstory: "You read papers for a living and trust nothing without a number.",
      description: "Research how paged attention saves memory on a GPU that serves many users",
      expectedOutput: "Key facts, each with its source",
    },
    "",
  ),
  canned(
    {
      name: "writer",
      task: "write",
      role: "Technical writer",
      goal: "Explain precisely",
      backstory: "You write for engineers who have ten minutes.",
      description: "Write a report of 200 words from the facts above",
      expectedOutput: "A report of about 200 words",
    },
    "research",
  ),
  canned(
    {
      name: "reviewer",
      task: "review",
      role: "Reviewer",
      goal: "Let nothing wrong pass",
      backstory: "You have seen every way in which a report can mislead.",
      description: "Correct the report above and give its final text",
      expectedOutput: "The final report",
    },
    "write",
  ),
];

function canned(agent: Omit<CannedAgent, "system" | "ask">, before: string): CannedAgent {
  const { role, goal, backstory, description, expectedOutput } = agent;
  const task = `# Task\n${description}\n\n# Expected output\n${expectedOutput}`;
  return {
    ...agent,
    system: `You are ${role}.\nGoal: ${goal}\n${backstory}`,
    ask: (previous) => (previous ? `# Context\n## ${before}\n${previous}\n\n${task}` : task),
  };
}

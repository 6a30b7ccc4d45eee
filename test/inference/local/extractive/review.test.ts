import { describe, expect, it } from "vitest";
import { MARKER } from "../../../../src/inference/local/extractive/own-line.ts";
import { agentMessages, ALL_RESULTS, replyTo, searchTurn } from "./chat.ts";

const RESEARCH = [
  "- vLLM divides the KV pool into blocks of 16 tokens. [docs/paged-attention.md]",
  "- The flag `--kv-cache-dtype fp8` doubles the number of tokens in the KV pool. [docs/kv-cache.md]",
  "- A preempted request is computed again from its first token. [docs/paged-attention.md]",
  "- Paged attention does not reduce the bytes per token. [docs/paged-attention.md]",
].join("\n");

async function review(
  draft: string,
  options: { readonly role?: string; readonly task?: string; readonly expected?: string } = {},
): Promise<string> {
  const {
    role = "Reviewer",
    task = "Review the report on the KV cache",
    expected = "The corrected report",
  } = options;
  return (
    await replyTo(
      agentMessages({ role, context: { research: RESEARCH, write: draft }, task, expected }),
    )
  ).text;
}

describe("a review", () => {
  it("keeps statements that a source says, word for word, with their source", async () => {
    const draft =
      "vLLM divides the KV pool into blocks of 16 tokens. [docs/paged-attention.md] A preempted request is computed again from its first token.";

    const text = await review(draft);

    expect(text).toBe(
      `${MARKER}\n\nvLLM divides the KV pool into blocks of 16 tokens. [docs/paged-attention.md] A preempted request is computed again from its first token. [docs/paged-attention.md]\n\nChecked 2 statements: 2 supported, 0 without a source.`,
    );
  });

  it("takes a statement without a source out of the text and lists it with the reason", async () => {
    const text = await review(
      "vLLM divides the KV pool into blocks of 16 tokens. Bananas grow in warm countries.",
    );

    const [body, removed] = text.split("### Statements without a source");
    expect(body).not.toContain("Bananas");
    expect(removed).toContain('- "Bananas grow in warm countries." Reason: no source says this.');
    expect(text).toMatch(/Checked 2 statements: 1 supported, 1 without a source\.$/);
  });

  it.each([
    [
      "a number that differs",
      "vLLM divides the KV pool into blocks of 32 tokens.",
      "does not give the number 32",
    ],
    [
      "a name that no source has",
      "PyTorch divides the KV pool into blocks of 16 tokens at Stanford.",
      "does not name",
    ],
    [
      "a negation that is not there",
      "A preempted request is not computed again from its first token.",
      "says otherwise",
    ],
    [
      "a negation that is missing",
      "Paged attention does reduce the bytes per token.",
      "says otherwise",
    ],
    [
      "the opposite",
      "The flag `--kv-cache-dtype fp8` halves the number of tokens in the KV pool.",
      'it has "doubles"',
    ],
    [
      "more than a source says",
      "vLLM divides the KV pool quickly, cheaply and elegantly among many happy tenants.",
      "does not mention",
    ],
  ])("finds %s", async (_, statement, reason) => {
    const text = await review(
      `A preempted request is computed again from its first token. ${statement}`,
    );

    expect(text).toContain("1 supported, 1 without a source");
    expect(text).toContain(`- "${statement}" Reason:`);
    expect(text).toContain(reason);
  });

  it("accepts the same statement in other words", async () => {
    const text = await review("The KV pool of vLLM is divided into blocks of 16 tokens.");

    expect(text).toContain("Checked 1 statement: 1 supported, 0 without a source.");
    expect(text).toContain("[docs/paged-attention.md]");
  });

  it("corrects a citation that names the wrong source", async () => {
    const text = await review(
      "vLLM divides the KV pool into blocks of 16 tokens. [docs/kv-cache.md]",
    );

    expect(text).toContain("blocks of 16 tokens. [docs/paged-attention.md]");
  });

  it("takes out what leans on a statement that is gone", async () => {
    const text = await review(
      "Bananas grow in warm countries. It is divided into blocks of 16 tokens by vLLM in the KV pool.",
    );

    expect(text).toContain("it leans on a statement that was taken out");
    expect(text).toContain("No statement of the text has a source.");
  });

  it("keeps headings and lists, but no heading over nothing", async () => {
    const draft = [
      MARKER,
      "### Blocks",
      "- vLLM divides the KV pool into blocks of 16 tokens.",
      "- A preempted request is computed again from its first token.",
      "### Fruit",
      "Bananas grow in warm countries.",
    ].join("\n\n");

    const text = await review(draft);

    expect(text).toContain("### Blocks\n\n- vLLM divides");
    expect(text).toContain("[docs/paged-attention.md]\n- A preempted");
    expect(text).not.toContain("### Fruit");
    expect(text.split(MARKER)).toHaveLength(2);
  });

  it("uses what a tool has found as a source", async () => {
    const messages = [
      ...agentMessages({
        role: "Fact-checker",
        context: { write: "At most 15 slots of the last block are empty." },
        task: "Check each statement",
      }),
      ...searchTurn("blocks", ALL_RESULTS),
    ];

    const reply = await replyTo(messages);

    expect(reply.text).toContain("1 supported, 0 without");
    expect(reply.text).toContain("are empty. [docs/paged-attention.md]");
  });

  it("reads a draft of structured output by its texts", async () => {
    const text = await review(
      JSON.stringify({
        facts: [
          {
            fact: "vLLM divides the KV pool into blocks of 16 tokens.",
            source: "docs/paged-attention.md",
          },
          { fact: "Bananas grow in warm countries.", source: "docs/fruit.md" },
        ],
      }),
    );

    expect(text).toContain(
      "vLLM divides the KV pool into blocks of 16 tokens. [docs/paged-attention.md]",
    );
    expect(text).toContain("Checked 2 statements: 1 supported, 1 without a source.");
  });

  it("is not made by whoever is told to write and check at once", async () => {
    const text = await review("Blocks of the KV pool hold 16 tokens.", {
      role: "Writer",
      task: "Write about the KV pool and check that each sentence has a source",
    });

    expect(text).not.toContain("Checked");
  });

  it("is made when the task asks for it, whatever the role", async () => {
    const text = await review("Bananas grow in warm countries.", {
      role: "Analyst",
      task: "Read the text and verify every statement",
    });

    expect(text).toContain("Checked 1 statement");
  });

  it("is not made for a writer, nor when there is nothing to check against", async () => {
    const writer = await review("vLLM divides the KV pool into blocks of 16 tokens.", {
      role: "Technical writer",
      task: "Write about the KV pool, it will be checked later",
    });
    const alone = await replyTo(
      agentMessages({
        role: "Reviewer",
        context: { write: "Blocks of the KV cache hold 16 tokens." },
        task: "Review the KV cache text",
      }),
    );

    expect(writer).not.toContain("Checked");
    expect(alone.text).not.toContain("Checked");
    expect(alone.text).toContain("Blocks of the KV cache hold 16 tokens. [write]");
  });

  it("stays within the words that are asked for and says what it left out", async () => {
    const draft = RESEARCH.replaceAll("- ", "");

    const text = await review(draft, { expected: "The corrected report of at most 50 words" });

    expect(text.match(/\S+/g)?.length).toBeLessThanOrEqual(50);
    expect(text).toMatch(
      /Checked 4 statements: 4 supported, 0 without a source\. \d left out for length\.$/,
    );
  });

  it("is no material for the agents that come after it, apart from its text", async () => {
    const reviewed = await review(
      "vLLM divides the KV pool into blocks of 16 tokens. Bananas grow in warm countries.",
    );

    const reply = await replyTo(
      agentMessages({
        role: "Writer",
        context: { review: reviewed },
        task: "Write about the KV pool",
      }),
    );

    expect(reply.text).toContain("blocks of 16 tokens. [docs/paged-attention.md]");
    expect(reply.text).not.toMatch(/Bananas|Checked/);
  });

  it("fills a schema: verdict, counts, issues and the corrected text", async () => {
    const schema = {
      type: "object",
      properties: {
        verdict: { enum: ["approved", "rejected"] },
        isValid: { type: "boolean" },
        supportedCount: { type: "integer" },
        issues: { type: "array", items: { type: "string" } },
        correctedText: { type: "string" },
      },
      required: ["verdict", "isValid", "supportedCount", "issues", "correctedText"],
    };
    const context = {
      research: RESEARCH,
      write: "vLLM divides the KV pool into blocks of 16 tokens. Bananas grow in warm countries.",
    };

    const reply = await replyTo(
      agentMessages({ role: "Reviewer", context, task: "Review the text" }),
      { output: { name: "review", schema } },
    );

    expect(JSON.parse(reply.text)).toEqual({
      verdict: "rejected",
      isValid: false,
      supportedCount: 1,
      issues: ['"Bananas grow in warm countries." Reason: no source says this.'],
      correctedText: "vLLM divides the KV pool into blocks of 16 tokens. [docs/paged-attention.md]",
    });
  });
});

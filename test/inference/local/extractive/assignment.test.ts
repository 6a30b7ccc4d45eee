import { describe, expect, it } from "vitest";
import { readAssignment } from "../../../../src/inference/local/extractive/assignment.ts";
import { agentMessages, searchTurn } from "./chat.ts";

describe("an assignment", () => {
  it("is read from the prompt of an agent", () => {
    const messages = agentMessages({
      role: "Writer",
      goal: "Explain",
      context: { research: "Facts.", notes: "More." },
      task: "Write it",
      expected: "A text",
    });

    expect(readAssignment(messages)).toMatchObject({
      role: "Writer",
      goal: "Explain",
      task: "Write it",
      expected: "A text",
      schema: undefined,
      sections: [
        { name: "research", text: "Facts.\n\n" },
        { name: "notes", text: "More.\n\n" },
      ],
      calls: [],
      turn: 1,
    });
  });

  it("keeps an output with headings of its own in one section", () => {
    const report = "## Blocks of tokens\nA block.\n\n# Task\nof a block\n\n### Deep\nMore.";

    const { sections, task } = readAssignment(
      agentMessages({ context: { research: "Facts.", write: report }, task: "Review it" }),
    );

    expect(sections.map((section) => section.name)).toEqual(["research", "write"]);
    expect(sections[1]?.text).toContain("## Blocks of tokens");
    expect(task).toBe("Review it");
  });

  it("takes names of several words where the first name has several", () => {
    const { sections } = readAssignment(
      agentMessages({ context: { "market research": "A.", "first draft": "B." }, task: "Go" }),
    );

    expect(sections.map((section) => section.name)).toEqual(["market research", "first draft"]);
  });

  it("holds the calls and results since its task, and what the user said later", () => {
    const earlier = [...agentMessages({ task: "Old" }), ...searchTurn("old", "old result")];
    const now = [
      ...agentMessages({ task: "New" }),
      ...searchTurn("new", "new result"),
      { role: "user", content: "Answer now." } as const,
    ];

    const { task, calls, results, followUp, turn } = readAssignment([...earlier, ...now]);

    expect(task).toBe("New");
    expect(calls).toMatchObject([{ tool: "search_docs", arguments: '{"query":"new"}', turn: 2 }]);
    expect(results).toEqual([{ tool: "search_docs", content: "new result" }]);
    expect(followUp).toBe("Answer now.");
    expect(turn).toBe(3);
  });

  it("finds question and material in a long chat message", () => {
    const content = `Summarise this text.\n\n${"The text goes on. ".repeat(60)}`;

    const { task, sections } = readAssignment([{ role: "user", content }]);

    expect(task).toBe("Summarise this text.");
    expect(sections).toHaveLength(1);
  });

  it("finds the material under a label of the system prompt", () => {
    const system = "Answer from the context.\nContext:\nThe cache holds keys.";

    const { sections } = readAssignment([
      { role: "system", content: system },
      { role: "user", content: "What does it hold?" },
    ]);

    expect(sections).toEqual([{ name: "context", text: "\nThe cache holds keys." }]);
  });
});

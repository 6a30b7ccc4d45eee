import { describe, expect, it } from "vitest";
import { MARKER } from "../../../../src/inference/local/extractive/own-line.ts";
import {
  agentMessages,
  ALL_RESULTS,
  answerTo,
  BLOCKS,
  CACHE,
  citedIn,
  found,
  PREEMPTION,
  replyTo,
  searchTurn,
  wordsIn,
} from "./chat.ts";

const TASK = { task: "Research the KV cache and its blocks in vLLM", expected: "A short report" };

describe("an answer of the extractive model", () => {
  it("begins with a line that says what it is", async () => {
    const text = await answerTo(TASK);

    expect(text.split("\n")[0]).toBe(MARKER);
    expect(MARKER).toContain("model: extractive (no neural network)");
  });

  it("holds nothing but sentences of its sources, each with the source that it stands in", async () => {
    const cited = citedIn(await answerTo(TASK));

    expect(cited.length).toBeGreaterThan(3);
    const texts = new Map([CACHE, BLOCKS].map((passage) => [passage.source, passage.text]));
    texts.set(PREEMPTION.source, `${BLOCKS.text} ${PREEMPTION.text}`);
    for (const { text, source } of cited) {
      const known = texts.get(source) ?? "";
      const sentences = text.split(/ \[[^\]]+\] /);
      for (const sentence of sentences) expect(known).toContain(sentence);
    }
  });

  it("puts a sentence that leans on another one right behind that one", async () => {
    const text = await answerTo({ task: "How does the KV cache grow by bytes for each token?" });

    const sentences = citedIn(text).map((one) => one.text);
    const at = sentences.findIndex((one) => one.startsWith("It grows"));
    expect(sentences[at - 1]).toBe(
      "The KV cache keeps the keys and values of every token in GPU memory.",
    );
  });

  it("leaves out a sentence whose predecessor is missing", async () => {
    const passage = {
      source: "a.md",
      section: "A",
      text: "This makes the KV cache twice as large. The KV cache holds keys and values of all tokens.",
    };

    const text = await answerTo(TASK, found(passage));

    expect(text).not.toContain("This makes");
    expect(text).toContain("The KV cache holds keys and values of all tokens. [a.md]");
  });

  it("groups sentences by source and section, under headings made of the sections", async () => {
    const text = await answerTo({ ...TASK, expected: "A report of 200 words" });

    expect(text).toContain("### Blocks of 16 tokens");
    expect(text).toContain("### What the KV cache is");
    const sources = citedIn(text).map((one) => one.source);
    expect(sources).toEqual(sources.toSorted((a, b) => sources.indexOf(a) - sources.indexOf(b)));
  });

  it("begins with the sentence that defines its topic", async () => {
    const definition = {
      source: "docs/cold-starts.md",
      section: "Cold starts",
      text: "Many teams fear cold starts. A cold start is the time until a GPU returns the first token.",
    };
    const detail = {
      source: "docs/cold-starts.md",
      section: "Cost",
      text: "Cold starts on a GPU cost 60 seconds. Cold starts are billed like work. Cold starts hurt flows of many steps.",
    };

    const text = await answerTo(
      { task: "Explain cold starts", expected: "A report of 150 words" },
      found(detail, definition),
    );

    expect(text.indexOf("A cold start is the time")).toBeLessThan(text.indexOf("cost 60 seconds"));
  });

  it("says a thing once when two sources say nearly the same", async () => {
    const twin = {
      source: "docs/twin.md",
      section: "Blocks",
      text: "vLLM divides the whole KV pool into blocks of 16 tokens.",
    };

    const text = await answerTo(TASK, found(BLOCKS, twin));

    expect(text.match(/KV pool into blocks of 16 tokens/g)).toHaveLength(1);
  });

  it("leaves tables, code, link lists and headings of its sources out", async () => {
    const markdown = [
      "# KV cache",
      "The KV cache grows with every token that is read.",
      "| Model | KV cache |",
      "|---|---|",
      "| Qwen3-8B | 147,456 |",
      "```sh",
      "vllm serve --kv-cache-dtype fp8 of the KV cache.",
      "```",
      "## Sources",
      "- vLLM source code on the KV cache, August 2026.",
    ].join("\n");

    const text = await answerTo(
      TASK,
      JSON.stringify({ results: [{ source: "a.md", text: markdown }] }),
    );

    expect(citedIn(text)).toEqual([
      { text: "The KV cache grows with every token that is read.", source: "a.md" },
    ]);
    expect(text).not.toMatch(/\||```|147,456|August/);
  });

  it("keeps the citation that a sentence of the context has, and cites the context's name where there is none", async () => {
    const research = `${MARKER}\n\n- The KV cache keeps keys and values in GPU memory. [docs/kv-cache.md]\n- Paged attention cuts the KV cache into blocks.`;

    const reply = await replyTo(
      agentMessages({
        role: "Writer",
        context: { research },
        task: "Write about the KV cache",
        expected: "A text",
      }),
    );

    expect(reply.text).toContain(
      "The KV cache keeps keys and values in GPU memory. [docs/kv-cache.md]",
    );
    expect(reply.text).toContain("Paged attention cuts the KV cache into blocks. [research]");
    expect(reply.text.split(MARKER)).toHaveLength(2);
  });

  it("reads structured output of an earlier task by its keys", async () => {
    const research = JSON.stringify({
      facts: [
        { fact: "The KV cache keeps keys and values in GPU memory.", source: "docs/kv-cache.md" },
      ],
    });

    const reply = await replyTo(
      agentMessages({ role: "Writer", context: { research }, task: "Write about the KV cache" }),
    );

    expect(reply.text).toContain(
      "The KV cache keeps keys and values in GPU memory. [docs/kv-cache.md]",
    );
  });

  it("uses the whole objects of a tool result that was cut amid its JSON", async () => {
    const cut = `${ALL_RESULTS.slice(0, ALL_RESULTS.indexOf("At most 15"))}\n[… 300 characters left out to fit …]\n`;

    const text = await answerTo(TASK, cut);

    expect(text).toContain("[docs/kv-cache.md]");
    expect(text).not.toContain("{");
  });

  it("does not use the pieces of sentences around a cut", async () => {
    const research =
      "The KV cache holds keys of the whole\n[… 900 characters left out to fit …]\nKV cache pool of a server. Blocks of the KV cache hold 16 tokens each.";

    const reply = await replyTo(
      agentMessages({ role: "Writer", context: { research }, task: "Write about the KV cache" }),
    );

    expect(citedIn(reply.text).map((one) => one.text)).toEqual([
      "Blocks of the KV cache hold 16 tokens each.",
    ]);
  });

  it("takes a document about errors for a document, not for a failure", async () => {
    const text = await answerTo(
      { task: "Explain error handling" },
      "Error handling in a crew begins with the tools. Error handling ends with the run.",
    );

    expect(text).toContain("Error handling in a crew begins with the tools. [search_docs]");
  });

  it("answers a plain chat from the text in its message", async () => {
    const filler = "Weather reports mention rain and wind on most days of the year. ".repeat(10);
    const content = `What does the KV cache hold?\n\n${filler}The KV cache holds the keys and values of all tokens.`;

    const reply = await replyTo([{ role: "user", content }]);

    expect(reply.text).toContain("The KV cache holds the keys and values of all tokens. [message]");
  });

  it("says so when there is nothing to answer from", async () => {
    const reply = await replyTo([{ role: "user", content: "Hello" }]);

    expect(reply.text.split("\n")[0]).toBe(MARKER);
    expect(reply.text).toContain("nothing to answer from");
  });

  it("survives a request without any message", async () => {
    const reply = await replyTo([]);

    expect(reply.finish.unified).toBe("stop");
  });

  it("is the same for the same request", async () => {
    expect(await answerTo(TASK)).toBe(await answerTo(TASK));
  });

  it("answers when tools are no longer offered, whatever was found", async () => {
    const messages = [
      ...agentMessages(TASK),
      ...searchTurn("kv cache", ALL_RESULTS),
      { role: "user", content: "Give your best final answer now, from what you have." } as const,
    ];

    const reply = await replyTo(messages);

    expect(reply.text).toContain("[docs/paged-attention.md]");
  });
});

describe("the length of an answer", () => {
  const long = found(
    ...Array.from({ length: 12 }, (_, index) => ({
      source: `docs/part-${index % 4}.md`,
      section: `Part ${index}`,
      text: `The KV cache of server ${index} holds ${1000 + index * 37} blocks of ${"abcdefghijkl"[index]}-type tokens. Every ${["red", "blue", "green"][index % 3]} request of tenant ${index} takes blocks of the KV cache number ${index}.`,
    })),
  );

  it.each([60, 120, 200])("stays within %i words", async (words) => {
    const text = await answerTo(
      { task: "Describe the KV cache", expected: `A report of at most ${words} words` },
      long,
    );

    expect(wordsIn(text)).toBeLessThanOrEqual(words);
    expect(citedIn(text).length).toBeGreaterThan(1);
  });

  it("comes near a number of words that is asked for", async () => {
    const text = await answerTo(
      { task: "Write 150 words on the KV cache", expected: "A text" },
      long,
    );

    expect(wordsIn(text)).toBeGreaterThan(100);
    expect(wordsIn(text)).toBeLessThanOrEqual(150);
  });

  it("is the number of bullet points that is asked for", async () => {
    const text = await answerTo(
      { task: "Summarise the KV cache in 3 bullet points", expected: "Bullet points" },
      long,
    );

    expect(text.match(/^- /gm)).toHaveLength(3);
    expect(text).not.toContain("#");
  });

  it("is the number of sentences that is asked for, in one paragraph", async () => {
    const text = await answerTo(
      { task: "Describe the KV cache", expected: "Five sentences" },
      long,
    );

    expect(citedIn(text)).toHaveLength(5);
    expect(text.split("\n\n")).toHaveLength(2);
  });

  it("is the number of paragraphs that is asked for", async () => {
    const text = await answerTo({ task: "Describe the KV cache", expected: "2 paragraphs" }, long);

    expect(text.split("\n\n")).toHaveLength(3);
  });

  it("follows a wish that the user adds later", async () => {
    const messages = [
      ...agentMessages({ task: "Describe the KV cache", expected: "At most 200 words" }),
      ...searchTurn("kv cache", long),
      { role: "assistant", content: "A long text." } as const,
      { role: "user", content: "Too long. Write at most 50 words." } as const,
    ];

    const reply = await replyTo(messages);

    expect(wordsIn(reply.text)).toBeLessThanOrEqual(50);
  });

  it("is one whole sentence when the limit is too small for any", async () => {
    const text = await answerTo({ task: "Describe the KV cache", expected: "At most 4 words" });

    expect(citedIn(text)).toHaveLength(1);
  });
});

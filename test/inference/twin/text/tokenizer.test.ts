import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { toPromptIds } from "../../../../src/inference/twin/text/prompt.ts";
import { decodeIds, encodeText, SPECIAL } from "../../../../src/inference/twin/text/tokenizer.ts";

const PROSE =
  "The bosun runs the crew and the deck gear. Each morning he reads the orders, decides what has to be done first, and tells everybody what is expected of them. When the weather changes, the plan changes too, and nobody is surprised by it. Paged attention keeps the keys and values of a sequence in blocks of sixteen tokens, so that memory is neither wasted nor fragmented, and several requests which begin with the same instructions can share what was computed already.";

/** A generator with a seed: the same texts in every run. */
function randomTexts(count: number): string[] {
  let state = 7;
  const next = (below: number): number => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state % below;
  };
  const alphabets = [
    "abcXYZ ",
    " \t\n\r",
    "0123456789",
    '{}[]":,.<>|',
    "éüßДЖñ",
    "日本語🚢\ud800\udc00",
  ];
  const alphabet = alphabets.join("");
  return Array.from({ length: count }, () =>
    Array.from({ length: next(40) }, () => alphabet[next(alphabet.length)]).join(""),
  );
}

describe("the stand-in tokenizer", () => {
  it("gives back every text, also lone surrogates and control characters", () => {
    const texts = [
      ...randomTexts(2_000),
      "\u0000\u007f",
      "\ud800",
      "a\udc00b",
      "",
      "𝒳HTTPServer22222",
    ];

    expect(texts.filter((text) => decodeIds(encodeText(text)) !== text)).toEqual([]);
  });

  it("has within 15 % of 4 characters a token for English", () => {
    const perToken = PROSE.length / encodeText(PROSE).length;

    expect(perToken).toBeGreaterThan(3.4);
    expect(perToken).toBeLessThan(4.6);
  });

  it("begins a longer text with the ids of a shorter one, but for its last three", () => {
    const readme = readFileSync(new URL("../../../../README.md", import.meta.url), "utf8");
    const whole = encodeText(readme.slice(0, 3_000));

    const differing = Array.from({ length: 500 }, (_, cut) => {
      const ids = encodeText(readme.slice(0, 2_000 + cut));
      return ids.findIndex((id, at) => at < ids.length - 3 && id !== whole[at]);
    });

    expect(differing.filter((at) => at >= 0)).toEqual([]);
  });

  it("makes different ids of different texts, and none of the template's", () => {
    const texts = [...new Set(randomTexts(500))];
    const keys = new Set(texts.map((text) => encodeText(text).join(" ")));

    expect(keys.size).toBe(texts.length);
    expect([...encodeText("<|im_start|>")]).not.toContain(SPECIAL["<|im_start|>"]);
  });

  it("decodes a number that is no id to a replacement character", () => {
    expect(decodeIds([-1, 2_147_483_647, 1.5])).toBe("\ufffd\ufffd\ufffd");
  });
});

describe("a conversation's prompt", () => {
  const system = { role: "system", content: "Be brief." } as const;
  const user = { role: "user", content: "Hello there" } as const;

  it("is ChatML and ends where the assistant begins", () => {
    const text = decodeIds(toPromptIds({ messages: [system, user] }));

    expect(text).toBe(
      "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHello there<|im_end|>\n<|im_start|>assistant\n",
    );
  });

  it("holds the earlier turn with the same ids when the conversation goes on", () => {
    const answer = { role: "assistant", content: "Good morning." } as const;
    const first = toPromptIds({ messages: [system, user] });
    const said = encodeText(answer.content);

    const second = toPromptIds({ messages: [system, user, answer, user] });

    expect(second.slice(0, first.length + said.length)).toEqual(Int32Array.of(...first, ...said));
  });

  it("names the tools in the system turn, in one order", () => {
    const tools = [{ name: "search", description: "Finds.", parameters: { type: "object" } }];

    const text = decodeIds(toPromptIds({ messages: [user], tools }));

    expect(text).toContain("<|im_start|>system\n");
    expect(text).toContain('{"type":"function","function":{"name":"search"');
  });
});

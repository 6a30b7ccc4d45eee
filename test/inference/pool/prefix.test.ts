import { describe, expect, it } from "vitest";
import { toPrefix } from "../../../src/inference/pool/prefix.ts";
import { createPrefixIndex } from "../../../src/inference/pool/prefix-index.ts";
import { requestOf } from "./twin-fleet.ts";

const prefixOf = (text: string, tenant?: string) =>
  toPrefix(
    requestOf(text.length / 4, tenant === undefined ? {} : { tenant }, text),
    text.length / 4,
  );

describe("prefixes of prompts", () => {
  it("are equal as far as the prompts are", () => {
    const shared = "the same ".repeat(300);
    const [a, b] = [
      prefixOf(`${shared}a${"x".repeat(600)}`),
      prefixOf(`${shared}b${"x".repeat(600)}`),
    ];
    const common = a.blocks.findIndex((block, at) => block !== b.blocks[at]);

    expect(common).toBe(Math.floor((shared.length + "user".length) / 256));
    expect(a.blocks.slice(common).some((block) => b.blocks.includes(block))).toBe(false);
  });

  it("differ by tenant: their caches are apart", () => {
    const text = "the same ".repeat(300);

    expect(prefixOf(text, "a").blocks[0]).not.toBe(prefixOf(text, "b").blocks[0]);
  });

  it("add up to the prompt's tokens", () => {
    const { blocks, tokensPerBlock } = prefixOf("word ".repeat(4_000));

    expect(blocks.length * tokensPerBlock).toBeGreaterThan(4_900);
    expect(blocks.length * tokensPerBlock).toBeLessThanOrEqual(5_000);
  });
});

describe("an index of prefixes", () => {
  it("knows how much of a prompt an endpoint has", () => {
    const index = createPrefixIndex();
    const shared = "the same ".repeat(300);
    index.add(prefixOf(`${shared}${"a".repeat(600)}`));

    const hit = index.hitTokens(prefixOf(`${shared}${"b".repeat(600)}`));

    expect(hit).toBeGreaterThan(600);
    expect(hit).toBeLessThanOrEqual(675);
    expect(index.hitTokens(prefixOf("something else ".repeat(100)))).toBe(0);
  });

  it("forgets the longest unused, its tail first, and what a reply denies", () => {
    const index = createPrefixIndex(() => 10);
    const [old, young] = [prefixOf("old ".repeat(640)), prefixOf("young ".repeat(220))];
    index.add(old);
    index.add(young);

    expect(index.hitTokens(young)).toBeGreaterThan(300);
    const left = index.hitTokens(old);
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThan(640);
    index.remove(young);
    expect(index.hitTokens(young)).toBe(0);
  });
});

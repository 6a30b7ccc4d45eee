import { describe, expect, it } from "vitest";
import { estimateTokens } from "../../../src/inference/model/tokens.ts";
import type { Json } from "../../../src/json.ts";
import { cutResult, type Limit, limitResult } from "../../../src/orchestration/tool/limit.ts";

/** Seeded, so that a failure comes back. Mulberry32. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const LETTERS = [
  "a",
  "b ",
  "word ",
  "\n",
  '"',
  "\\",
  "é",
  "…",
  "漢",
  "字",
  "😀",
  "\u0007",
  "\ud800",
  "0",
];

function randomText(random: () => number, most: number): string {
  const length = Math.floor(random() ** 3 * most);
  return Array.from({ length }, () => LETTERS[Math.floor(random() * LETTERS.length)]).join("");
}

/** At most about `room.values` values: every list and object takes its part of it. */
function randomJson(random: () => number, room: { values: number }): Json {
  room.values--;
  const kind = room.values <= 0 ? random() * 0.5 : random();
  if (kind < 0.08) return null;
  if (kind < 0.16) return random() < 0.5;
  if (kind < 0.25) return (random() - 0.5) * 10 ** Math.floor(random() * 40);
  if (kind < 0.5) return randomText(random, 1_500);
  const width = Math.min(room.values, Math.floor(random() ** 2 * 60));
  if (kind < 0.75) return Array.from({ length: width }, () => randomJson(random, room));
  return Object.fromEntries(
    Array.from({ length: width }, () => [randomText(random, 60), randomJson(random, room)]),
  );
}

function isWithin(content: string, { maxBytes, maxTokens }: Limit): boolean {
  return Buffer.byteLength(content) <= maxBytes && estimateTokens(content) <= maxTokens;
}

const ROOMY: Limit = { maxBytes: 65_536, maxTokens: 4_000 };

describe("cutResult, for 250 seeded results and bounds", () => {
  const cases = Array.from({ length: 250 }, (_, seed) => {
    const random = createRandom(seed);
    const value = randomJson(random, { values: 60 });
    const limit = {
      maxBytes: 64 + Math.floor(random() ** 2 * 8_000),
      maxTokens: 16 + Math.floor(random() ** 2 * 2_000),
    };
    return { seed, value, limit, cut: cutResult(value, limit) };
  });

  it("is always within both bounds", () => {
    expect(
      cases.filter(({ cut, limit }) => !isWithin(cut.content, limit)).map(({ seed }) => seed),
    ).toEqual([]);
  });

  it("is always valid JSON, or a text for a text", () => {
    const broken = cases.filter(({ value, cut }) => {
      if (typeof value === "string") return cut.content !== cut.value;
      return JSON.stringify(JSON.parse(cut.content)) !== JSON.stringify(cut.value);
    });

    expect(broken.map(({ seed }) => seed)).toEqual([]);
  });

  it("states its own bytes and tokens", () => {
    const wrong = cases.filter(
      ({ cut }) =>
        cut.bytes !== Buffer.byteLength(cut.content) || cut.tokens !== estimateTokens(cut.content),
    );

    expect(wrong).toEqual([]);
  });

  it("changes nothing that is within the bounds, and marks everything else as truncated", () => {
    const wrong = cases.filter(({ value, limit, cut }) => {
      const whole = typeof value === "string" ? value : JSON.stringify(value);
      return isWithin(whole, limit)
        ? cut.truncated || cut.content !== whole
        : !cut.truncated || cut.content === whole;
    });

    expect(wrong.map(({ seed }) => seed)).toEqual([]);
    expect(cases.filter(({ cut }) => cut.truncated).length).toBeGreaterThan(100);
    expect(cases.filter(({ cut }) => !cut.truncated).length).toBeGreaterThan(100);
  });

  it("uses what it is given: a cut result fills at least a third of the tighter bound", () => {
    const thin = cases.filter(({ cut, limit, value }) => {
      if (
        !cut.truncated ||
        limit.maxTokens < 200 ||
        limit.maxBytes < 800 ||
        typeof value !== "string"
      ) {
        return false;
      }
      return Math.max(cut.bytes / limit.maxBytes, cut.tokens / limit.maxTokens) < 1 / 3;
    });

    expect(thin.map(({ seed }) => seed)).toEqual([]);
  });
});

describe("cutResult", () => {
  it("cuts a text at the end of a line and says how much is missing", () => {
    const text = Array.from({ length: 100 }, (_, line) => `line ${line} of the log`).join("\n");

    const { content } = cutResult(text, { maxBytes: 500, maxTokens: 1_000 });

    const [, kept = "", missing] =
      /^([\s\S]*)… \[(\d+) of (\d+) characters left out\]$/.exec(content) ?? [];
    expect(text.startsWith(`${kept}\n`)).toBe(true);
    expect(kept.length + Number(missing)).toBe(text.length);
  });

  it("cuts a text between words when it has no lines, and never inside a character", () => {
    const words = cutResult("seventeen ".repeat(100), { maxBytes: 200, maxTokens: 1_000 });
    const faces = cutResult("😀".repeat(1_000), { maxBytes: 500, maxTokens: 1_000 });

    expect(words.content).toMatch(/seventeen… \[\d+ of 1000 characters left out\]$/);
    expect(faces.content).toMatch(/^(?:😀)+… \[\d+ of 2000 characters left out\]$/u);
  });

  it("shows a list as its count, its first items and how many more there are", () => {
    const rows = Array.from({ length: 120 }, (_, id) => ({ id, name: `row ${id}` }));

    const { value } = cutResult(rows, { maxBytes: 100, maxTokens: 1_000 });

    expect(value).toEqual({ count: 120, first: [rows[0], rows[1]], more: 118 });
  });

  it("shortens three long items rather than to give up all but the first", () => {
    const pages = Array.from({ length: 10 }, (_, id) => ({
      id,
      title: `Page ${id}`,
      text: "long text ".repeat(5_000),
    }));

    const { value, tokens } = cutResult(pages, ROOMY);

    expect(value).toMatchObject({
      count: 10,
      first: [{ id: 0, title: "Page 0" }, { id: 1 }, { id: 2 }],
      more: 7,
    });
    expect(JSON.stringify(value)).toContain("characters left out");
    expect(tokens).toBeGreaterThan(3_000);
  });

  it("keeps the small fields of an object and shares the rest among the large ones", () => {
    const { value } = cutResult(
      {
        url: "http://host/",
        status: 200,
        body: "word ".repeat(9_000),
        notes: "other ".repeat(9_000),
      },
      { maxBytes: 2_000, maxTokens: 4_000 },
    );

    expect(value).toMatchObject({ url: "http://host/", status: 200 });
    const { body, notes } = value as { body: string; notes: string };
    expect(body).toMatch(/^word word .*\[\d+ of 45000 characters left out\]$/);
    expect(notes).toMatch(/^other other .*\[\d+ of 54000 characters left out\]$/);
    expect(Math.abs(body.length - notes.length)).toBeLessThan(100);
  });

  it("says how many keys of a wide object are missing", () => {
    const wide = Object.fromEntries(
      Array.from({ length: 1_000 }, (_, index) => [`key${index}`, index]),
    );

    const { value } = cutResult(wide, { maxBytes: 200, maxTokens: 1_000 });

    const { "…": mark, ...kept } = value as Record<string, Json>;
    expect(mark).toBe(`${1_000 - Object.keys(kept).length} keys left out`);
    expect(Object.keys(kept).slice(0, 3)).toEqual(["key0", "key1", "key2"]);
  });

  it("prunes what is nested too deeply to fit", () => {
    let deep: Json = "the end";
    for (let level = 0; level < 100; level++) deep = { level, inner: deep, note: "x".repeat(50) };

    const { content, value } = cutResult(deep, { maxBytes: 1_000, maxTokens: 1_000 });

    expect(content.length).toBeLessThanOrEqual(1_000);
    expect(value).toMatchObject({ level: 99, inner: { level: 98 } });
  });

  it.each<Json>([
    "x".repeat(1_000),
    Array.from({ length: 1_000_000 }, () => 1),
    { a: { b: "y".repeat(1_000) } },
    { ["k".repeat(1_000)]: 1 },
    ["z".repeat(1_000)],
  ])("still says something within the least bounds", (value) => {
    const { content } = cutResult(value, { maxBytes: 64, maxTokens: 16 });

    expect(content).toMatch(/left out|more/);
  });
});

describe("limitResult", () => {
  const limit = { maxBytes: 100, maxTokens: 100 };

  it("does not ask for a summary of what fits", async () => {
    const result = await limitResult({ a: 1 }, limit, () => expect.unreachable("asked"));

    expect(result).toEqual({
      value: { a: 1 },
      content: '{"a":1}',
      bytes: 7,
      tokens: 2,
      truncated: false,
    });
  });

  it("takes the summary of what does not fit", async () => {
    const result = await limitResult("long ".repeat(100), limit, (value) =>
      Promise.resolve({ length: JSON.stringify(value).length }),
    );

    expect(result).toMatchObject({ content: '{"length":502}', truncated: true });
  });

  it("bounds the summary too", async () => {
    const result = await limitResult("long ".repeat(100), limit, () =>
      Promise.resolve("short ".repeat(100)),
    );

    expect(result.content).toMatch(/^short short .*left out\]$/);
    expect(result.bytes).toBeLessThanOrEqual(100);
  });

  it("cuts the result itself when the summary fails", async () => {
    const result = await limitResult("long ".repeat(100), limit, () =>
      Promise.reject(new Error("no summary")),
    );

    expect(result.content).toMatch(/^long long .*left out\]$/);
  });
});

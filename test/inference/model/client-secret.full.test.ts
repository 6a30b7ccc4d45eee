import { describe, expect, it } from "vitest";
import { chunk, errorReply, head, sse, write } from "../../../src/test/wire-reply.ts";
import { bench, errorOf, modelAt } from "./endpoint-bench.ts";

const KEY = "sk-very-secret-key";
const TOKEN = "tok-of-a-gateway";

describe("a secret that a server repeats", () => {
  it.each([
    ["where a message is cut", `${"x".repeat(590)}${KEY}`],
    ["a header's value", `the header was ${TOKEN}`],
    ["the credentials of a header with a scheme", "the credentials were c2VjcmV0OnNlY3JldA=="],
  ])("is cut out of a refusal: %s", async (_where, said) => {
    const error = await errorAfter([errorReply(400, said)]);

    expect(error).not.toMatch(/sk-very|tok-of|c2VjcmV0/);
    expect(error).toContain("[key]");
  });

  it("is cut out of a chunk that is no chunk, also where it is cut", async () => {
    const text = `data: ${"x".repeat(190)}${KEY} ${TOKEN}\n\n`;

    const error = await errorAfter([[head(), write(chunk({ content: "a" })), write(text)]]);

    expect(error).not.toMatch(/sk-very|tok-of/);
  });

  it("is cut out of an error inside a stream", async () => {
    const text = sse({ error: { message: `no ${TOKEN}`, code: 500 } });

    const error = await errorAfter([[head(), write(text)]]);

    expect(error).not.toContain(TOKEN);
    expect(error).toContain("[key]");
  });

  it("is no short value of a header", async () => {
    const error = await errorAfter([errorReply(400, "short: team1")]);

    expect(error).toContain("short: team1");
  });
});

async function errorAfter(replies: Parameters<typeof bench>[0]): Promise<string> {
  const { server } = await bench(replies);
  const headers = {
    "x-gateway": TOKEN,
    "x-basic": "Basic c2VjcmV0OnNlY3JldA==",
    "x-team": "team1",
  };
  const model = modelAt(server.url, { apiKeyEnv: "TEST_KEY", headers }, { TEST_KEY: KEY });
  const error = await errorOf(model);
  return `${JSON.stringify(error)} ${error.stack}`;
}

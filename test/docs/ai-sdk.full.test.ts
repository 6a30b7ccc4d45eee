import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { startFaultServer } from "../../src/test/fault-server.ts";
import {
  chunk,
  DONE,
  errorReply,
  finishChunk,
  streamReply,
  textReply,
} from "../../src/test/wire-reply.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const CODE = join(ROOT, "test", "fixtures", "docs");

const run = promisify(execFile);

/** What a program of the page prints, as a process of its own. */
async function outputOf(name: string, env: Readonly<Record<string, string>>): Promise<string> {
  const { stdout } = await run(
    process.execPath,
    ["--conditions=bosun-source", join(CODE, `${name}.ts`)],
    { cwd: mkdtempSync(join(tmpdir(), "bosun-docs-")), env: { PATH: "", ...env }, timeout: 20_000 },
  );
  return stdout.trim();
}

describe("docs/ai-sdk.md", () => {
  it("shows the code that is tested here", () => {
    const page = readFileSync(join(ROOT, "docs", "ai-sdk.md"), "utf8");
    const blocks = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code);

    expect(blocks).toEqual(
      ["ai-sdk-crew", "ai-sdk-tool-loop"].map((name) =>
        readFileSync(join(CODE, `${name}.ts`), "utf8"),
      ),
    );
  });

  it("runs a crew on a provider of the AI SDK", async () => {
    await using server = await startFaultServer({ replies: [textReply("The moon ", "pulls.")] });

    const said = await outputOf("ai-sdk-crew", { ACME_URL: server.url, ACME_API_KEY: "k" });

    expect(said).toBe("The moon pulls.");
    expect(server.calls[0]?.body).toMatchObject({ model: "acme-small" });
  });

  it("runs a tool loop of the AI SDK on a pool, with its fallback", async () => {
    const call = { index: 0, id: "c", function: { name: "weather", arguments: '{"city":"Oslo"}' } };
    const calling = streamReply(chunk({ tool_calls: [call] }), finishChunk("tool_calls"), DONE);
    await using large = await startFaultServer({ replies: () => errorReply(400, "no") });
    await using small = await startFaultServer({ replies: [calling, textReply("21 degrees.")] });

    const said = await outputOf("ai-sdk-tool-loop", { LARGE_URL: large.url, SMALL_URL: small.url });

    expect(said).toBe("21 degrees.");
    expect(large.calls).toHaveLength(2);
  });
});

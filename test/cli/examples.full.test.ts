import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { newFolder, ROOT, runBosun } from "./bosun-process.ts";

const FOLDER = join(ROOT, "examples");
const EXAMPLES = readdirSync(FOLDER).filter((name) => statSync(join(FOLDER, name)).isDirectory());

/** What the text of each example holds, whatever the documents say. */
const EXPECTED: Readonly<Record<string, RegExp>> = {
  hello: /\[docs\/[\w-]+\.md\]/,
  "research-crew": /\[docs\/(paged-attention|continuous-batching|kv-cache-sizing)\.md\]/,
  "parallel-crew": /\[docs\/[\w-]+\.md\]/,
  "managed-crew": /\[docs\/cold-starts\.md\]/,
  "structured-output": /^\{"topic":.*"facts":\[\{.*"source":"docs\//,
  "claim-analysis": /deductible for water damage is 450 euros.*12,300 euros/s,
  "report-flow": /\[docs\/prefix-caching\.md\]/,
  "custom-tool": /80 GB of memory.*3350 GB\/s/,
};

describe("examples", () => {
  it.each(EXAMPLES)("%s runs offline with the embedded model", async (name) => {
    const { code, out, err } = await runBosun(["run", join(FOLDER, name)], { cwd: newFolder() });

    expect(out).toMatch(EXPECTED[name] ?? /no expectation for this example/);
    expect(err).toContain("extractive (no neural network)");
    expect(code).toBe(0);
  });

  it("research-crew searches the folders of BOSUN_DOCS too", async () => {
    const docs = newFolder({
      "harbour/bollards.md":
        "# Bollards\n\nA bollard is a post on a quay to which a ship is moored with ropes. The bollard of pier seven holds 150 tonnes.\n",
    });

    const { code, out } = await runBosun(
      ["run", join(FOLDER, "research-crew"), "-i", "topic=what a bollard holds"],
      { cwd: newFolder(), env: { BOSUN_DOCS: docs } },
    );

    expect(out).toContain("150 tonnes");
    expect(code).toBe(0);
  });

  it("research-crew says which folder of BOSUN_DOCS is not there", async () => {
    const { code, err } = await runBosun(["run", join(FOLDER, "research-crew")], {
      env: { BOSUN_DOCS: "/nowhere/docs" },
    });

    expect([code, err]).toEqual([
      2,
      expect.stringMatching(/^Error \[tool\/invalid\] .*\/nowhere\/docs/),
    ]);
  });
});

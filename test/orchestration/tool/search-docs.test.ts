import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { searchDocs } from "../../../src/orchestration/tool/search-docs.ts";
import { failureOf } from "./failure.ts";
import { runForReal } from "./probe.ts";

const DOCUMENTS = join(import.meta.dirname, "..", "memory", "documents");

describe("searchDocs", () => {
  it("gives the model passages with their source and section, and how many more there are", async () => {
    const outcome = await runForReal(
      searchDocs({ folder: DOCUMENTS }),
      '{"query":"When does a job go back because no heartbeat arrives?"}',
    );

    expect(outcome).toMatchObject({ type: "done", truncated: false });
    const { results, more } = JSON.parse(outcome.content);
    expect(results).toHaveLength(5);
    expect(results[0]).toEqual({
      source: "documents/queue.md",
      section: "Leases",
      text: expect.stringContaining("the job goes back to the queue"),
      score: expect.any(Number),
    });
    expect(more).toBeGreaterThan(0);
  });

  it("gives an empty list when nothing is found", async () => {
    expect(
      (await runForReal(searchDocs({ folder: DOCUMENTS }), '{"query":"zebra crossing"}')).content,
    ).toBe('{"results":[],"more":0}');
  });

  it("takes a name, a number of results and several folders", async () => {
    const tool = searchDocs({
      folders: [DOCUMENTS, join(DOCUMENTS, "operations")],
      name: "manual",
      maxResults: 2,
    });

    const outcome = await runForReal(tool, '{"query":"heartbeat"}');

    expect(tool.name).toBe("manual");
    expect(JSON.parse(outcome.content).results).toHaveLength(2);
  });

  it("finds what was written after it was made", async () => {
    const folder = mkdtempSync(join(tmpdir(), "bosun-search-"));
    const tool = searchDocs({ folder });
    writeFileSync(join(folder, "late.md"), "A turbine turns.");

    const outcome = await runForReal(tool, '{"query":"turbine"}');

    expect(JSON.parse(outcome.content).results).toHaveLength(1);
    rmSync(folder, { recursive: true });
  });

  it("serves several runs at once", async () => {
    const tool = searchDocs({ folder: DOCUMENTS });

    const outcomes = await Promise.all(
      Array.from({ length: 8 }, () => runForReal(tool, '{"query":"lease"}')),
    );

    expect(new Set(outcomes.map(({ content }) => content)).size).toBe(1);
  });

  it("refuses a folder that is not there when it is made, not at the first search", async () => {
    const failure = await failureOf(() => searchDocs({ folder: "no/such/folder" }));

    expect(failure.code).toBe("tool/invalid");
    expect(failure.message).toContain("no/such/folder");
    expect((await failureOf(() => searchDocs({ folder: import.meta.filename }))).code).toBe(
      "tool/invalid",
    );
  });

  it.each([0, 21, 1.5, Number.NaN])("refuses maxResults of %d", async (maxResults) => {
    expect((await failureOf(() => searchDocs({ folder: DOCUMENTS, maxResults }))).code).toBe(
      "tool/invalid",
    );
  });
});

import { tmpdir } from "node:os";
import { describe, expect, it } from "vitest";
import { calculator } from "../../../src/orchestration/tool/calculator.ts";
import { fetchUrl } from "../../../src/orchestration/tool/fetch-url.ts";
import { readFile } from "../../../src/orchestration/tool/read-file.ts";
import { searchDocs } from "../../../src/orchestration/tool/search-docs.ts";
import { thrownBy } from "../run/scenario.ts";

/** Options as a program without types may give them. */
function withUnknown<Options extends object>(options: Options): Options {
  return { ...options, timeout: 5 };
}

describe("a built-in tool", () => {
  it.each([
    [
      "search_docs",
      () => searchDocs(withUnknown({ folder: tmpdir() })),
      "folder, folders, name, maxResults",
    ],
    ["read_file", () => readFile(withUnknown({ root: tmpdir() })), "root, name, maxBytes, hidden"],
    [
      "mine",
      () => fetchUrl(withUnknown({ name: "mine" })),
      "name, allowPrivate, maxBytes, timeoutMs, output, resolve",
    ],
    ["calculator", () => calculator(withUnknown({})), "there are no options"],
  ])("refuses an option that it does not know: %s", (name, make, known) => {
    const error = thrownBy(make);

    expect(error.code).toBe("tool/invalid");
    expect(error.message).toContain(`tool ${name}: unknown option "timeout"`);
    expect(error.message).toContain(known);
  });

  it("takes every option that it has", () => {
    searchDocs({ folders: [tmpdir()], name: "a", maxResults: 2 });
    readFile({ root: tmpdir(), name: "b", maxBytes: 5, hidden: true });
    fetchUrl({
      name: "c",
      allowPrivate: true,
      maxBytes: 5,
      timeoutMs: 5,
      output: { maxBytes: 64 },
      resolve: () => Promise.resolve([]),
    });

    expect(calculator().name).toBe("calculator");
  });
});

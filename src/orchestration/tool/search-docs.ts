// search_docs: the documents of local folders, searched by plain words.

import { BosunError } from "../../error.ts";
import { createDocumentIndex } from "../memory/document-index.ts";
import { checkFolder } from "./jail.ts";
import { checkOptions } from "./option.ts";
import { type Tool, tool } from "./tool.ts";

/** Options of `searchDocs`. */
export type SearchDocsOptions = (
  | { readonly folder: string; readonly folders?: undefined }
  | { readonly folders: readonly [string, ...string[]]; readonly folder?: undefined }
) & {
  /** Default "search_docs". Give each a name of its own when an agent has several. */
  readonly name?: string | undefined;
  /** Most passages of one answer, 1 to 20. Default 5. */
  readonly maxResults?: number | undefined;
};

const KNOWN = ["folder", "folders", "name", "maxResults"] satisfies (keyof SearchDocsOptions)[];

/**
 * A tool that finds passages in .md, .txt, .html and .json files below one or more folders. Its result is
 * `{"results":[{"source":"docs/x.md","section":"…","text":"…","score":7.1}],"more":n}`, best first. The index is made at the first
 * search, in memory, and follows the files; it is shared by all agents and runs that have the tool.
 * @throws BosunError `tool/invalid` for a folder that is not there or an option that is not known.
 */
export function searchDocs(options: SearchDocsOptions): Tool {
  const { name = "search_docs", maxResults = 5 } = options;
  checkOptions(`tool ${name}`, options, KNOWN);
  const folders = (options.folders ?? [options.folder]).map((folder) =>
    checkFolder(`tool ${name}`, folder),
  );
  if (!Number.isInteger(maxResults) || maxResults < 1 || maxResults > 20) {
    throw new BosunError(
      "tool/invalid",
      `tool ${name}: maxResults must be a whole number from 1 to 20, got ${maxResults}`,
    );
  }
  const index = createDocumentIndex({ folders });
  return tool({
    name,
    description:
      "Searches the local documents and returns the passages that answer best, each with its source. Ask in plain words, one subject at a time.",
    parameters: {
      type: "object",
      properties: {
        query: {
          type: "string",
          minLength: 1,
          maxLength: 1_000,
          description: "A question or keywords",
        },
      },
      required: ["query"],
      additionalProperties: false,
    },
    run: async (args, { signal }) => {
      const { query } = args as { query: string }; // `as`: validated by the schema above
      const { hits, more } = await index.search(query, { limit: maxResults, signal });
      return { results: hits, more };
    },
  });
}

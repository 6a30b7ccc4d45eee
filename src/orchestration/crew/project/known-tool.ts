// What becomes of CrewAI's tools: they are Python and are not run. Where a built-in tool does the same, it is used; for the others
// there is a line that would start an MCP server with such a tool.

import type { ToolStub } from "./python-tool.ts";

/** A built-in tool in place of a Python one, or a place for one that is written anew. */
export type ToolUse = BuiltIn | ToolStub;

type BuiltIn =
  | { readonly type: "fetchUrl" }
  | { readonly type: "calculator" }
  | { readonly type: "readFile"; readonly root: string }
  | { readonly type: "searchDocs"; readonly folder: string };

/** What is known of a tool's class. */
export type KnownTool = {
  readonly use?: BuiltIn["type"] | undefined;
  /** Whether the one in place does all that the model can ask of the other. */
  readonly isSame?: boolean | undefined;
  /** What is different, or what would bring it. */
  readonly hint: string;
};

/** Each tool is given once. */
export function isSameTool(one: ToolUse, other: ToolUse): boolean {
  if (one.type === "stub" && other.type === "stub") return one.name === other.name;
  return one.type === other.type;
}

/** What is known of a class; undefined for one of the project's own. */
export function knownTool(name: string): KnownTool | undefined {
  return TOOLS.get(name);
}

/** The classes that are known, for the documentation. */
export function knownToolNames(): readonly string[] {
  return [...TOOLS.keys()];
}

const PAGE =
  "becomes fetch_url, which reads a page's text; what scripts add to a page is not there";
const FOLDER = "becomes read_file, which reads files and lists folders below the project's folder";
const DOCUMENTS =
  "becomes search_docs, which finds passages in .md, .txt, .html and .json files, by words and without embeddings";

const FILES = "npx -y @modelcontextprotocol/server-filesystem .";
const BROWSER = "npx -y @playwright/mcp";

/** Package names as npm has them; seen 2026-11-25. Keys of services come from the environment variable that is named. */
const TOOLS: ReadonlyMap<string, KnownTool> = new Map([
  ...all({ use: "fetchUrl", isSame: true, hint: PAGE }, ["ScrapeWebsiteTool", "URLReadTool"]),
  ...all({ use: "fetchUrl", hint: PAGE }, [
    "ScrapeElementFromWebsiteTool",
    "SeleniumScrapingTool",
    "JinaScrapeWebsiteTool",
    "SpiderTool",
    "ScrapflyScrapeWebsiteTool",
    "ScrapegraphScrapeTool",
    "SerperScrapeWebsiteTool",
    "FirecrawlScrapeWebsiteTool",
    "WebsiteSearchTool",
    "SerplyWebpageToMarkdownTool",
  ]),
  ...all({ use: "readFile", isSame: true, hint: FOLDER }, ["FileReadTool", "DirectoryReadTool"]),
  ...all({ use: "searchDocs", hint: DOCUMENTS }, [
    "DirectorySearchTool",
    "TXTSearchTool",
    "MDXSearchTool",
    "JSONSearchTool",
    "RagTool",
  ]),
  [
    "CalculatorTool",
    {
      use: "calculator",
      hint: "becomes calculator, which does arithmetic in place of the project's own class",
    },
  ],
  ["SerperDevTool", mcp("npx -y serper-search-scrape-mcp-server", "SERPER_API_KEY")],
  ...all(mcp("npx -y tavily-mcp", "TAVILY_API_KEY"), ["TavilySearchTool", "TavilyExtractorTool"]),
  ...all(mcp("npx -y @brave/brave-search-mcp-server", "BRAVE_API_KEY"), [
    "BraveSearchTool",
    "BraveWebSearchTool",
    "BraveNewsSearchTool",
  ]),
  ...all(mcp("npx -y exa-mcp-server", "EXA_API_KEY"), ["EXASearchTool", "ExaSearchTool"]),
  ["LinkupSearchTool", mcp("npx -y linkup-mcp-server", "LINKUP_API_KEY")],
  ...all(mcp("npx -y firecrawl-mcp", "FIRECRAWL_API_KEY"), [
    "FirecrawlCrawlWebsiteTool",
    "FirecrawlSearchTool",
  ]),
  ...all(mcp("npx -y @brightdata/mcp", "API_TOKEN"), [
    "BrightDataSearchTool",
    "BrightDataWebUnlockerTool",
    "BrightDataDatasetTool",
  ]),
  ["MongoDBVectorSearchTool", mcp("npx -y mongodb-mcp-server", "MDB_MCP_CONNECTION_STRING")],
  ["FileWriterTool", mcp(FILES)],
  ...all(mcp(BROWSER), ["StagehandTool", "BrowserbaseLoadTool", "HyperbrowserLoadTool"]),
]);

function all(tool: KnownTool, names: readonly string[]): readonly (readonly [string, KnownTool])[] {
  return names.map((name) => [name, tool] as const);
}

function mcp(command: string, key?: string): KnownTool {
  return {
    hint: `${command}${key === undefined ? "" : ` (needs ${key})`}`,
  };
}

// `bosun/tool`: tools of your own, and the built-in ones.

export { calculator } from "./orchestration/tool/calculator.ts";
export { fetchUrl } from "./orchestration/tool/fetch-url.ts";
export { readFile } from "./orchestration/tool/read-file.ts";
export { searchDocs } from "./orchestration/tool/search-docs.ts";
export {
  type OutputLimit,
  type Tool,
  tool,
  type ToolContext,
  type ToolOptions,
} from "./orchestration/tool/tool.ts";

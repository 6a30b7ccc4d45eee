// The JavaScript of the package: each entry of package.json's exports, what it shares in dist/chunks. A file of its own for each of 230
// modules costs whoever imports Bosun twice the time (docs/decisions/2026-11-26-bundle.md).

import { readFileSync } from "node:fs";

type Manifest = { readonly exports: Record<string, string | { readonly "bosun-source": string }> };

const manifest = JSON.parse(readFileSync("package.json", "utf8")) as Manifest; // `as`: this package's own
const sources = Object.values(manifest.exports).flatMap((entry) =>
  typeof entry === "string" ? [] : [entry["bosun-source"]],
);
const entries = [...sources, "./src/cli/bin.ts"].map((path) => [
  path.replace(/^\.\/src\/|\.ts$/g, ""),
  path,
]);

export default {
  input: {
    ...Object.fromEntries(entries),
    // Beside the chunk that starts it.
    "chunks/beat-thread": "src/orchestration/durable/sqlite/beat-thread.ts",
  },
  external: /^(?![./])/,
  platform: "node",
  output: { dir: "dist", format: "esm", chunkFileNames: "chunks/[name]-[hash].js" },
};

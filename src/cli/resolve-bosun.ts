// Makes `import … from "bosun"` in a user's files mean this very copy of Bosun, installed beside them or not, and lends them zod.
// Tells Node of files with `import` and `export` that they are modules, where no package.json says so: Node would find out too, with
// a warning on every run.
//
// One copy matters: a crew's errors and events are then of the same classes and types as the command's, and a checkout needs no build.

import { readFileSync } from "node:fs";
import { registerHooks, type ResolveFnOutput } from "node:module";
import { fileURLToPath } from "node:url";

let isRegistered = false;

/** Registers the resolution for all files that are loaded from now on. A second call does nothing. */
export function resolveBosunHere(): void {
  if (isRegistered) return;
  isRegistered = true;
  registerHooks({
    resolve(specifier, context, next) {
      // Resolved as if this file had asked: the package finds itself by its own exports.
      const here = (conditions: readonly string[]): ResolveFnOutput =>
        next(specifier, { ...context, parentURL: import.meta.url, conditions: [...conditions] });
      if (specifier === "bosun" || specifier.startsWith("bosun/"))
        return here([...SOURCE, ...(context.conditions ?? [])]);
      try {
        return withFormat(next(specifier, context));
      } catch (error) {
        if (specifier !== "zod" && !specifier.startsWith("zod/")) throw error;
        return here(context.conditions ?? []); // theirs is not installed
      }
    },
  });
}

/** In a checkout this file is TypeScript, and so is what it resolves to. */
const SOURCE: readonly string[] = import.meta.url.endsWith(".ts") ? ["bosun-source"] : [];

/** The resolution with the format of a file that no package.json tells. */
function withFormat(resolved: ResolveFnOutput): ResolveFnOutput {
  const { url, format } = resolved;
  if (format || !/^file:.*\.[jt]s$/.test(url)) return resolved;
  if (!MODULE_SYNTAX.test(readFileSync(fileURLToPath(url), "utf8"))) return resolved;
  return { ...resolved, format: url.endsWith(".ts") ? "module-typescript" : "module" };
}

/** A line that begins with import or export; what is no module and has one all the same fails with or without this. */
const MODULE_SYNTAX = /^\s*(?:import\b(?!\s*\()|export\b)/m;

// Makes `import … from "bosun"` in a user's files mean this very copy of Bosun, installed beside them or not, and lends them zod.
//
// One copy matters: a crew's errors and events are then of the same classes and types as the command's, and a checkout needs no build.

import { registerHooks, type ResolveFnOutput } from "node:module";

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
      if (specifier !== "zod" && !specifier.startsWith("zod/")) return next(specifier, context);
      try {
        return next(specifier, context);
      } catch {
        return here(context.conditions ?? []); // theirs is not installed; when ours is not there either, this says so
      }
    },
  });
}

/** In a checkout this file is TypeScript, and so is what it resolves to. */
const SOURCE: readonly string[] = import.meta.url.endsWith(".ts") ? ["bosun-source"] : [];

// A call's prompt as lines: each part with its estimated tokens, then its text. Pure.

import type { RunEvent } from "../orchestration/run/event.ts";
import { type Paint, plain } from "./paint.ts";
import { tokens } from "./number.ts";
import { oneLine, printable } from "./width.ts";

type PromptEvent = Extract<RunEvent, { readonly type: "model-prompt" }>;

/** The lines of one prompt. */
export function promptLines(event: PromptEvent, paint: Paint = plain): readonly string[] {
  const total = event.parts.reduce((sum, part) => sum + part.tokens, 0);
  const where = `${event.agent}, ${event.path.join(" / ")}`;
  return [
    paint("bold", `prompt of ${oneLine(where)}: ${tokens(total, "estimated")} tokens`),
    ...event.parts.flatMap(({ part, tokens: some, text }) => [
      paint("cyan", `  ${oneLine(part)} (${tokens(some, "estimated")} tokens)`),
      ...printable(text)
        .split("\n")
        .map((line) => `    ${line}`.trimEnd()),
    ]),
  ];
}

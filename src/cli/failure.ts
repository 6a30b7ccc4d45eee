// What is printed for an error, and the exit code that it means. Pure.

import { inspect } from "node:util";
import { type ErrorData, isBosunError, messageOf } from "../error.ts";
import { oneLine } from "./width.ts";

/** Exit codes of the command. */
export const EXIT = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** `Error [code] message`, one paragraph without a stack trace; the stack follows only when `debug` asks for it. */
export function failureText(error: unknown, debug: boolean): string {
  const code = isBosunError(error) ? error.code : "unexpected";
  const message = messageOf(error);
  const isForeseen = isBosunError(error) || debug;
  const text = errorText({ code, message: isForeseen ? message : `${stopped(message)}${ADVICE}` });
  return debug ? `${text}\n${inspect(error)}` : text; // with the stacks of its causes
}

const ADVICE = " Set BOSUN_DEBUG=1 to see where it comes from.";

/** As a sentence that another one can follow. */
function stopped(message: string): string {
  const text = message.trimEnd();
  return text === "" || /[.!?]$/.test(text) ? text : `${text}.`;
}

/** The same for an error that came as data. */
export function errorText(error: Pick<ErrorData, "message"> & { readonly code: string }): string {
  return `Error [${error.code}] ${oneLine(error.message)}`;
}

/** The exit code of an error: 2 for what the user wrote, 130 for a cancelled run, else 1. */
export function exitCodeOf(error: unknown): number {
  return isBosunError(error) ? exitCodeOfCode(error.code) : EXIT.failed;
}

/** The same by the error's code. */
export function exitCodeOfCode(code: ErrorData["code"]): number {
  const isWritten = USAGE_CODES.has(code) || WRITTEN.some((kind) => code.startsWith(kind));
  return isWritten ? EXIT.usage : EXIT.failed;
}

/** Kinds of codes that are all about what the user wrote. */
const WRITTEN: readonly string[] = ["crew/", "schema/", "fleet/"];

/** Codes that say that the command line, the surroundings or a definition must be changed. */
const USAGE_CODES: ReadonlySet<string> = new Set([
  "usage",
  "config/invalid",
  "flow/invalid",
  "model/unknown",
  "run/unknown",
  "run/ended",
  "run/changed",
  "run/version",
  "tool/invalid",
]);

// Hints as HTTP headers, both ways: what a crew knows of a call, on its way to a Bosun gateway. Pure.
//
// Texts are percent-encoded, so that any name fits into a header. What is sent is cut to what is read: a long name is no refusal.

import { BosunError } from "../../error.ts";
import type { ModelHints, Purpose } from "./model.ts";

/** The headers of each hint; the first is ours and is sent, the others are read too. */
const NAMES = {
  runId: ["x-bosun-run-id", "x-session-id"],
  path: ["x-bosun-path"],
  agent: ["x-bosun-agent"],
  task: ["x-bosun-task"],
  purpose: ["x-bosun-purpose"],
  tenant: ["x-bosun-tenant", "x-llm-d-inference-fairness-id"],
  priority: ["x-bosun-priority", "x-vllm-priority"],
  // What is left, not a time of day: two machines have two clocks.
  deadline: ["x-bosun-deadline-ms"],
  remainingCalls: ["x-bosun-remaining-calls"],
  remainingTokens: ["x-bosun-remaining-tokens"],
  expectedTokens: ["x-bosun-expected-tokens"],
} as const;

/** Characters of a name before it is encoded, steps of a path, and characters of a header; all of them fit into Node's 16 KiB. */
const MAX_TEXT = 128;
const MAX_STEPS = 16;
const MAX_HEADER = 2_048;
/** Largest count, and milliseconds until a deadline: 115 days. */
const MAX_COUNT = 1_000_000_000;
const MAX_DEADLINE_MS = 10_000_000_000;
const MAX_PRIORITY = 1_000_000;

const PURPOSES: Readonly<Record<Purpose, true>> = {
  work: true,
  final: true,
  repair: true,
  manage: true,
  guardrail: true,
  plan: true,
  summary: true,
};

/** The headers that say what is known of a call. @param now Clock.now(). */
export function toHintHeaders(hints: ModelHints, now: number): Readonly<Record<string, string>> {
  const { runId, path, agent, task, purpose, tenant, priority, deadlineAt } = hints;
  const { remainingCalls, remainingTokens, expectedTokens } = hints;
  const headers: Record<string, string> = {};
  const put = (name: keyof typeof NAMES, value: string | undefined): void => {
    if (value !== undefined && value !== "") headers[NAMES[name][0]] = value;
  };
  put("runId", toText(runId));
  put("path", toPathText(path));
  put("agent", toText(agent));
  put("task", toText(task));
  put("purpose", purpose);
  put("tenant", toText(tenant));
  put("priority", priority === undefined ? undefined : toPriorityText(priority));
  put("deadline", toNumber(deadlineAt && deadlineAt - now, MAX_DEADLINE_MS));
  put("remainingCalls", toNumber(remainingCalls));
  put("remainingTokens", toNumber(remainingTokens));
  put("expectedTokens", toNumber(expectedTokens));
  return headers;
}

/**
 * The hints that headers say.
 * @param read a header's value by its name in small letters.
 * @throws BosunError `server/bad-request` that names the first header that is wrong.
 */
export function fromHintHeaders(
  read: (name: string) => string | null | undefined,
  now: number,
): Partial<ModelHints> {
  const find = <T>(
    hint: keyof typeof NAMES,
    parse: (text: string) => T | undefined,
    expected: string,
  ): T | undefined => {
    for (const name of NAMES[hint]) {
      const text = read(name)?.trim();
      if (!text) continue;
      const value = text.length > MAX_HEADER ? undefined : parse(text);
      if (value === undefined) throw badHeader(name, expected);
      return value;
    }
    return undefined;
  };
  const count = `a whole number from 0 to ${MAX_COUNT}`;
  const deadlineMs = find("deadline", toCount(MAX_DEADLINE_MS), "milliseconds from now, 0 or more");
  const said = {
    runId: find("runId", fromText, TEXT),
    path: find("path", fromPathText, "at most 16 percent-encoded steps with / between them"),
    agent: find("agent", fromText, TEXT),
    task: find("task", fromText, TEXT),
    purpose: find("purpose", toPurpose, `one of ${Object.keys(PURPOSES).join(", ")}`),
    tenant: find("tenant", fromText, TEXT),
    priority: find("priority", toPriority, "a number from -1000000 to 1000000"),
    deadlineAt: deadlineMs === undefined ? undefined : now + deadlineMs,
    remainingCalls: find("remainingCalls", toCount(MAX_COUNT), count),
    remainingTokens: find("remainingTokens", toCount(MAX_COUNT), count),
    expectedTokens: find("expectedTokens", toCount(MAX_COUNT), count),
  };
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
}

const TEXT = `a percent-encoded text of at most ${MAX_TEXT} characters`;

/** Cut between whole characters: half of one cannot be encoded. */
function toText(text: string | undefined): string | undefined {
  return text === undefined ? undefined : encodeURIComponent(cut(text));
}

function cut(text: string): string {
  const short = text.slice(0, MAX_TEXT);
  return (/[\uD800-\uDBFF]$/.test(short) ? short.slice(0, -1) : short).toWellFormed();
}

function fromText(text: string): string | undefined {
  try {
    const value = decodeURIComponent(text);
    return value.length <= MAX_TEXT && value !== "" ? value : undefined;
  } catch {
    return undefined; // the caller names the header
  }
}

/** The last steps say the most; those that do not fit any more are left out. */
function toPathText(path: readonly string[]): string {
  const steps = path.slice(-MAX_STEPS).map((step) => encodeURIComponent(cut(step)));
  while (steps.join("/").length > MAX_HEADER) steps.shift();
  return steps.join("/");
}

function fromPathText(text: string): readonly string[] | undefined {
  const steps = text.split("/").map(fromText);
  const whole = steps.filter((step) => step !== undefined);
  return whole.length === steps.length && steps.length <= MAX_STEPS ? whole : undefined;
}

function toNumber(value: number | undefined, most: number = MAX_COUNT): string | undefined {
  if (value === undefined || Number.isNaN(value)) return undefined;
  return String(Math.round(Math.min(most, Math.max(0, value))));
}

function toCount(most: number): (text: string) => number | undefined {
  return (text) => (/^\d{1,11}$/.test(text) && Number(text) <= most ? Number(text) : undefined);
}

function toPriorityText(priority: number): string | undefined {
  if (Number.isNaN(priority)) return undefined;
  const bounded = Math.min(MAX_PRIORITY, Math.max(-MAX_PRIORITY, priority));
  return String(Number(bounded.toFixed(6)));
}

function toPriority(text: string): number | undefined {
  const isNumber = /^[+-]?\d{1,7}(\.\d{1,9})?$/.test(text);
  return isNumber && Math.abs(Number(text)) <= MAX_PRIORITY ? Number(text) : undefined;
}

function toPurpose(text: string): Purpose | undefined {
  return Object.hasOwn(PURPOSES, text) ? (text as Purpose) : undefined; // `as`: one of its keys
}

function badHeader(name: string, expected: string): BosunError {
  return new BosunError("server/bad-request", `the header ${name} must be ${expected}`, {
    details: { param: name },
  });
}

// What `bosun doctor` asks a model: one tiny call, a stream, a tool, a schema.

import type { Clock } from "../clock.ts";
import type { ModelRef } from "../inference/model/endpoint.ts";
import type { Model, ModelEvent, ModelRequest, Reply } from "../inference/model/model.ts";
import { BosunError, isBosunError } from "../error.ts";
import { checkOutput } from "../orchestration/run/output.ts";
import type { Check, Finding } from "./check.ts";
import { LEAST_WRITING_MS } from "./live.ts";
import { duration, speed, tokens } from "./number.ts";
import { oneLine } from "./width.ts";

/** What is checked. */
export type Checked = { readonly model: Model; readonly ref: ModelRef; readonly clock: Clock };

/** The checks of a model that answers. */
export function modelChecks(checked: Checked): readonly Check[] {
  const needs = [TINY_CALL];
  return [
    {
      name: TINY_CALL,
      needs: ["endpoint reachable", "model served"],
      find: (signal) => tinyCall(checked, signal),
    },
    { name: "streaming", needs, find: (signal) => streaming(checked, signal), advice: noStream },
    { name: "tool calling", needs, find: (signal) => toolCalling(checked, signal) },
    { name: "structured output", needs, find: (signal) => structured(checked, signal) },
  ];
}

const TINY_CALL = "one tiny call";

async function tinyCall(checked: Checked, signal: AbortSignal): Promise<Finding> {
  const { reply } = await ask(
    checked,
    { messages: say("Answer with one word: ready?"), stream: false, maxTokens: 64 },
    signal,
  );
  const { usage, timings, finish } = reply;
  const said = oneLine(reply.text).slice(0, 40);
  const isSilent = said === "" && reply.reasoning === "";
  return {
    status: isSilent ? "failed" : "ok",
    detail: isSilent
      ? `it answered without text (finish: ${finish.raw || "none"})`
      : `${tokens(usage.input.total, usage.source)} tokens in, ${tokens(usage.output.total, usage.source)} out, ${duration(timings.totalMs)}`,
    ...(usage.source === "estimated" && !isEmbedded(reply)
      ? { next: "the server counts no tokens: usage and cost will be estimates" }
      : {}),
  };
}

async function streaming(checked: Checked, signal: AbortSignal): Promise<Finding> {
  const request = { messages: say("Count from one to ten in words."), maxTokens: 128 };
  const { reply, events } = await ask(checked, request, signal);
  const deltas = events.filter(({ type }) => type === "text-delta" || type === "reasoning-delta");
  if (deltas.length === 0)
    return { status: "failed", detail: "the stream had no tokens", next: NO_STREAM };
  const { firstTokenMs, totalMs, queueMs } = reply.timings;
  const writingMs = firstTokenMs === undefined ? 0 : totalMs - queueMs - firstTokenMs;
  const perSecond =
    writingMs >= LEAST_WRITING_MS
      ? `, ${speed((reply.usage.output.total / writingMs) * 1_000)}`
      : "";
  return { status: "ok", detail: `first token after ${duration(firstTokenMs)}${perSecond}` };
}

const NO_STREAM = "for a server that cannot stream write endpoint({ url, stream: false })";

function noStream(error: unknown): string | undefined {
  const isBroken = isBosunError(error) && ["model/protocol", "model/cut"].includes(error.code);
  return isBroken ? NO_STREAM : undefined;
}

const WEATHER_TOOL = {
  name: "get_weather",
  description: "Gets the weather of a city.",
  parameters: {
    type: "object",
    properties: { city: { type: "string", description: "The city's name" } },
    required: ["city"],
  },
};

async function toolCalling(checked: Checked, signal: AbortSignal): Promise<Finding> {
  const messages = say("What is the weather in Paris? Call the tool get_weather.");
  const { reply, isAdapted } = await ask(
    checked,
    { messages, tools: [WEATHER_TOOL], maxTokens: 512 },
    signal,
  );
  const isCalled = reply.calls.some(({ tool }) => tool === WEATHER_TOOL.name);
  const next = toolAdvice(checked.ref);
  if (!isCalled)
    return {
      status: "failed",
      detail: "the model did not call the tool that it was told to",
      next,
    };
  if (!isAdapted) return { status: "ok", detail: "native" };
  return { status: "ok", detail: "by text: the server has no tool calling of its own", next };
}

/** The parsers' names are those of vLLM. Source: docs.vllm.ai, "Tool Calling", read 2026-11. */
function toolAdvice(ref: ModelRef): string {
  const dialect = typeof ref === "string" ? undefined : ref.dialect;
  if (dialect === "llama.cpp") return "start llama-server with --jinja";
  if (dialect === "sglang") return "start SGLang with --tool-call-parser NAME";
  return "start vLLM with --enable-auto-tool-choice --tool-call-parser NAME: hermes for Qwen 2.5 and 3, llama3_json for Llama 3, mistral for Mistral";
}

const CITY_SCHEMA = {
  type: "object",
  properties: { city: { type: "string" }, country: { type: "string" } },
  required: ["city", "country"],
  additionalProperties: false,
};

async function structured(checked: Checked, signal: AbortSignal): Promise<Finding> {
  const messages = say(
    "# Context\n## places\nThe city of the meeting is Paris, and the talks take three days. " +
      "The country of the meeting is France, which lies in western Europe.\n\n" +
      "# Task\nName the city and the country of the meeting.\n\n# Expected output\n" +
      `JSON only, by this JSON Schema: ${JSON.stringify(CITY_SCHEMA)}`,
  );
  const output = { name: "place", schema: CITY_SCHEMA };
  const { reply, isAdapted } = await ask(checked, { messages, output, maxTokens: 512 }, signal);
  const check = await checkOutput(reply.text, CITY_SCHEMA);
  if (check.type === "valid")
    return {
      status: "ok",
      detail: isAdapted ? "by the prompt: the server forces no schema" : "native",
    };
  const cut =
    reply.finish.unified === "length"
      ? " (cut at maxTokens: a thinking model? set thinking: false)"
      : "";
  return {
    status: "failed",
    detail: `the answer does not fit its schema: ${check.issues.join("; ")}${cut}`,
    next: "use a larger model, or a server that forces schemas (vLLM does by itself)",
  };
}

type Question = Pick<ModelRequest, "messages" | "tools" | "output" | "stream"> & {
  readonly maxTokens: number;
};

type Answer = {
  readonly reply: Reply;
  readonly events: readonly ModelEvent[];
  /** True when the request had to be spelled anew for a server that cannot do it by itself. */
  readonly isAdapted: boolean;
};

async function ask(checked: Checked, question: Question, signal: AbortSignal): Promise<Answer> {
  const { maxTokens, ...asked } = question;
  const request: ModelRequest = {
    ...asked,
    models: [checked.ref],
    settings: { maxTokens },
    hints: {
      runId: "doctor",
      path: ["doctor"],
      purpose: "work",
      remainingCalls: undefined,
    },
  };
  const events = await Array.fromAsync(checked.model.call(request, signal));
  const end = events.at(-1);
  if (end?.type !== "end") throw new BosunError("model/cut", "the model's events had no end");
  const { type: _, ...reply } = end;
  const isAdapted = events.some(
    (event) => event.type === "retry" && event.code === "model/bad-request",
  );
  return { reply, events, isAdapted };
}

function say(content: string): ModelRequest["messages"] {
  return [{ role: "user", content }];
}

function isEmbedded({ endpoint }: Reply): boolean {
  return endpoint === "embedded";
}

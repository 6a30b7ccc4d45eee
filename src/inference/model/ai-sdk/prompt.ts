// A conversation, between Bosun's messages and the AI SDK's prompt. Pure.

import type {
  LanguageModelV4Message,
  LanguageModelV4Prompt,
  LanguageModelV4ToolCallPart,
  LanguageModelV4ToolResultPart,
} from "@ai-sdk/provider";
import { BosunError } from "../../../error.ts";
import { isJson, isObject, parseJson } from "../../../json.ts";
import type { Message, ToolCall } from "../message.ts";
import { definedIn } from "./spec.ts";
import type { TurnMemory } from "./turn-memory.ts";

/** The prompt of the messages. Results that follow each other stand in one message, as the AI SDK itself writes them. */
export function toPrompt(messages: readonly Message[], turns: TurnMemory): LanguageModelV4Prompt {
  const prompt: LanguageModelV4Prompt = [];
  for (const message of messages) {
    const last = prompt.at(-1);
    if (message.role === "tool" && last?.role === "tool") last.content.push(toResult(message));
    else prompt.push(toSdkMessage(message, turns));
  }
  return prompt;
}

function toSdkMessage(message: Message, turns: TurnMemory): LanguageModelV4Message {
  switch (message.role) {
    case "system":
      return { role: "system", content: message.content };
    case "user":
      return { role: "user", content: [{ type: "text", text: message.content }] };
    case "tool":
      return { role: "tool", content: [toResult(message)] };
    case "assistant": {
      const { content, calls = [] } = message;
      const turn = turns.find(calls[0]);
      const text = definedIn({ type: "text" as const, text: content, providerOptions: turn?.text });
      const called = calls.map((call) =>
        definedIn<LanguageModelV4ToolCallPart>({
          type: "tool-call",
          toolCallId: call.id,
          toolName: call.tool,
          input: inputOf(call),
          providerExecuted: undefined,
          providerOptions: turn?.calls.get(call.id),
        }),
      );
      const said = content === "" ? [] : [text];
      return { role: "assistant", content: [...(turn?.reasoning ?? []), ...said, ...called] };
    }
    default:
      return message satisfies never;
  }
}

/** The arguments as an object, which is all that providers take. A text that is none stays readable for the model that wrote it. */
function inputOf({ arguments: text }: ToolCall): unknown {
  const input = text.trim() === "" ? {} : parseJson(text);
  return isObject(input) ? input : { arguments: text };
}

function toResult({
  callId,
  tool,
  content,
}: Extract<Message, { readonly role: "tool" }>): LanguageModelV4ToolResultPart {
  const output = { type: "text" as const, value: content };
  return { type: "tool-result", toolCallId: callId, toolName: tool, output };
}

/**
 * The messages of a prompt. Earlier reasoning is left out, as servers do not want it back; so are approvals and parts that only their
 * own provider understands.
 * @throws BosunError `model/bad-request` for images and files.
 */
export function fromPrompt(prompt: LanguageModelV4Prompt): Message[] {
  return prompt.flatMap((message): Message[] => {
    switch (message.role) {
      case "system":
        return [{ role: "system", content: message.content }];
      case "user":
        return [{ role: "user", content: textOf(message.content, "\n") }];
      case "assistant": {
        const content = textOf(message.content, "");
        const calls = message.content.filter(isCall).map(fromCall);
        const said: Message = {
          role: "assistant",
          content,
          ...(calls.length > 0 ? { calls } : {}),
        };
        return [said, ...message.content.filter(isResult).map(fromResult)];
      }
      case "tool":
        return message.content.filter(isResult).map(fromResult);
      default:
        return message satisfies never;
    }
  });
}

type AssistantPart = Extract<LanguageModelV4Message, { role: "assistant" }>["content"][number];
type ToolPart = Extract<LanguageModelV4Message, { role: "tool" }>["content"][number];

function isCall(part: AssistantPart): part is LanguageModelV4ToolCallPart {
  return part.type === "tool-call";
}

function isResult(part: AssistantPart | ToolPart): part is LanguageModelV4ToolResultPart {
  return part.type === "tool-result";
}

function textOf(
  parts: readonly { readonly type: string; readonly text?: string }[],
  between: string,
): string {
  refuseFiles(parts);
  const texts = parts.filter(({ type }) => type === "text");
  return texts.map(({ text }) => text ?? "").join(between);
}

/** A text is what the model wrote where it was no JSON. */
function fromCall({ toolCallId, toolName, input }: LanguageModelV4ToolCallPart): ToolCall {
  const said = typeof input === "string" ? input : JSON.stringify(input ?? {});
  return { id: toolCallId, tool: toolName, arguments: said };
}

function fromResult({ toolCallId, toolName, output }: LanguageModelV4ToolResultPart): Message {
  return { role: "tool", content: outputText(output), callId: toolCallId, tool: toolName };
}

function outputText(output: LanguageModelV4ToolResultPart["output"]): string {
  switch (output.type) {
    case "text":
    case "error-text":
      return output.value;
    case "json":
    case "error-json":
      return isJson(output.value) ? JSON.stringify(output.value) : "";
    case "execution-denied":
      return output.reason ?? "the call of this tool was denied";
    case "content":
      return textOf(output.value, "\n");
    default:
      return output satisfies never;
  }
}

function refuseFiles(
  parts: readonly { readonly type: string; readonly mediaType?: string }[],
): void {
  const file = parts.find(({ type }) => FILES.has(type));
  if (!file) return;
  throw new BosunError(
    "model/bad-request",
    `toAiSdk: the prompt holds a file${file.mediaType ? ` (${file.mediaType.slice(0, 100)})` : ""}, but Bosun's models take text only. Send its text instead`,
  );
}

const FILES: ReadonlySet<string> = new Set(["file", "reasoning-file"]);

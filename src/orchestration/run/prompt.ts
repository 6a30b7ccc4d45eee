// Every text that Bosun itself says to a model, and the order of a prompt's parts. Pure.
//
// The order is for the server's prefix cache: what many calls share comes first. System text and tools are the same for all tasks
// of an agent, the context for all tasks that see it, the task's own text comes last, turns follow.

import type { Message, ToolSpec } from "../../inference/model/message.ts";
import { estimateMessage, estimateTokens, estimateTool } from "../../inference/model/tokens.ts";
import type { JsonObject } from "../../json.ts";
import type { Agent } from "../crew/agent.ts";
import { fillPlaceholders, type Inputs } from "../crew/input.ts";
import type { Task } from "../crew/task.ts";
import type { PromptPart } from "./event.ts";

/** An earlier output that a task sees. */
export type Section = { readonly name: string; readonly text: string };

/** A conversation in its parts, until it becomes messages at the model's door. */
export type Conversation = {
  readonly system: string;
  readonly sections: readonly Section[];
  readonly task: string;
  /** What was said since: answers, tool results, requests to mend. */
  readonly turns: readonly Message[];
};

/** Asks for the answer when an agent has no turn left. */
export const FINAL_ANSWER =
  "You have no tool calls left. Give your best final answer now, from what you have.";

/** Asks again after an empty answer. */
export const EMPTY_ANSWER = "Your answer was empty. Give your final answer now.";

/** Asks for an answer that fits its schema. */
export function repairText(issues: readonly string[]): string {
  return `Your answer does not fit the output format:\n${issues.map((issue) => `- ${issue}`).join("\n")}\nAnswer again with the corrected JSON only.`;
}

/** The first messages of a task: who the agent is, what it sees, what it does. */
export function startConversation(
  task: Task,
  agent: Agent,
  inputs: Inputs,
  options: { readonly sections: readonly Section[]; readonly schema: JsonObject | undefined },
): Conversation {
  const fill = (text: string): string => fillPlaceholders(text, inputs, `task "${task.name}"`);
  const system = [
    `You are ${fill(agent.role)}.`,
    `Goal: ${fill(agent.goal)}`,
    fill(agent.backstory),
  ]
    .filter(Boolean)
    .join("\n");
  const format = options.schema
    ? `\n\n# Output format\nAnswer with JSON only. It must fit this JSON Schema:\n${JSON.stringify(options.schema)}`
    : "";
  const text = `# Task\n${fill(task.description)}\n\n# Expected output\n${fill(task.expectedOutput)}${format}`;
  return { system, sections: options.sections, task: text, turns: [] };
}

/** The messages that are sent. */
export function toMessages(conversation: Conversation): readonly Message[] {
  const { system, sections, task, turns } = conversation;
  const context = sections.map(toSectionText).join("\n\n");
  const content = context ? `# Context\n${context}\n\n${task}` : task;
  return [{ role: "system", content: system }, { role: "user", content }, ...turns];
}

/** A call's prompt by part, with estimated tokens; each part counts the frame that its message has. */
export function toPromptParts(
  conversation: Conversation,
  tools: readonly ToolSpec[],
): readonly PromptPart[] {
  const { system, sections, task, turns } = conversation;
  return [
    part("system", system, estimateMessage({ role: "system", content: system })),
    ...tools.map((tool) =>
      part(
        `tool:${tool.name}`,
        `${tool.description}\n${JSON.stringify(tool.parameters)}`,
        estimateTool(tool),
      ),
    ),
    ...sections.map((section) => part(`context:${section.name}`, toSectionText(section))),
    part("task", task, estimateMessage({ role: "user", content: task })),
    ...turns.map((message, index) =>
      part(`turn:${index}:${message.role}`, shown(message), estimateMessage(message)),
    ),
  ];
}

function toSectionText({ name, text }: Section): string {
  return `## ${name}\n${text}`;
}

function part(name: string, text: string, tokens: number = estimateTokens(text)): PromptPart {
  return { part: name, tokens, text };
}

function shown(message: Message): string {
  const calls = message.role === "assistant" ? (message.calls ?? []) : [];
  return [message.content, ...calls.map((call) => `${call.tool}(${call.arguments})`)]
    .filter(Boolean)
    .join("\n");
}

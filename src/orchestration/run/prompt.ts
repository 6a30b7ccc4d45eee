// Every text that Bosun itself says to a model, and the order of a prompt's parts. Pure.
//
// The order is for the server's prefix cache: what many calls share comes first. System text and tools are the same for all tasks
// of an agent, the context for all tasks that see it, the task's own text comes last, turns follow.

import type { Message, ToolSpec } from "../../inference/model/message.ts";
import { estimateMessage, estimateTokens, estimateTool } from "../../inference/model/tokens.ts";
import type { JsonObject } from "../../json.ts";
import type { Agent } from "../crew/agent.ts";
import { fillPlaceholders, type Inputs } from "../crew/input.ts";
import type { DelegationKind, PromptPart } from "./event.ts";
import type { Team } from "./team.ts";

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

/** Asks for an answer that a guardrail accepts. */
export function refusedText(reason: string): string {
  return `Your answer was not accepted:\n${reason}\nGive the corrected answer, whole.`;
}

/** Asks for an answer that a person accepts. */
export function rejectedText(reason: string): string {
  return `A person read your answer and rejects it:\n${reason}\nGive a new answer, whole.`;
}

/** What a conversation starts with, all of it filled in. */
export type Opening = {
  readonly agent: Agent;
  readonly inputs: Inputs;
  readonly team: Team | undefined;
  readonly sections: readonly Section[];
  readonly description: string;
  readonly expectedOutput: string;
  readonly schema: JsonObject | undefined;
};

/** The first messages of a piece of work: who the agent is, what it sees, what it does. */
export function startConversation(opening: Opening): Conversation {
  const { sections, description, expectedOutput, schema } = opening;
  const format = schema
    ? `\n\n# Output format\nAnswer with JSON only. It must fit this JSON Schema:\n${JSON.stringify(schema)}`
    : "";
  const task = `# Task\n${description}\n\n# Expected output\n${expectedOutput}${format}`;
  return { system: systemText(opening), sections, task, turns: [] };
}

function systemText({ agent, inputs, team }: Opening): string {
  const fill = (text: string): string => fillPlaceholders(text, inputs, `agent "${agent.name}"`);
  const { role, goal, backstory } = agent;
  const lines = [`You are ${fill(role)}.`, `Goal: ${fill(goal)}`, fill(backstory)];
  return [...lines, team ? teamText(team) : ""].filter(Boolean).join("\n");
}

function teamText({ members, isLed, maxDelegations }: Team): string {
  const people = members.map(({ name, goal }) => `- ${name}: ${goal}`).join("\n");
  const bound = `They see only what you write to them, so put in everything that they need. You can give away ${maxDelegations} pieces at most.`;
  if (!isLed)
    return `Your coworkers:\n${people}\nAsk them, or delegate work to them, only for what they do better than you. ${bound}`;
  return (
    `You lead this crew:\n${people}\n` +
    `Split the task, and give its pieces to those who do them best with delegate_work; calls of one turn are done at once. ${bound} ` +
    "Check what comes back. Send a result that is not good enough back with send_back and your reasons. " +
    "When you have what the task needs, write the final answer yourself."
  );
}

/** What an agent is asked that gets a piece of somebody's work. */
export function delegatedOpening(input: {
  readonly kind: DelegationKind;
  readonly text: string;
  readonly reasons: string | undefined;
}): Pick<Opening, "description" | "expectedOutput"> {
  const { kind, text, reasons } = input;
  const again =
    reasons === undefined ? "" : `\n\nYour earlier answer was sent back to you:\n${reasons}`;
  const expectedOutput =
    kind === "ask"
      ? "An answer to the question, complete and to the point."
      : "The result of this piece of work, complete, so that whoever gave it to you can use it as it is.";
  return { description: text + again, expectedOutput };
}

/** What a coworker brought, as the agent reads it that asked. */
export function resultText(id: string, from: string, raw: string): string {
  return `[${id}] ${from} answers:\n${raw}`;
}

/** The name of a section with an answer that was sent back. */
export const EARLIER_SECTION = "your earlier answer";
/** The name of a section with the plan; no task can have it. */
export const PLAN_SECTION = "plan for this task";
/** The name of a section with a conversation's earlier turns; no task can have it. */
export const SESSION_SECTION = "conversation so far";

/** Asks whether an answer meets criteria. */
export function judgeConversation(criteria: string, answer: string): Conversation {
  return {
    system:
      "You check answers against criteria. Be strict about the criteria and about nothing else.",
    sections: [], // the answer is never cut: a judge must see all of it
    task:
      `# Answer\n${answer}\n\n# Task\nDoes the answer above meet these criteria?\n${criteria}\n\n` +
      `# Output format\nAnswer with JSON only: {"ok": true} when it does, else {"ok": false, "reason": "what to change"}.`,
    turns: [],
  };
}

/** Most characters of the work that a summary's maker is told about. */
const MAX_WORK = 1_000;
/** Words of a text for each token that its answer may have, a little fewer than fit. */
const WORDS_PER_TOKEN = 0.6;

/** Asks for the summary of a text, or of a part of one. */
export function summaryConversation(summary: {
  readonly text: string;
  readonly what: string;
  readonly work: string;
  readonly piece: { readonly index: number; readonly of: number };
  readonly maxTokens: number;
}): Conversation {
  const { text, what, work, piece, maxTokens } = summary;
  const name = piece.of === 1 ? what : `part ${piece.index + 1} of ${piece.of} of ${what}`;
  return {
    system:
      "You shorten texts for somebody who cannot read them whole. Keep names, numbers, dates and amounts, and what contradicts something else. Add nothing.",
    sections: [{ name, text }],
    task:
      `# Task\nWrite a summary of the text above. It is for this work:\n${work.slice(0, MAX_WORK)}\n\n` +
      `# Expected output\nAt most ${Math.floor(maxTokens * WORDS_PER_TOKEN)} words: first what matters for that work, then the rest.`,
    turns: [],
  };
}

/** Asks for a plan of a crew's tasks. */
export function planConversation(tasks: readonly PlannedTask[]): Conversation {
  const list = tasks.map(
    ({ name, agent, description, expectedOutput }) =>
      `## ${name}\nDone by: ${agent}\n${description}\nExpected output: ${expectedOutput}`,
  );
  return {
    system: "You plan the work of a crew before it begins.",
    sections: [],
    task:
      `# Tasks\n${list.join("\n\n")}\n\n` +
      "# Task\nWrite for each task a short plan: the steps to take, in order, and what to hand to the tasks after it. Do not do the tasks.\n\n" +
      '# Output format\nAnswer with JSON only: {"plans": [{"task": "its name", "plan": "…"}, …]}.',
    turns: [],
  };
}

/** A task as a plan's maker sees it. */
export type PlannedTask = {
  readonly name: string;
  readonly agent: string;
  readonly description: string;
  readonly expectedOutput: string;
};

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

/** The same for messages that are no conversation any more: a hook has changed them. */
export function toMessageParts(
  messages: readonly Message[],
  tools: readonly ToolSpec[],
): readonly PromptPart[] {
  const [, ...toolParts] = toPromptParts({ system: "", sections: [], task: "", turns: [] }, tools);
  const told = messages.map((message, index) =>
    part(`message:${index}:${message.role}`, shown(message), estimateMessage(message)),
  );
  return [...toolParts.slice(0, -1), ...told];
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

// What a conversation asks for: who answers, what is wanted, and what there is to answer from.
//
// Reads the prompts of Bosun's agents ("# Context", "# Task", "# Expected output") and, less exactly, any other chat.

import { isObject, type JsonObject, parseJson } from "../../../json.ts";
import type { Message, ToolCall } from "../../model/message.ts";

/** A text that came with the task: an earlier task's output, a document. */
export type Section = { readonly name: string; readonly text: string };

/** What a tool answered. */
export type ToolResult = { readonly tool: string; readonly content: string };

/** One piece of work, read from a conversation. Unknown parts are "". */
export type Assignment = {
  readonly role: string;
  readonly goal: string;
  readonly task: string;
  readonly expected: string;
  /** A JSON Schema that the prompt states in words, under "# Output format". */
  readonly schema: JsonObject | undefined;
  /** What the user said after the task: a wish to mend, a call for the final answer. */
  readonly followUp: string;
  readonly sections: readonly Section[];
  /** Calls made for this task, and what came of them. `turn` counts the answers of the conversation, from 1. */
  readonly calls: readonly (ToolCall & { readonly turn: number })[];
  readonly results: readonly ToolResult[];
  /** The turn that is asked for now. */
  readonly turn: number;
};

/** A chat message longer than this carries material besides the question. In characters. */
const LONG_MESSAGE = 600;
/** Longest paragraph that is taken for the question of such a message. In characters. */
const LONGEST_QUESTION = 400;
/** Most characters of a task that are read as instructions. */
const MAX_INSTRUCTION = 8_000;

/** Reads the last task of a conversation. Linear in its length. */
export function readAssignment(messages: readonly Message[]): Assignment {
  const system = messages
    .flatMap((message) => (message.role === "system" ? [message.content] : []))
    .join("\n");
  const at = messages.findLastIndex(
    (message) => message.role === "user" && TASK_LINE.test(message.content),
  );
  const taskAt = at >= 0 ? at : messages.findLastIndex((message) => message.role === "user");
  const prompt = taskAt >= 0 ? readPrompt(messages[taskAt]?.content ?? "") : readChat(system);
  const earlier = at >= 0 ? [] : readEarlier(messages.slice(0, Math.max(0, taskAt)));
  const after = messages.slice(taskAt + 1);
  return {
    role: lineOf(/^you are (?:an? |the )?(.+)$/im.exec(system)?.[1]),
    goal: lineOf(/^goal:(.+)$/im.exec(system)?.[1]),
    task: prompt.task.slice(0, MAX_INSTRUCTION),
    expected: prompt.expected.slice(0, MAX_INSTRUCTION),
    schema: prompt.schema,
    followUp: after
      .flatMap((message) =>
        message.role === "user" ? [message.content.slice(0, MAX_INSTRUCTION)] : [],
      )
      .join("\n"),
    sections: [...readLabelled(system), ...earlier, ...prompt.sections],
    calls: readCalls(messages, taskAt),
    results: after.flatMap((message) =>
      message.role === "tool" ? [{ tool: message.tool, content: message.content }] : [],
    ),
    turn: messages.filter((message) => message.role === "assistant").length + 1,
  };
}

function lineOf(text = ""): string {
  return text.slice(0, MAX_INSTRUCTION).trim().replace(/\.$/, "");
}

function readCalls(messages: readonly Message[], taskAt: number): Assignment["calls"] {
  let turn = 0;
  return messages.flatMap((message, index) => {
    if (message.role !== "assistant") return [];
    turn++;
    return index > taskAt ? (message.calls ?? []).map((call) => ({ ...call, turn })) : [];
  });
}

const TASK_LINE = /^# Task\s*$/m;

type Prompt = Pick<Assignment, "task" | "expected" | "schema" | "sections">;

function readPrompt(text: string): Prompt {
  // The last "# Task" counts: an earlier output in the context may hold a line like it.
  const taskAt = lastLine(text, /^# Task[ \t]*$/gm);
  if (taskAt === undefined) return readChat(text);
  const rest = text.slice(taskAt.end);
  const expectedAt = lastLine(rest, /^# Expected output[ \t]*$/gm);
  const expected = expectedAt ? rest.slice(expectedAt.end) : "";
  const formatAt = lastLine(expected, /^# Output format[ \t]*$/gm);
  return {
    task: rest.slice(0, expectedAt?.start).trim(),
    expected: expected.slice(0, formatAt?.start).trim(),
    schema: formatAt ? readSchema(expected.slice(formatAt.end)) : undefined,
    sections: readSections(text.slice(0, taskAt.start)),
  };
}

/** The schema is the last line that is a JSON object. */
function readSchema(text: string): JsonObject | undefined {
  const line = text.split("\n").findLast((candidate) => candidate.trimStart().startsWith("{"));
  const schema = line === undefined ? undefined : parseJson(line);
  return isObject(schema) ? (schema as JsonObject) : undefined; // `as`: parsed JSON
}

/** The parts under "# Context" and other first-level headings, cut at their "## name" lines. */
function readSections(text: string): Section[] {
  const firstName = /^## (.+)$/m.exec(text)?.[1]?.trim();
  if (firstName === undefined) return headedSection(text);
  // An output may hold "## Heading" lines of its own: where the first name is one word, only one-word lines are names.
  const isName = (name: string): boolean =>
    !/^[\w.:-]+$/.test(firstName) || /^[\w.:-]+$/.test(name);
  const parts = text.split(/^(?=## .+$)/m);
  const sections: Section[] = [];
  for (const part of parts) {
    const name = /^## (.+)$/m.exec(part.slice(0, 300))?.[1]?.trim();
    const last = sections.at(-1);
    if (name !== undefined && isName(name)) {
      sections.push({ name, text: part.slice(part.indexOf("\n") + 1 || part.length) });
    } else if (last) {
      sections[sections.length - 1] = { name: last.name, text: last.text + part };
    } else {
      sections.push(...headedSection(part));
    }
  }
  return sections.filter((section) => section.text.trim());
}

/** A chat message: the question is its first or its last paragraph, the rest is material. */
function readChat(text: string): Prompt {
  if (text.length <= LONG_MESSAGE)
    return { task: text.trim(), expected: "", schema: undefined, sections: [] };
  const paragraphs = text.trim().split(/\n\s*\n/);
  const first = isQuestion(paragraphs[0]) ? paragraphs.shift() : undefined;
  const last = isQuestion(paragraphs.at(-1)) ? paragraphs.pop() : undefined;
  return {
    task: [first, last].filter(Boolean).join("\n"),
    expected: "",
    schema: undefined,
    sections: namedSection("message", paragraphs.join("\n\n")),
  };
}

function isQuestion(paragraph = ""): boolean {
  return (
    paragraph.length <= LONGEST_QUESTION &&
    (QUESTION.test(paragraph.trim()) || paragraph.includes("?"))
  );
}

const QUESTION =
  /^(?:please|summari[sz]e|explain|write|list|what|how|why|which|who|when|where|answer|describe|extract|find|give|compare|review|check|verify|rewrite|research|using|based on|from the|tell)\b/i;

/** Long earlier messages of a chat are material; short ones were questions of their own. */
function readEarlier(messages: readonly Message[]): Section[] {
  return messages.flatMap((message, index) =>
    message.role === "user" && message.content.length > LONG_MESSAGE
      ? namedSection(`message ${index + 1}`, message.content)
      : [],
  );
}

/** Material in a system prompt stands under a label: "Context:", "# Documents". */
function readLabelled(system: string): Section[] {
  const label =
    /^(?:#+ *(context|documents?|sources?|knowledge|memory)\b.{0,60}|(context|documents?|sources?|knowledge|memory)\b.{0,60}:) *$/im.exec(
      system,
    );
  return label
    ? namedSection(
        (label[1] ?? label[2] ?? "context").toLowerCase(),
        system.slice(label.index + label[0].length),
      )
    : [];
}

/** A text under a first-level heading, or under none. */
function headedSection(text: string): Section[] {
  return namedSection(/^# (.+)$/m.exec(text)?.[1] ?? "context", text.replace(/^# .+$/gm, ""));
}

function namedSection(name: string, text: string): Section[] {
  return text.trim() ? [{ name: name.trim(), text }] : [];
}

function lastLine(
  text: string,
  pattern: RegExp,
): { readonly start: number; readonly end: number } | undefined {
  let last: { start: number; end: number } | undefined;
  for (const match of text.matchAll(pattern))
    last = { start: match.index, end: match.index + match[0].length };
  return last;
}

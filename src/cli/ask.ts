// Asks whoever sits at the terminal what a run asks a person: shows the question, reads the answer. One question at a time.

import { taskIn } from "../orchestration/run/task-path.ts";
import type { AskHandler } from "../run-option.ts";
import type { Asked, Decision, Nobody, Question } from "../orchestration/tool/approval.ts";
import { commandName, dataFlag } from "./command-name.ts";
import { count, duration } from "./number.ts";
import type { LineInput } from "./line-input.ts";
import type { Progress } from "./progress.ts";
import { type Terminal, writeLines } from "./terminal.ts";
import { oneLine, printable } from "./width.ts";

/** Most lines and characters of a text that a question shows. */
const SHOWN_LINES = 200;
const SHOWN_CHARACTERS = 20_000;

/** What asks. `hold` keeps the live view out of the way meanwhile. */
export type Asking = {
  readonly terminal: Terminal;
  readonly input: LineInput;
  readonly hold: Progress["hold"];
  /** Whether a question stays open when the input has ended: somebody answers it by `runs signal`. */
  readonly isPatient: boolean;
  /** The --data of the command, for the line that says how. */
  readonly data?: string | undefined;
};

/** A handler for a run's questions. When nobody can answer (the input has ended), a question's own default holds at once, unless it is patient. */
export function createAsker({ hold, ...asked }: Asking): AskHandler {
  let last: Promise<unknown> = Promise.resolve();
  return (question, { signal }) => {
    const turn = last.then(async () => {
      if (signal.aborted) return undefined;
      const held = hold();
      try {
        return await ask(question, { ...asked, signal });
      } finally {
        held[Symbol.dispose]();
      }
    });
    last = turn.catch(() => undefined); // the run is told by the handler's own rejection
    return turn;
  };
}

type AskedHere = Omit<Asking, "hold"> & { readonly signal: AbortSignal };

async function ask(question: Question, asked: AskedHere): Promise<Decision | Nobody | undefined> {
  const { terminal, input, signal, isPatient, data } = asked;
  const { err } = terminal;
  if (terminal.input.isTerminal) await input.drop(); // typed before the question was seen: no answer to it
  writeLines(err, ["", ...questionLines(question, terminal), ""]);
  for (;;) {
    err.write(err.paint("bold", "approve (y), edit (e …), reject (n …)? "));
    const line = await input.next(signal);
    if (signal.aborted) {
      err.write("\n");
      return undefined;
    }
    if (!terminal.input.isTerminal) err.write("\n");
    if (line === undefined) {
      if (!isPatient) return { nobody: "the input of the command has ended" };
      const command = `${commandName()} runs signal ${question.runId} ${question.name} '{"ok":true}'${dataFlag(data)}`;
      writeLines(err, [`The input has ended; the question stays open: ${command}`]);
      return undefined;
    }
    const decision = readAnswer(line);
    if (decision) return decision;
    writeLines(err, [HELP]);
  }
}

const HELP =
  "Type y to approve; n and a reason to reject; e and what shall stand instead (for a tool: its arguments as JSON).";

/** What a typed line decides; undefined when it is not understood. Enter alone decides nothing: it is pressed by mistake. */
export function readAnswer(line: string): Decision | undefined {
  const [, word = "", rest = ""] = /^\s*(\S+)\s*(.*?)\s*$/s.exec(line) ?? [];
  switch (word.toLowerCase()) {
    case "y":
    case "yes":
    case "approve":
      return rest === "" ? { ok: true } : undefined;
    case "n":
    case "no":
    case "reject":
      return { ok: false, reason: rest === "" ? "no reason was given" : rest };
    case "e":
    case "edit":
      return rest === "" ? undefined : { ok: true, edit: rest };
    default:
      return undefined;
  }
}

function questionLines(question: Question, { err }: Terminal): readonly string[] {
  const { timeoutMs, onTimeout, issues = [] } = question;
  const otherwise = onTimeout === "approve" ? "approved" : "rejected";
  const limit = err.paint("dim", `(within ${duration(timeoutMs)}, else ${otherwise})`);
  const mark = err.paint("yellow", "?");
  const faults = issues.map((issue) =>
    err.paint("red", `  What was written does not fit: ${issue}`),
  );
  const [head = "", ...below] = askedLines(question, limit);
  return [`${mark} ${head}`, ...below, ...faults];
}

/** Who asks what, and how long it can be answered. */
export function askedLines(question: Asked, limit: string): readonly string[] {
  const title = askedTitle(question);
  const text = question.subject === "tool" ? JSON.stringify(question.arguments) : question.text;
  const isShort = question.subject === "question" && !/[\n\r]/.test(text) && text.length <= SHORT;
  if (isShort) return [`${oneLine(`${title} ${text}`)} ${limit}`];
  return [`${oneLine(title)} ${limit}`, ...shownLines(text).map((line) => `  ${line}`)];
}

/** Most characters of a step's question that stand beside who asks. */
const SHORT = 200;

/** Who asks for what, without the text that it is about. In a flow a task has its place before it. */
function askedTitle(question: Asked): string {
  const { agent, subject } = question;
  const task = taskIn(question.name.split("/"), question.task);
  switch (subject) {
    case "tool":
      return `${agent}, at task ${task}, wants to call ${question.tool}`;
    case "answer":
      return `Is this answer of ${agent} to task ${task} good?`;
    case "question":
      return `Step ${question.task} asks:`;
    default:
      return subject satisfies never;
  }
}

/** A text that is cut says so: nobody approves what they have not seen without knowing it. */
function shownLines(text: string): readonly string[] {
  const shown = printable(text.slice(0, SHOWN_CHARACTERS)).split("\n").slice(0, SHOWN_LINES);
  const left = text.length - shown.join("\n").length;
  return left > 0 ? [...shown, `… ${count(left)} more characters are not shown`] : shown;
}

// `bosun chat`: a crew, or an agent, that is talked to. Each line is a kickoff; the session carries the conversation.

import { MESSAGE_INPUT } from "../agent.ts";
import { type Bosun, createBosun, type StartedRun } from "../bosun.ts";
import { BosunError, isBosunError } from "../error.ts";
import type { Crew } from "../orchestration/crew/crew.ts";
import type { Inputs } from "../orchestration/crew/input.ts";
import { newRunId } from "../run-id.ts";
import { createAsker } from "./ask.ts";
import { loadCrew } from "./crew-file.ts";
import { errorText, EXIT, failureText } from "./failure.ts";
import { inputNamesOf, parseInputs } from "./input.ts";
import { createLineInput, type LineInput } from "./line-input.ts";
import { checkModelName } from "./model-name.ts";
import { projectNoteLines } from "./project-note.ts";
import { createProgress, type Progress } from "./progress.ts";
import { canRedraw, type Terminal, writeLines } from "./terminal.ts";
import { captureConsole } from "./user-console.ts";
import { printable } from "./width.ts";

/** The flags of `chat`, as commander gives them. */
export type ChatFlags = {
  readonly input?: readonly string[] | undefined;
  readonly message?: string | undefined;
  readonly session?: string | undefined;
  readonly model?: string | undefined;
  /** Notes of a CrewAI project too; its warnings are always printed. */
  readonly notes?: boolean | undefined;
  readonly data?: string | undefined;
};

/** Talks until the input ends or somebody types /exit. @returns the exit code. */
export async function chatCommand(
  path: string,
  flags: ChatFlags,
  terminal: Terminal,
): Promise<number> {
  const { model } = flags;
  const given = parseInputs(flags.input ?? []);
  using userConsole = captureConsole((lines) => writeLines(terminal.err, lines));
  const loaded = await loadCrew(path, terminal);
  if (model !== undefined) checkModelName(model, loaded.env);
  writeLines(
    terminal.err,
    projectNoteLines(loaded.notes, terminal.err.paint, { withNotes: flags.notes ?? false }),
  );
  const { crew } = loaded;
  const inputs = { ...loaded.inputs, ...given };
  const name = flags.message ?? messageInputOf(crew, inputs);
  checkMessageInput(crew, name);
  const bosun = createBosun({ data: flags.data, env: loaded.env });
  using input = createLineInput(() => terminal.input.stream);
  const session = flags.session ?? `chat-${newRunId(terminal.clock)}`;
  const talk = { terminal, bosun, crew, name, inputs, model, session, input, userConsole };
  try {
    await talkOn(talk);
  } finally {
    await bosun.close();
  }
  writeLines(terminal.err, [
    terminal.err.paint("dim", `Session ${session}: --session ${session} goes on with it.`),
  ]);
  return terminal.signal.aborted ? EXIT.interrupted : EXIT.done;
}

/**
 * The input that carries a message: `message`, else the only one that was not given.
 * @throws BosunError `usage` when it cannot be told.
 */
export function messageInputOf(crew: Crew, given: Inputs): string {
  const names = inputNamesOf(crew);
  if (names.includes(MESSAGE_INPUT)) return MESSAGE_INPUT;
  const open = names.filter((name) => !Object.hasOwn(given, name));
  const [only] = open;
  if (only !== undefined && open.length === 1) return only;
  throw new BosunError(
    "usage",
    open.length === 0
      ? `the crew "${crew.name}" asks for no input that could carry what you say. Put {${MESSAGE_INPUT}} into a task's description`
      : `the crew "${crew.name}" asks for ${open.join(", ")}. Say which one carries what you say, as --message ${only}, and give the others with --input`,
  );
}

/** @throws BosunError `usage` for an input that the crew does not ask for: what is said would reach nobody. */
function checkMessageInput(crew: Crew, name: string): void {
  const names = inputNamesOf(crew);
  if (names.includes(name)) return;
  throw new BosunError(
    "usage",
    `the crew "${crew.name}" asks for no input ${name}; its inputs: ${names.join(", ") || "none"}`,
  );
}

type Talk = {
  readonly terminal: Terminal;
  readonly bosun: Bosun;
  readonly crew: Crew;
  readonly name: string;
  readonly inputs: Inputs;
  readonly model: string | undefined;
  readonly session: string;
  readonly input: LineInput;
  readonly userConsole: ReturnType<typeof captureConsole>;
};

async function talkOn(talk: Talk): Promise<void> {
  const { terminal, crew, input } = talk;
  const { err, signal } = terminal;
  if (terminal.input.isTerminal)
    writeLines(err, [err.paint("dim", `Talking to ${crew.name}. /exit or Ctrl-D ends.`)]);
  for (;;) {
    if (terminal.input.isTerminal) err.write(err.paint("bold", "you> "));
    const line = await input.next(signal);
    if (line === undefined || line.trim() === "/exit") return;
    if (line.trim() !== "") await turn(talk, line);
    if (signal.aborted) return;
  }
}

/** One message and its answer. A run that fails is told, and the talk goes on. */
async function turn(talk: Talk, message: string): Promise<void> {
  const { terminal, bosun, crew, name, inputs, model, session, input, userConsole } = talk;
  const { out, err, clock, signal } = terminal;
  const mode = canRedraw(terminal) ? "live" : "none";
  using progress = createProgress({ mode, output: err, clock });
  userConsole.to((lines) => progress.print(lines));
  const onAsk = createAsker({ terminal, input, hold: () => progress.hold() });
  try {
    const options = { inputs: { ...inputs, [name]: message }, model, session, signal, onAsk };
    const run = await bosun.start(crew, options);
    await follow(run, progress);
    const { status, raw, error } = await run.ended;
    progress[Symbol.dispose]();
    if (status === "done" || status === "partial") out.write(`${printable(raw)}\n`);
    else
      tellEnd(terminal, { code: error?.code ?? "run/failed", message: error?.message ?? status });
  } catch (error) {
    progress[Symbol.dispose]();
    if (isBosunError(error)) tellEnd(terminal, error);
    else err.write(`${err.paint("red", failureText(error, false))}\n`);
  }
}

async function follow(run: StartedRun, progress: Progress): Promise<void> {
  try {
    for await (const event of run.log.read(0, new AbortController().signal)) progress.event(event);
  } catch (error) {
    run.cancel("its events cannot be shown or kept any more");
    await run.ended.catch(() => undefined); // the first error says more
    throw error;
  }
}

function tellEnd({ err, signal }: Terminal, error: Parameters<typeof errorText>[0]): void {
  if (!signal.aborted) writeLines(err, [err.paint("red", errorText(error))]);
}

// `bosun chat`: a crew, or an agent, that is talked to. Each line is a kickoff; the session carries the conversation.

import { MESSAGE_INPUT } from "../agent.ts";
import { type Bosun, createBosun, type StartedRun } from "../bosun.ts";
import { BosunError, isBosunError } from "../error.ts";
import type { Crew } from "../orchestration/crew/crew.ts";
import type { Inputs } from "../orchestration/crew/input.ts";
import { isName } from "../orchestration/crew/option.ts";
import { newRunId } from "../run-id.ts";
import { createAsker } from "./ask.ts";
import { errorText, EXIT, failureText } from "./failure.ts";
import { inputNamesOf, readPairs, toInputs } from "./input.ts";
import { createLineInput, type LineInput } from "./line-input.ts";
import { fleetWarnings } from "./fleet-warning.ts";
import { openCrew } from "./open-crew.ts";
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
  const given = toInputs(readPairs(flags.input ?? []));
  using userConsole = captureConsole((lines) => writeLines(terminal.err, lines));
  const loaded = await openCrew(path, flags, terminal);
  const { program: crew } = loaded;
  if (crew.type === "flow")
    throw new BosunError(
      "usage",
      `chat talks with a crew, and "${crew.name}" is a flow: \`run\` runs it`,
    );
  const inputs = { ...loaded.inputs, ...given };
  const name = flags.message ?? messageInputOf(crew, inputs);
  checkMessageInput(crew, name);
  const bosun = createBosun({ data: flags.data, env: loaded.env, ...fleetWarnings(terminal) });
  using input = createLineInput(() => terminal.input.stream);
  const session = flags.session ?? `chat-${newRunId(terminal.clock)}`;
  if (isName(session) !== undefined)
    throw new BosunError("usage", `--session ${session}: an id is ${isName(session)}`);
  const talk = { terminal, bosun, crew, name, inputs, model, session, input, userConsole };
  let turns: Turns;
  try {
    turns = await talkOn(talk);
  } finally {
    await bosun.close();
  }
  if (turns.done > 0)
    writeLines(terminal.err, [
      terminal.err.paint("dim", `Session ${session}: --session ${session} goes on with it.`),
    ]);
  if (terminal.signal.aborted) return EXIT.interrupted;
  return turns.failed > 0 && turns.done === 0 ? EXIT.failed : EXIT.done;
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
      ? noMessageInput(crew, names)
      : `the crew "${crew.name}" asks for ${open.join(", ")}. Say which one carries what you say, as --message ${only}, and give the others with --input`,
  );
}

function noMessageInput({ name }: Crew, names: readonly string[]): string {
  return names.length === 0
    ? `the crew "${name}" asks for no input that could carry what you say. Put {${MESSAGE_INPUT}} into a task's description`
    : `all inputs of the crew "${name}" are given (${names.join(", ")}). Say which one carries what you say: --message ${names[0]}`;
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

/** How many turns went well, and how many did not. */
type Turns = { readonly done: number; readonly failed: number };

/** What is typed to end a talk. */
const ENDS: ReadonlySet<string> = new Set(["/exit", "/quit", "exit", "quit"]);

async function talkOn(talk: Talk): Promise<Turns> {
  const { terminal, crew, input } = talk;
  const { err, signal } = terminal;
  if (terminal.input.isTerminal)
    writeLines(err, [err.paint("dim", `Talking to ${crew.name}. /exit or Ctrl-D ends.`)]);
  const turns = { done: 0, failed: 0 };
  for (;;) {
    if (terminal.input.isTerminal) err.write(err.paint("bold", "you> "));
    const line = await input.next(signal);
    const said = line?.trim();
    if (line === undefined || said === undefined || ENDS.has(said)) return turns;
    if (said.startsWith("/")) writeLines(err, [`There is no ${said}. /exit or Ctrl-D ends.`]);
    else if (said !== "") turns[(await turn(talk, line)) ? "done" : "failed"]++;
    if (signal.aborted) return turns;
  }
}

/** One message and its answer. A run that fails is told, and the talk goes on. */
async function turn(talk: Talk, message: string): Promise<boolean> {
  const { terminal, bosun, crew, name, inputs, model, session, input, userConsole } = talk;
  const { out, err, clock, signal } = terminal;
  const mode = canRedraw(terminal) ? "live" : "none";
  using scope = new DisposableStack();
  const progress = scope.use(createProgress({ mode, output: err, clock }));
  userConsole.to((lines) => progress.print(lines));
  const onAsk = createAsker({
    terminal,
    input,
    hold: () => progress.hold(),
    isPatient: false,
  });
  const abort = new AbortController();
  // The first Ctrl-C ends the turn; another one, or one at the prompt, ends the talk.
  const onInterrupt = (): boolean => {
    if (abort.signal.aborted) return false;
    abort.abort();
    return true;
  };
  scope.use(terminal.onInterrupt(onInterrupt));
  try {
    const options = {
      inputs: { ...inputs, [name]: message },
      model,
      session,
      signal: AbortSignal.any([signal, abort.signal]),
      onAsk,
    };
    const run = await bosun.start(crew, options);
    await follow(run, progress);
    const { status, raw, error } = await run.ended;
    progress[Symbol.dispose]();
    const isGood = status === "done" || status === "partial";
    if (raw !== "") out.write(`${printable(raw)}\n`); // of a turn that was cut, what there was
    if (!isGood)
      tellEnd(terminal, { code: error?.code ?? "run/failed", message: error?.message ?? status });
    return isGood;
  } catch (error) {
    progress[Symbol.dispose]();
    if (isBosunError(error)) tellEnd(terminal, error);
    else err.write(`${err.paint("red", failureText(error, false))}\n`);
    return false;
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

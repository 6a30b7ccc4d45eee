// An agent that can be kicked off by itself: the plain data of orchestration/crew with kickoff and stream bound to a Bosun.

import type { Bosun } from "./bosun.ts";
import { homeOf, kickoff, stream } from "./crew.ts";
import { BosunError } from "./error.ts";
import { type Agent, agent as defineAgent, type AgentOptions } from "./orchestration/crew/agent.ts";
import { type Crew, defineCrew } from "./orchestration/crew/crew.ts";
import type { Guardrail } from "./orchestration/crew/guardrail.ts";
import type { InputsOf, Placeholders } from "./orchestration/crew/input.ts";
import { type Task, task } from "./orchestration/crew/task.ts";
import type { RunEvent } from "./orchestration/run/event.ts";
import type { RunResult, TaskResult } from "./orchestration/run/result.ts";
import type { RunOptions } from "./run-option.ts";
import type { OutputOf, Schema } from "./schema.ts";

/** Options of an agent's kickoff. `inputs` fill the placeholders of the agent's own texts; the message stands as it is. */
export type AgentKickoffOptions<Names extends string, S extends Schema | undefined> = Omit<
  RunOptions,
  "inputs"
> & {
  /** What a good answer looks like. Default: a complete answer. */
  readonly expectedOutput?: string | undefined;
  /** The answer's shape. The result's `output` is then typed and validated. */
  readonly output?: S;
  readonly guardrail?: Guardrail | readonly Guardrail[] | undefined;
  readonly timeoutMs?: number | undefined;
} & ([Names] extends [never]
    ? { readonly inputs?: InputsOf<Names> }
    : { readonly inputs: InputsOf<Names> });

type AgentKickoffArguments<Names extends string, S extends Schema | undefined> = [Names] extends [
  never,
]
  ? [options?: AgentKickoffOptions<Names, S>]
  : [options: AgentKickoffOptions<Names, S>];

type OutputType<S> = S extends Schema ? OutputOf<S> : string;

/** What an agent's run came to: its one task is `answer`. */
export type AgentResult<Output> = RunResult<{ readonly answer: TaskResult<Output> }>;

type Streamed<S> = AsyncGenerator<RunEvent, AgentResult<OutputType<S>>>;

/** An agent with what runs it. */
export type RunnableAgent<Names extends string = string> = Agent<Names> & {
  /**
   * Lets the agent answer a message, as a crew of one task named `answer`.
   * @throws BosunError for every end but done and partial.
   */
  kickoff<S extends Schema | undefined = undefined>(
    message: string,
    ...options: AgentKickoffArguments<Names, S>
  ): Promise<AgentResult<OutputType<S>>>;
  /** As kickoff, and yields what happens. Leaving the loop cancels the run. */
  stream<S extends Schema | undefined = undefined>(
    message: string,
    ...options: AgentKickoffArguments<Names, S>
  ): Streamed<S>;
};

/**
 * Makes an agent.
 * @param options.bosun what it runs on when it is kicked off by itself, as createBosun makes it. In a crew the crew's counts.
 * @throws BosunError `crew/invalid` or `crew/not-built`, with the field's name.
 */
export function agent<
  const Role extends string,
  const Goal extends string,
  const Backstory extends string = "",
  const Name extends string = "",
>(
  options: AgentOptions<Role, Goal, Backstory, Name> & { readonly bosun?: Bosun | undefined },
): RunnableAgent<Placeholders<Role | Goal | Backstory | Name>> {
  type Names = Placeholders<Role | Goal | Backstory | Name>;
  const { bosun, ...rest } = options ?? {};
  const data = defineAgent<Role, Goal, Backstory, Name>(rest);
  return {
    ...data,
    kickoff: async <S extends Schema | undefined>(
      message: string,
      ...[given]: AgentKickoffArguments<Names, S>
    ) => {
      const { made, run } = prepare(data, message, given);
      return kickoff(homeOf(bosun), made, run) as Promise<AgentResult<OutputType<S>>>; // `as`: its one task has that schema
    },
    stream: <S extends Schema | undefined>(
      message: string,
      ...[given]: AgentKickoffArguments<Names, S>
    ) => {
      const { made, run } = prepare(data, message, given);
      return stream(homeOf(bosun), made, run) as Streamed<S>; // `as`: see above
    },
  };
}

/** The name of the input under which a message reaches an agent's own crew. */
export const MESSAGE_INPUT = "message";

/** A crew of one task, in which an agent answers a message. */
export function crewOfAgent(data: Agent, options: AnswerOptions = {}): Crew {
  const name = data.name.replace(/[^\w-]+/g, "-").replace(/^-+|-+$/g, "");
  const isName = /^(?!\d+$)[\w-]+$/.test(name);
  return defineCrew({
    name: isName ? name.slice(0, 64) : "agent",
    tasks: [answerTask(data, options)],
  });
}

type AnswerOptions = {
  readonly expectedOutput?: string | undefined;
  readonly output?: Schema | undefined;
  readonly guardrail?: Guardrail | readonly Guardrail[] | undefined;
  readonly timeoutMs?: number | undefined;
};

function answerTask(
  data: Agent,
  { expectedOutput = "A complete answer", output, guardrail, timeoutMs }: AnswerOptions,
): Task<"answer"> {
  const description = `{${MESSAGE_INPUT}}`;
  return task({
    name: "answer",
    description,
    expectedOutput,
    agent: data,
    output,
    guardrail,
    timeoutMs,
  });
}

function prepare(
  data: Agent,
  message: string,
  given: (AnswerOptions & Partial<RunOptions>) | undefined,
): { readonly made: Crew; readonly run: RunOptions } {
  if (typeof message !== "string" || message.trim() === "")
    throw new BosunError(
      "usage",
      `agent "${data.name}": the message must be a text that says something`,
    );
  const { expectedOutput, output, guardrail, timeoutMs, inputs, ...run } = given ?? {};
  const made = crewOfAgent(data, { expectedOutput, output, guardrail, timeoutMs });
  return { made, run: { ...run, inputs: { ...inputs, [MESSAGE_INPUT]: message } } };
}

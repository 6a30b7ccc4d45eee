// An agent that can be kicked off by itself: the plain data of orchestration/crew with kickoff and stream bound to a Bosun.

import type { Bosun } from "./bosun.ts";
import { homeOf, kickoff, stream } from "./crew.ts";
import { BosunError } from "./error.ts";
import { checkKickoff } from "./kickoff.ts";
import { type Agent, agent as defineAgent, type AgentOptions } from "./orchestration/crew/agent.ts";
import { type Crew, defineCrew } from "./orchestration/crew/crew.ts";
import type { Hooks } from "./orchestration/crew/hook.ts";
import type { InputsOf, Placeholders } from "./orchestration/crew/input.ts";
import { task, type TaskOptions } from "./orchestration/crew/task.ts";
import type { RunEvent } from "./orchestration/run/event.ts";
import type { RunResult, TaskResult } from "./orchestration/run/result.ts";
import type { RunOptions } from "./run-option.ts";
import type { OutputOf, Schema } from "./schema.ts";

/** What an agent's kickoff may say of its answer, as a task does. */
type AnswerOptions = Pick<
  TaskOptions<string, string, string, Agent, Schema | undefined, undefined>,
  "guardrail" | "guardrailRetries" | "humanInput" | "outputFile" | "timeoutMs" | "tools"
> & {
  /** What a good answer looks like. Default: a complete answer. */
  readonly expectedOutput?: string | undefined;
  readonly output?: Schema | undefined;
  readonly hooks?: Hooks | undefined;
};

/** Options of an agent's kickoff. `inputs` fill the placeholders of the agent's own texts; message and expectedOutput stand as they are. */
export type AgentKickoffOptions<Names extends string, S extends Schema | undefined> = Omit<
  RunOptions,
  "inputs"
> &
  AnswerOptions & {
    /** The answer's shape. The result's `output` is then typed and validated. */
    readonly output?: S;
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
const EXPECTED_INPUT = "expectedOutput";

/** A crew of one task, in which an agent answers a message. */
export function crewOfAgent(data: Agent, options: AnswerOptions = {}): Crew {
  const { expectedOutput, hooks, ...answer } = options;
  const answering = task({
    ...answer,
    name: "answer",
    description: `{${MESSAGE_INPUT}}`,
    expectedOutput: expectedOutput === undefined ? "A complete answer" : `{${EXPECTED_INPUT}}`,
    agent: data,
  });
  const name = data.name.replace(/[^\w-]+/g, "-").replace(/^-+|-+$/g, "");
  const isName = /^(?!\d+$)[\w-]+$/.test(name);
  return defineCrew({ name: isName ? name.slice(0, 64) : "agent", tasks: [answering], hooks });
}

/** Names of options that are the answer's; all others are the run's. */
const ANSWER_OPTIONS = [
  "expectedOutput",
  "output",
  "guardrail",
  "guardrailRetries",
  "humanInput",
  "outputFile",
  "timeoutMs",
  "tools",
  "hooks",
] as const satisfies readonly (keyof AnswerOptions)[];

function isAnswers([key]: [string, unknown]): boolean {
  return ANSWER_OPTIONS.some((name) => name === key);
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
  const options = given === undefined ? {} : given;
  checkKickoff(`a kickoff of agent "${data.name}"`, options);
  const { inputs, ...rest } = options;
  const entries = Object.entries(rest);
  const answer: AnswerOptions = Object.fromEntries(entries.filter(isAnswers));
  const run: Partial<RunOptions> = Object.fromEntries(entries.filter((one) => !isAnswers(one)));
  const { expectedOutput } = answer;
  const own = {
    [MESSAGE_INPUT]: message,
    ...(expectedOutput === undefined ? {} : { [EXPECTED_INPUT]: expectedOutput }),
  };
  const taken = Object.keys(inputs ?? {}).find((name) => Object.hasOwn(own, name));
  if (taken !== undefined)
    throw new BosunError(
      "usage",
      `agent "${data.name}": the input "${taken}" is the kickoff's own. Name yours differently`,
    );
  return { made: crewOfAgent(data, answer), run: { ...run, inputs: { ...inputs, ...own } } };
}

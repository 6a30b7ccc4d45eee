// World: what bodies reach besides their JSON inputs. The composition root makes it; bodies find their run in it by its id.

import type { Clock } from "../../clock.ts";
import type { BosunError } from "../../error.ts";
import type { Model, ModelHints, ModelRequest, Reply } from "../../inference/model/model.ts";
import type { ModelRef, ModelSettings } from "../../inference/model/endpoint.ts";
import type { TokenCounter } from "../../inference/model/token-count.ts";
import type { Crew } from "../crew/crew.ts";
import type { Agent } from "../crew/agent.ts";
import { fillPlaceholders, type Inputs } from "../crew/input.ts";
import type { ModelUse } from "../crew/purpose-model.ts";
import type { Plan } from "../plan/plan.ts";
import type { ToolRunner } from "../tool/run.ts";
import type { Budget } from "./budget.ts";
import type { Description } from "./description.ts";
import type { RunFact } from "./event.ts";
import type { InputDocuments } from "./input-document.ts";
import type { RunLog } from "./log.ts";
import type { PriceOf } from "./reservation.ts";

/** What all calls of a run tell the pool. */
export type RunHints = Pick<ModelHints, "tenant" | "priority" | "deadlineAt" | "cache">;

/** What belongs to one run of a crew and is not JSON. */
export type RunContext = {
  readonly crew: Crew;
  readonly plan: Plan;
  readonly inputs: Inputs;
  /** Those of the inputs that are too long for a prompt. */
  readonly documents: InputDocuments;
  readonly description: Description;
  readonly log: RunLog;
  readonly tools: ToolRunner;
  /** The models of an agent, in the order in which they are tried. */
  readonly modelsOf: (agent: Pick<Agent, "models">) => readonly [ModelRef, ...ModelRef[]];
  /** The models of a use, as the crew's `models` and the agent's own choose them, in the order in which they are tried. */
  readonly modelsFor: (
    use: ModelUse,
    agent?: Pick<Agent, "models">,
  ) => readonly [ModelRef, ...ModelRef[]];
  readonly priceOf: PriceOf;
  /** What the run may still use; undefined = nothing bounds it. */
  readonly budget: Budget | undefined;
  /** What is the same for all its calls. */
  readonly hints: RunHints;
  /** Tokens of the calls that follow a task, as expected; undefined where nobody can know. */
  readonly remainingTokens: (task: string) => number | undefined;
  /** Keeps the first error of a task that failed, with its cause and stack: the run's own error is made from it. */
  readonly noteFailure: (error: BosunError) => void;
  /** Where tasks' output files go. */
  readonly outputFolder: string;
  /** The conversation that this run belongs to, and what was said in it before. */
  readonly session: { readonly name: string; readonly history: string } | undefined;
  /** Names of the questions that this run has asked: nobody can answer another. */
  readonly asked: Set<string>;
  /** What hooks did before the run began, to be told at its start. */
  readonly hookFacts: readonly RunFact[];
  /** Whether each call's prompt is emitted. */
  readonly showPrompts: boolean;
};

/** See CachedModel. */
type Answers = {
  takeOver(request: ModelRequest, reply: Reply, answeredAt: number): void;
};

export type World = {
  readonly clock: Clock;
  readonly model: Model;
  /** What keeps the answers of models, where they are kept: it learns those of a run that an earlier process began. */
  readonly answers?: Answers | undefined;
  readonly tokens: TokenCounter;
  /** How a model is asked unless an agent or a task says otherwise. */
  readonly settingsOf: (ref: ModelRef) => ModelSettings;
  /** Of the crew whose run this is, or in whose run it is a child. @throws when there is none: a mistake of the program, not of the user. */
  readonly runOf: (runId: string) => RunContext;
};

/** An agent's name as events and tables show it, with its placeholders filled. */
export function nameOfAgent(agent: Agent, inputs: Inputs): string {
  return fillPlaceholders(agent.name, inputs, `agent "${agent.name}"`);
}

// AgentJob: one agent at one piece of work. Made for a task by task.ts, for work given away by delegate.ts; agent.ts does it.

import type { ModelRef, ModelSettings } from "../../inference/model/endpoint.ts";
import type { ToolSpec } from "../../inference/model/message.ts";
import type { Finish, Path } from "../../inference/model/model.ts";
import type { JsonObject } from "../../json.ts";
import { type Agent, SETTING_NAMES } from "../crew/agent.ts";
import type { FitMode } from "../crew/input-fit.ts";
import type { Task } from "../crew/task.ts";
import type { Tool } from "../tool/tool.ts";
import { specOf } from "./description.ts";
import type { Reading } from "./input-tool.ts";
import type { Conversation } from "./prompt.ts";
import type { InputDocuments } from "./input-document.ts";
import { type Team, teamOf, teamTools } from "./team.ts";
import { nameOfAgent, type RunContext } from "./world.ts";

/** What an answer must be. `name` is the task that it is for. */
export type Piece = Pick<
  Task,
  "name" | "output" | "guardrails" | "guardrailRetries" | "humanInput"
>;

/** One agent at one piece of work. */
export type AgentJob = {
  readonly task: Piece;
  readonly agent: Agent;
  /** Calls of a manager are counted apart. */
  readonly purpose: "work" | "manage";
  readonly path: Path;
  readonly models: readonly [ModelRef, ...ModelRef[]];
  /** Those that mend an answer that does not fit its schema. */
  readonly repairModels: readonly [ModelRef, ...ModelRef[]];
  /** Those that summarise what is too long. */
  readonly summaryModels: readonly [ModelRef, ...ModelRef[]];
  readonly settings: ModelSettings;
  readonly tools: readonly Tool[];
  readonly toolSpecs: readonly ToolSpec[];
  /** Whom it may ask and give work to; undefined = nobody. */
  readonly team: Team | undefined;
  readonly schema: JsonObject | undefined;
  readonly conversation: Conversation;
  /** How sections that are too long are shortened. */
  readonly fit: FitMode;
  /** The account of what is read of long inputs; undefined where there is none. */
  readonly reading: Reading | undefined;
  /** Calls that the run makes after this piece, at least; undefined where nobody can know. */
  readonly remainingCalls: number | undefined;
};

/** An agent's answer, and why its last call ended: "length" means that the answer was cut at maxTokens. */
export type Answer = { readonly raw: string; readonly finish: Finish["unified"] };

/** What is the same about an agent, whatever it does in a run. */
export type Workplace = Pick<
  AgentJob,
  "agent" | "purpose" | "models" | "repairModels" | "summaryModels" | "tools" | "toolSpecs" | "team"
>;

/** What an agent's work is made of, besides its agent: a run has it, and a preview. */
export type Surroundings = Pick<RunContext, "crew" | "inputs" | "description" | "modelsFor"> & {
  readonly documents: Pick<InputDocuments, "brief" | "of">;
};

/**
 * An agent, ready to work in a run.
 * @param at.givers Who gave the work to whom, from the task's own agent to the one who gave it to this one; none for a task.
 */
export function workplaceOf(
  run: Surroundings,
  spec: Agent,
  at: { readonly tools: readonly Tool[]; readonly givers: readonly string[] },
): Workplace {
  const agent = { ...spec, name: nameOfAgent(spec, run.inputs) };
  const team = teamOf(run, spec, [...at.givers, agent.name]);
  const own = at.tools.map((tool) => specOf(run.description, tool));
  const chosen = run.crew.models;
  const isManager = spec === run.crew.manager;
  const models = run.modelsFor(isManager ? "manager" : "worker", spec);
  return {
    agent,
    purpose: isManager ? "manage" : "work",
    models,
    repairModels: chosen.repair === undefined ? models : run.modelsFor("repair", spec),
    summaryModels: chosen.summary === undefined ? models : run.modelsFor("summary", spec),
    tools: at.tools,
    toolSpecs: team ? [...own, ...teamTools(team)] : own,
    team,
  };
}

/** Settings of the agent, overridden by those of the task. */
export function settingsOf(agent: Agent, task: ModelSettings = {}): ModelSettings {
  return Object.fromEntries(
    SETTING_NAMES.map((name) => [name, task[name] ?? agent[name]]).filter(
      ([, value]) => value !== undefined,
    ),
  );
}

// `bosun`: what a user imports to define and run a crew.

export { type Bosun, type BosunOptions, createBosun, type StartedRun } from "./bosun.ts";
export type { AskHandler, RunOptions } from "./run-option.ts";
export { agent, type AgentKickoffOptions, type AgentResult, type RunnableAgent } from "./agent.ts";
export { crew, type CrewInputs, type KickoffOptions, type RunnableCrew } from "./crew.ts";
export type { Clock } from "./clock.ts";
export type { Fleet, FleetEndpoint, FleetModel } from "./inference/fleet/fleet.ts";
export { BosunError, type ErrorCode, type ErrorData, isBosunError } from "./error.ts";
export {
  type Dialect,
  type Endpoint,
  endpoint,
  type ModelRef,
  type ModelSettings,
  type Timeouts,
} from "./inference/model/endpoint.ts";
export type { Pool } from "./inference/pool/pool.ts";
export type { RetryPolicy } from "./inference/pool/retry.ts";
export type { CallCost, CostSum, TokenPrice } from "./inference/model/price.ts";
export type { ResponseCacheLimits } from "./inference/pool/response-cache.ts";
export type { Usage } from "./inference/model/usage.ts";
export type { Agent, AgentOptions } from "./orchestration/crew/agent.ts";
export type { Condition, SoFar } from "./orchestration/crew/condition.ts";
export type { Crew, CrewOptions, Policy, Process } from "./orchestration/crew/crew.ts";
export {
  type GuardedAnswer,
  type Guardrail,
  maxWords,
  type Verdict,
} from "./orchestration/crew/guardrail.ts";
export type { Block, Hook, HookContext, Hooks, HookTypes } from "./orchestration/crew/hook.ts";
export type { Inputs, InputValue } from "./orchestration/crew/input.ts";
export type { FitMode, InputFit, InputFits } from "./orchestration/crew/input-fit.ts";
export { type OnError, type Task, task, type TaskOptions } from "./orchestration/crew/task.ts";
export type { UnreadInput } from "./orchestration/run/input-read.ts";
export type { ItemResult } from "./orchestration/run/each.ts";
export type { ModelUse, PurposeModelOptions } from "./orchestration/crew/purpose-model.ts";
export type { RunLimits } from "./orchestration/crew/run-limit.ts";
export type { PreviewOptions } from "./preview.ts";
export type { PromptPlan, TaskPrompt } from "./orchestration/run/prompt-plan.ts";
export type { PromptPart, RunEvent, RunStatus, TaskStatus } from "./orchestration/run/event.ts";
export {
  partialResult,
  type RunResult,
  type TaskResult,
  type Timings,
} from "./orchestration/run/result.ts";
export {
  type AgentState,
  applyEvent,
  EMPTY_RUN,
  type RunState,
  type TaskState,
} from "./orchestration/run/state.ts";
export type {
  Approval,
  AskLimits,
  Decision,
  Nobody,
  Question,
} from "./orchestration/tool/approval.ts";
export { type Tool, tool, type ToolContext, type ToolOptions } from "./orchestration/tool/tool.ts";
export { type CrewProject, loadCrewProject } from "./project.ts";
export type { NoteLevel, ProjectNote } from "./orchestration/crew/project/place.ts";
export type { Schema, StandardSchema } from "./schema.ts";
export type { RunSummary, Store } from "./service/store/store.ts";

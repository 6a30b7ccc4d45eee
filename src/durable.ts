// bosun/durable: the engines that keep runs, for programs that choose one, and for flows of their own.

export type {
  Child,
  ChildOptions,
  Durable,
  Flow,
  StepContext,
  StepOptions,
} from "./orchestration/durable/durable.ts";
export type {
  DurableEngine,
  EngineCaps,
  ForkOptions,
  QueueLimits,
  RunHandle,
  RunPhase,
  RunQuery,
  RunRecord,
  ServeOptions,
  StartOptions,
  StepRecord,
} from "./orchestration/durable/engine.ts";
export {
  openSqliteEngine,
  type SqliteEngineOptions,
} from "./orchestration/durable/sqlite/engine.ts";
export {
  createRestateEngine,
  type RestateEngineOptions,
} from "./orchestration/durable/restate/engine.ts";
export { TESTED_VERSIONS } from "./orchestration/durable/restate/sdk.ts";
export { type Blobs, openBlobs } from "./blob.ts";

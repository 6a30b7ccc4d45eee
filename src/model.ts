// `bosun/model`: the Model port, for models of your own, and the client of one endpoint.

export { createEndpointModel, type EndpointModel } from "./inference/model/client.ts";
export {
  type Endpoint,
  endpoint,
  type ModelRef,
  type ModelSettings,
  type Timeouts,
} from "./inference/model/endpoint.ts";
export type { EndpointFacts } from "./inference/model/facts.ts";
export type {
  Message,
  OutputSpec,
  ToolCall,
  ToolChoice,
  ToolSpec,
} from "./inference/model/message.ts";
export type {
  CallTimings,
  Finish,
  Model,
  ModelEvent,
  ModelHints,
  ModelRequest,
  Reply,
  TokenCountAsk,
} from "./inference/model/model.ts";
export type { TokenCountFunction } from "./inference/model/token-count.ts";
export type { Usage } from "./inference/model/usage.ts";

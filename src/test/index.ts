// What users test with: `bosun/test`. A scripted model, a server that fails on demand, and a clock that needs no waiting.

export { createVirtualClock, type Clock, type VirtualClock } from "../clock.ts";
export type { Closer } from "./call-log.ts";
export {
  startFaultServer,
  type FaultServer,
  type FaultServerOptions,
  type WireScript,
} from "./fault-server.ts";
export type { ReceivedRequest } from "./received-request.ts";
export {
  scriptedModel,
  type Script,
  type ScriptedAnswer,
  type ScriptedCall,
  type ScriptedModel,
  type ScriptedModelOptions,
  type ScriptedReply,
} from "./scripted-model.ts";
export {
  chunk,
  completionReply,
  CUT,
  DONE,
  errorReply,
  finishChunk,
  head,
  htmlReply,
  jsonReply,
  RESET,
  sse,
  STALL,
  streamReply,
  textReply,
  usageChunk,
  wait,
  write,
  type WireReply,
  type WireStep,
} from "./wire-reply.ts";

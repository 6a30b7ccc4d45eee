// `bosun/ai-sdk`: models of the AI SDK's providers in Bosun, and Bosun's models in the AI SDK.

export { fromAiSdk, type FromAiSdkOptions } from "./inference/model/ai-sdk/from-ai-sdk.ts";
export type { AiSdkModel } from "./inference/model/ai-sdk/spec.ts";
export { toAiSdk, type ToAiSdkOptions } from "./inference/model/ai-sdk/to-ai-sdk.ts";

// A twin from what a person says: a model on a GPU, vLLM's flags. What would not start on that GPU does not start here, in vLLM's words.

import { BosunError } from "../../error.ts";
import type { KvDtype } from "../fleet/kv.ts";
import { type MemoryPlan, planMemory } from "../fleet/memory.ts";
import type { Quantization } from "../fleet/model.ts";
import { requireModel } from "../fleet/model-catalogue.ts";
import { tellRemedy } from "../fleet/remedy.ts";
import type { EngineOptions } from "./engine-config.ts";
import { type FlagOptions, planFlags, type ServingFlags } from "./flag.ts";

/** What a twin is of. Names are those of vLLM's flags. */
export type TwinSetup = {
  /** A name of the catalogue: `H100-SXM`. */
  readonly gpu: string;
  /** A name of the catalogue: `Qwen/Qwen3-8B`. */
  readonly model: string;
  /** Default: the checkpoint's. */
  readonly quantization?: Quantization | undefined;
  /** Default `bf16`. */
  readonly kvCacheDtype?: KvDtype | undefined;
  readonly tensorParallelSize?: number | undefined;
  /** Default: the model's context. */
  readonly maxModelLen?: number | undefined;
  /** Default 0.92. */
  readonly gpuMemoryUtilization?: number | undefined;
  /** Flags of the engine; those that are not set have vLLM's defaults for the GPU. */
  readonly engine?: Partial<Omit<EngineOptions, "numGpuBlocks" | "maxModelLen">> | undefined;
  /** Flags of the HTTP surface. */
  readonly serving?: Partial<Omit<FlagOptions, "model" | "maxModelLen">> | undefined;
};

/** A twin that would start. */
export type TwinPlan = {
  readonly memory: Extract<MemoryPlan, { readonly type: "fits" }>;
  readonly engine: EngineOptions;
  readonly flags: ServingFlags;
};

/**
 * The engine and the flags of one replica.
 * @throws BosunError `config/invalid` with vLLM's message and what would fit, `fleet/unknown-gpu`, `fleet/unknown-model`, `fleet/invalid`.
 */
export function planTwin(setup: TwinSetup): TwinPlan {
  const { gpu, model, quantization, maxModelLen, gpuMemoryUtilization } = setup;
  checkContext(model, maxModelLen);
  const memory = planMemory({
    gpu,
    model,
    quantization,
    kvDtype: setup.kvCacheDtype,
    tensorParallel: setup.tensorParallelSize,
    maxModelLen,
    gpuMemoryUtilization,
  });
  if (memory.type !== "fits") throw notStarted(memory);
  const { assumed, blocks } = memory;
  const { maxNumSeqs, maxNumBatchedTokens } = assumed.gpu;
  const { schedulingPolicy, loraModules = [] } = setup.serving ?? {};
  return {
    memory,
    engine: {
      maxNumSeqs,
      maxNumBatchedTokens: Math.max(maxNumBatchedTokens, setup.engine?.maxNumSeqs ?? 0),
      maxLoras: Math.max(1, loraModules.length),
      ...(schedulingPolicy ? { schedulingPolicy } : {}),
      ...setup.engine,
      numGpuBlocks: blocks,
      maxModelLen: assumed.maxModelLen,
    },
    flags: planFlags({ model, ...setup.serving, maxModelLen: assumed.maxModelLen }),
  };
}

/** vLLM refuses a longer context before it looks at the GPU. */
function checkContext(name: string, maxModelLen: number | undefined): void {
  const { maxContext } = requireModel(name).model;
  if (maxModelLen === undefined || maxModelLen <= maxContext) return;
  const message = `ValueError: User-specified max_model_len (${maxModelLen}) is greater than the derived max_model_len (max_position_embeddings=${maxContext} or model_max_length=None in model's config.json). To allow overriding this maximum, set the env var VLLM_ALLOW_LONG_MAX_MODEL_LEN=1`;
  throw new BosunError(
    "config/invalid",
    `${message}. What would fit: --max-model-len ${maxContext}`,
  );
}

function notStarted(memory: Exclude<MemoryPlan, { readonly type: "fits" }>): BosunError {
  const remedies = memory.remedies.map(tellRemedy);
  const advice = remedies.length > 0 ? remedies.join("; or ") : "nothing that is known here";
  return new BosunError("config/invalid", `${memory.message} What would fit: ${advice}`, {
    details: { outcome: memory.type, remedies },
  });
}

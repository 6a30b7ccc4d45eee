// What a model's alias means in one Bosun: what was given under it, the embedded model, else an endpoint.

import { ownValue } from "./json.ts";
import type { Endpoint, ModelRef } from "./inference/model/endpoint.ts";
import type { Env } from "./inference/model/http.ts";
import type { Model } from "./inference/model/model.ts";
import type { TokenPrice } from "./inference/model/price.ts";
import { defaultEndpoint, toEndpoint } from "./inference/model/preset.ts";

/** The models that a Bosun was given. */
export type GivenModels = {
  readonly models?: Readonly<Record<string, Endpoint | Model>> | undefined;
  readonly model?: ModelRef | Model | undefined;
};

/** @throws BosunError `model/unknown` for an alias that nobody defined. */
export type Resolver = (alias: string) => Endpoint | Model;

/** The endpoint of an alias, so that its settings count when a call is fitted; a model that is no endpoint stays its alias. */
export function settleAlias(ref: ModelRef, resolve: Resolver): ModelRef {
  if (typeof ref !== "string") return ref;
  try {
    const found = resolve(ref);
    return "call" in found ? ref : found;
  } catch {
    return ref; // the pool says it at the call, where a fallback may still answer
  }
}

/**
 * What a model's tokens cost: its own price, nothing for the embedded one; undefined = not known. A fallback that means nothing has
 * none.
 */
export function priceOf(ref: ModelRef, resolve: Resolver): TokenPrice | undefined {
  try {
    return (typeof ref === "string" ? resolve(ref) : ref).usdPerMillionTokens;
  } catch {
    return undefined; // the pool says at the call that nobody knows it
  }
}

/** What an alias means: what was given under it, the embedded model, else an endpoint. */
export function createResolver({ model, models = {} }: GivenModels, env: Env): Resolver {
  const embedded = {
    ...lazyModel(async () =>
      (await import("./inference/local/extractive/extractive.ts")).createExtractive(),
    ),
    usdPerMillionTokens: EMBEDDED_PRICE,
  };
  return (alias) => {
    if (alias === GIVEN && isModel(model)) return model;
    return ownValue(models, alias) ?? (alias === EMBEDDED ? embedded : toEndpoint(alias, env));
  };
}

/** The alias of a model object given as `model`. */
const GIVEN = "given";
/** The alias of the embedded model. */
const EMBEDDED = "extractive";
/** It runs in this process, and is no neural network. */
const EMBEDDED_PRICE: TokenPrice = { input: 0, output: 0, source: "embedded" };

/** The model of agents that name none: the given one, the environment's, else the embedded one. */
export function defaultModelOf({ model }: GivenModels, env: Env): ModelRef {
  return isModel(model) ? GIVEN : (model ?? defaultEndpoint(env) ?? EMBEDDED);
}

function isModel(model: ModelRef | Model | undefined): model is Model {
  return typeof model === "object" && "call" in model;
}

/** A model whose code is loaded at its first call. */
function lazyModel(load: () => Promise<Model>): Model {
  let loaded: Promise<Model> | undefined;
  const model = (): Promise<Model> => (loaded ??= load());
  return {
    async *call(request, signal) {
      yield* (await model()).call(request, signal);
    },
    contextTokens: async (models, signal) => (await model()).contextTokens(models, signal),
  };
}

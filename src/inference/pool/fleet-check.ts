// Whether the endpoints of a deployment are what the fleet file says: each contradiction is an error with both values.
//
// An endpoint that does not answer contradicts nothing, and one whose answer would start a paid worker is not asked.

import { BosunError } from "../../error.ts";
import type { Dialect, Endpoint } from "../model/endpoint.ts";
import type { EndpointFacts } from "../model/facts.ts";
import type { Deployment, PoolEndpoint } from "./deployment.ts";

/** What an endpoint tells about itself. May reject. */
export type AskFacts = (endpoint: Endpoint, signal: AbortSignal) => Promise<EndpointFacts>;

/** Endpoints of one deployment that are asked: the others are replicas of the same file. */
const MAX_ASKED = 32;

/** All contradictions, in the order of the endpoints. */
export async function findContradictions(
  { name, endpoints }: Deployment,
  ask: AskFacts,
  signal: AbortSignal,
): Promise<readonly BosunError[]> {
  const asked = endpoints.slice(0, MAX_ASKED).map(async (endpoint) => {
    const { at } = endpoint;
    if ("call" in at || at.dialect === "runpod" || at.dialect === "openai") return [];
    try {
      // Asked as if nothing had been written, so that the server's own word comes back.
      const facts = await ask({ ...at, maxModelLen: undefined, dialect: undefined }, signal);
      return messagesOf(at, facts).map((message) => contradiction(name, endpoint, message));
    } catch (error) {
      if (signal.aborted) throw error;
      return []; // the call itself says so, where another endpoint may still answer
    }
  });
  return (await Promise.all(asked)).flat();
}

function contradiction(alias: string, { name }: PoolEndpoint, message: string): BosunError {
  return new BosunError(
    "config/invalid",
    `model "${alias}" of the fleet, endpoint ${name}: ${message}`,
  );
}

function messagesOf(written: Endpoint, told: EndpointFacts): readonly string[] {
  return [
    modelMessage(written, told),
    contextMessage(written, told),
    dialectMessage(written, told),
  ].filter((message) => message !== undefined);
}

function modelMessage({ model }: Endpoint, { models }: EndpointFacts): string | undefined {
  const served = models.slice(0, 20).join(", ");
  if (models.length === 0) return undefined;
  if (model === undefined)
    return models.length === 1
      ? undefined
      : `it serves several models, and the file names none. Write model: one of ${served}`;
  const isServed = models.includes(model) || models.includes(`${model}:latest`);
  return isServed ? undefined : `the file says model ${model}, and it serves ${served}`;
}

function contextMessage(
  { maxModelLen: written }: Endpoint,
  { maxModelLen: told }: EndpointFacts,
): string | undefined {
  if (written === undefined || told === undefined || written <= told) return undefined;
  return `the file says maxModelLen ${written}, and its context is ${told}. Longer prompts would be refused: write at most ${told}, or leave it out`;
}

function dialectMessage(
  { dialect: written }: Endpoint,
  { dialect: told }: EndpointFacts,
): string | undefined {
  if (written === undefined || told === undefined || kindOf(written) === kindOf(told))
    return undefined;
  return `the file says dialect ${written}, and it is ${told}`;
}

/** Runpod's workers are vLLM. */
function kindOf(dialect: Dialect): Dialect {
  return dialect === "runpod" ? "vllm" : dialect;
}

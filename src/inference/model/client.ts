// The Chat Completions client: one endpoint as a Model. One call is one attempt: repeating is pool/retry's work.
//
// Data's way: request → wire.ts (body) → http.ts (exchange) → sse.ts (lines) → reply.ts (assembly) → mailbox → the caller's loop.
// The consumer's pull is the backpressure: what it has not taken is merged, and over MAX_BUFFERED characters the socket is paused.

import type { Clock } from "../../clock.ts";
import { BosunError, detailOf } from "../../error.ts";
import type { JsonObject } from "../../json.ts";
import { type Attempt, startAttempt } from "./attempt.ts";
import { type Dialect, type Endpoint, nameOf } from "./endpoint.ts";
import { toBaseUrl } from "./endpoint-option.ts";
import { secretsOf } from "./failure.ts";
import {
  createFactsCache,
  dialectOfHost,
  type EndpointFacts,
  type FactsCache,
  NO_FACTS,
} from "./facts.ts";
import { addressOf } from "./address.ts";
import { cancelled, createAgent, type Env, resolveTimeouts } from "./http.ts";
import type { Model, ModelRequest } from "./model.ts";
import { createPromptCheck, type PromptCheck } from "./prompt-check.ts";
import { askServer, type ServerAnswer, type ServerSource } from "./server-read.ts";
import { tokenize } from "./tokenize.ts";
import { type Adaptations, toBody, type WireOptions } from "./wire.ts";

/** One endpoint as a Model, with what it tells about itself. Close it to close its connections. */
export interface EndpointModel extends Model {
  /** Asked once and kept for some minutes; a failed asking is repeated at the next call. */
  facts(signal: AbortSignal): Promise<EndpointFacts>;
  /**
   * What the server says at a path of its own, as /metrics or /health, whatever the status. Bounded in time and length.
   * @throws BosunError `model/…` when nobody answers.
   */
  read(path: string, signal: AbortSignal, method?: "GET" | "POST"): Promise<ServerAnswer>;
  close(): void;
}

/** @throws BosunError `config/invalid` when the variable of its key is not set or its URL cannot be one. */
export function createEndpointModel(options: {
  readonly endpoint: Endpoint;
  readonly clock: Clock;
  readonly env?: Env | undefined;
}): EndpointModel {
  const source = toSource(options);
  const { endpoint, where, clock } = source;
  const knownDialect = endpoint.dialect ?? dialectOfHost(endpoint.url);
  const facts = createFactsCache(source);
  const prompts = createPromptCheck(source, knownDialect, facts);
  let adaptations = NO_ADAPTATIONS;

  return {
    ...createTelling(source, { facts, prompts, knownDialect }),
    async *call(request, signal) {
      if (signal.aborted) throw cancelled(where, signal.reason);
      const { dialect } = needsFacts(endpoint, request) ? await facts.getOrNone(signal) : NO_FACTS;
      const model = endpoint.model ?? onlyModel(await facts.get(signal), where);
      const isTextTools = adaptations.textTools && (request.tools?.length ?? 0) > 0;
      let attempt: Attempt | undefined;
      try {
        attempt = startAttempt(
          { request, model, isTextTools, source, startedAt: clock.now() },
          // A text that no open call holds: a thousand of them would stay until their answers end.
          JSON.stringify(
            bodyOf(request, { model, dialect: dialect ?? knownDialect, endpoint, adaptations }),
          ),
          signal,
        );
        for (;;) {
          const event = attempt.take();
          if (event === undefined) await attempt.changed();
          else if (event.type === "end") {
            await prompts.check(request, event, signal);
            yield event;
            return;
          } else yield event;
        }
      } catch (error) {
        const before = adaptations;
        adaptations = adapt(before, error);
        if (error instanceof BosunError && DOUBTS.has(error.code)) facts.forget();
        throw await explain(error, { before, model, where, facts: () => facts.getOrNone(signal) });
      } finally {
        attempt?.[Symbol.dispose](); // whatever ended the caller's loop (A2)
      }
    },
  };
}

type Telling = Omit<EndpointModel, "call">;

type Knowing = {
  readonly facts: FactsCache;
  readonly prompts: PromptCheck;
  readonly knownDialect: Dialect | undefined;
};

/** All that an endpoint tells besides its answers. */
function createTelling(source: ServerSource, { facts, prompts, knownDialect }: Knowing): Telling {
  const { endpoint, where, agent } = source;
  return {
    facts: (signal) => facts.get(signal),
    read: (path, signal, method = "GET") =>
      askServer(source, { method, path, base: "root" }, signal),
    async contextTokens(_models, signal) {
      if (endpoint.maxModelLen !== undefined) return endpoint.maxModelLen;
      const known = await facts.getOrNone(signal);
      prompts.note(known);
      return known.maxModelLen;
    },
    async countTokens(ask, signal) {
      const known = await facts.getOrNone(signal);
      const model = endpoint.model ?? onlyModel(known, where);
      const dialect = known.dialect ?? knownDialect;
      const asked = { ...ask, ...COUNTING, models: [endpoint] } as const;
      const body = bodyOf(asked, { model, dialect, endpoint, adaptations: NO_ADAPTATIONS });
      return tokenize(source, dialect, body, signal);
    },
    close: () => agent.destroy(),
  };
}

const NO_ADAPTATIONS: Adaptations = { textTools: false, promptSchema: false };

function bodyOf(request: ModelRequest, to: Omit<WireOptions, "stream">): JsonObject {
  return toBody(request, { ...to, stream: request.stream ?? to.endpoint.stream ?? true });
}

/** A prompt that is counted is nobody's call. */
const COUNTING = {
  settings: {},
  hints: { runId: "", path: [], purpose: "work", remainingCalls: undefined },
} as const;

/** Everything about an endpoint that its calls need, made once. */
function toSource(options: {
  readonly endpoint: Endpoint;
  readonly clock: Clock;
  readonly env?: Env | undefined;
}): ServerSource {
  const { clock, env = {} } = options;
  // One that was made by hand has not been through endpoint().
  const endpoint: Endpoint = { ...options.endpoint, url: toBaseUrl(options.endpoint.url) };
  const secret = keyOf(endpoint, env);
  return {
    endpoint,
    address: addressOf(endpoint.url),
    timeouts: resolveTimeouts(endpoint.timeouts),
    agent: createAgent(endpoint, env),
    headers: { ...(secret ? { authorization: `Bearer ${secret}` } : {}), ...endpoint.headers },
    clock,
    where: nameOf(endpoint),
    secrets: secretsOf(secret, endpoint.headers),
  };
}

/** Errors after which the endpoint may serve something else than was known. */
const DOUBTS: ReadonlySet<string> = new Set([
  "model/not-found",
  "model/context-length",
  "model/unreachable",
]);

/** What a refusal taught about the endpoint. */
function adapt(adaptations: Adaptations, error: unknown): Adaptations {
  const adapted = detailOf(error, "adapted");
  if (adapted === "text-tools") return { ...adaptations, textTools: true };
  if (adapted === "prompt-schema") return { ...adaptations, promptSchema: true };
  return adaptations;
}

type Explanation = {
  readonly before: Adaptations;
  readonly model: string;
  readonly where: string;
  readonly facts: () => Promise<EndpointFacts>;
};

/** Completes what only the endpoint can tell: which models it serves, and that a refusal is final. */
async function explain(
  error: unknown,
  { before, model, where, facts }: Explanation,
): Promise<unknown> {
  if (!(error instanceof BosunError)) return error;
  if (error.code === "model/not-found")
    return withServedModels(error, await facts(), { model, where });
  const adapted = detailOf(error, "adapted");
  // A server that refuses what was already spelled anew for it will refuse it again.
  const isFinal =
    (adapted === "text-tools" && before.textTools) ||
    (adapted === "prompt-schema" && before.promptSchema);
  if (!isFinal) return error;
  const { adapted: _, ...details } = error.details ?? {};
  return new BosunError(error.code, error.message, { cause: error, details });
}

function keyOf({ apiKeyEnv, url }: Endpoint, env: Env): string | undefined {
  if (apiKeyEnv === undefined) return undefined;
  const key = env[apiKeyEnv]?.trim();
  if (key) return key;
  throw new BosunError(
    "config/invalid",
    `the variable ${apiKeyEnv}, which holds the key of ${url}, is not set. Set it in the environment or in .env`,
  );
}

/** Facts decide how structured output and thinking are said, and nothing else in a call. */
function needsFacts(endpoint: Endpoint, request: ModelRequest): boolean {
  const isSpecial =
    request.output !== undefined ||
    request.settings.thinking !== undefined ||
    endpoint.thinking !== undefined;
  return endpoint.dialect === undefined && !endpoint.gateway && isSpecial;
}

function onlyModel({ models }: EndpointFacts, where: string): string {
  const [model, ...others] = models;
  if (model !== undefined && others.length === 0) return model;
  const served = models.length > 0 ? `serves ${models.slice(0, 20).join(", ")}` : "lists no models";
  throw new BosunError(
    "model/not-found",
    `${where} ${served}: name the model that you want with model: …`,
    { details: { served: models.slice(0, 20) } },
  );
}

function withServedModels(
  error: BosunError,
  { models }: EndpointFacts,
  at: { readonly model: string; readonly where: string },
): BosunError {
  if (models.length === 0) return error;
  const served = models.slice(0, 20);
  return new BosunError(
    "model/not-found",
    `${at.where.replace(`${at.model} at `, "")} does not serve "${at.model}". It serves: ${served.join(", ")}`,
    { cause: error, details: { served } },
  );
}

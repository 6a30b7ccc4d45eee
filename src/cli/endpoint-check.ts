// What `bosun doctor` asks an endpoint before it asks its model: whether it is there, what it serves, how long its context is.

import { createEndpointModel } from "../inference/model/client.ts";
import type { Endpoint, ModelRef } from "../inference/model/endpoint.ts";
import type { EndpointFacts } from "../inference/model/facts.ts";
import type { Model } from "../inference/model/model.ts";
import type { Deployment } from "../inference/pool/deployment.ts";
import type { Check, Finding } from "./check.ts";
import { count, several } from "./number.ts";
import type { Terminal } from "./terminal.ts";

/** What is checked: a reference, and what it answers through. */
export type EndpointChecked = {
  readonly model: Model;
  readonly ref: ModelRef;
  readonly terminal: Pick<Terminal, "clock" | "env">;
};

/** The checks of a model's endpoint; of the embedded model there is little to check. */
export function endpointChecks({ model, ref, terminal }: EndpointChecked): readonly Check[] {
  if (typeof ref === "string") return embeddedChecks(ref, model);
  const facts = createFacts(ref, terminal);
  return [
    { name: "endpoint reachable", find: (signal) => findEndpoint(facts, ref, signal) },
    {
      name: "model served",
      needs: ["endpoint reachable"],
      find: async (signal) => findServed(await facts(signal), ref),
    },
    {
      name: "context length",
      needs: ["model served"],
      find: async (signal) => findContext((await facts(signal)).maxModelLen),
    },
  ];
}

/** The checks of each endpoint of a model of the fleet, at most MAX_ENDPOINTS, with its name. */
export function deploymentChecks(
  { endpoints }: Deployment,
  scene: Pick<EndpointChecked, "model" | "terminal">,
): readonly Check[] {
  return endpoints.slice(0, MAX_ENDPOINTS).flatMap(({ name, at }) => {
    if ("call" in at) return [];
    const label = (check: string): string =>
      endpoints.length === 1 ? check : `${check}: ${name}`.slice(0, MAX_LABEL);
    return endpointChecks({ ...scene, ref: at }).map((check) => ({
      ...check,
      name: label(check.name),
      needs: check.needs?.map(label),
    }));
  });
}

const MAX_ENDPOINTS = 16;
const MAX_LABEL = 100;

function embeddedChecks(alias: string, model: Model): readonly Check[] {
  return [
    { name: "endpoint reachable", find: findNothing },
    { name: "model served", find: findNothing },
    {
      name: "context length",
      find: async (signal) => findContext(await model.contextTokens([alias], signal)),
    },
  ];
}

async function findNothing(): Promise<Finding> {
  return { status: "skipped", detail: "embedded: runs in this process" };
}

type Facts = (signal: AbortSignal) => Promise<EndpointFacts>;

/** Asks once: the endpoint's answer serves several checks. */
function createFacts(ref: Endpoint, { clock, env }: EndpointChecked["terminal"]): Facts {
  let asked: Promise<EndpointFacts> | undefined;
  return (signal) => {
    const model = createEndpointModel({ endpoint: ref, clock, env: env() });
    asked ??= model.facts(signal).finally(() => model.close());
    return asked;
  };
}

async function findEndpoint(facts: Facts, ref: Endpoint, signal: AbortSignal): Promise<Finding> {
  const { dialect, models } = await facts(signal);
  return {
    status: "ok",
    detail: `${ref.url}: ${dialect ?? "a server of an unknown kind"}, ${several(models.length, "model")}`,
  };
}

function findServed({ models }: EndpointFacts, { model, url }: Endpoint): Finding {
  const [first, ...others] = models;
  const served = models.slice(0, 10).join(", ");
  if (first === undefined)
    return { status: "skipped", detail: "the endpoint does not list its models" };
  if (model === undefined && others.length === 0) return { status: "ok", detail: first };
  if (model !== undefined && models.includes(model)) return { status: "ok", detail: model };
  const next = `name one of them: OPENAI_BASE_URL=${url} OPENAI_MODEL_NAME=${first}`;
  const detail =
    model === undefined
      ? `it serves several: ${served}`
      : `"${model}" is not served; it serves: ${served}`;
  return { status: "failed", detail, next };
}

function findContext(contextTokens: number | undefined): Finding {
  if (contextTokens !== undefined)
    return { status: "ok", detail: `${count(contextTokens)} tokens` };
  return {
    status: "skipped",
    detail: "the endpoint does not say it",
    next: "write it down, so that long prompts are cut in time: endpoint({ url, maxModelLen })",
  };
}

// Every key of a fleet file and what its value must be. The only list of them: the reader checks by it, docs/fleet.md is held to it.

import { isJson, isObject } from "../../json.ts";
import { DIALECTS, ORDERS, PROVIDERS, ROUTES } from "./fleet.ts";
import type { Shape } from "./fleet-shape.ts";
import { findGpu, GPUS } from "./gpu-catalogue.ts";

/** Most models of a fleet, and most endpoints of a model. */
const MAX_MODELS = 200;
const MAX_ENDPOINTS = 512;
const MAX_TENANTS = 10_000;

/** The names of all keys, each once: what docs/fleet.md must explain. */
export function keysOfFleet(): readonly string[] {
  const tables = [FLEET_KEYS, MODEL_KEYS, ENDPOINT_KEYS, TIMEOUT_KEYS, LIMIT_KEYS, PRICE_KEYS];
  const parts = [ACCEPT_KEYS, SCALERS.QUEUE_DELAY, SCALERS.REQUEST_COUNT, DNS_KEYS, FILE_KEYS];
  return [...new Set([...tables, ...parts].flatMap((keys) => Object.keys(keys)))];
}

function value(expected: string, isRight: (value: unknown) => boolean): Shape {
  return { type: "value", expected, isRight };
}

function object(keys: Readonly<Record<string, Shape>>, ...required: readonly string[]): Shape {
  return { type: "object", keys, required };
}

function list(of: Shape, least: number, most: number): Shape {
  return { type: "list", of, least, most };
}

function oneOf(names: readonly string[]): Shape {
  const isKnown = (one: unknown): boolean => typeof one === "string" && names.includes(one);
  return value(`one of ${names.join(", ")}`, isKnown);
}

function isNumber(one: unknown): one is number {
  return typeof one === "number" && Number.isFinite(one);
}

function between(least: number, most: number): Shape {
  return value(
    `a number from ${least} to ${most}`,
    (one) => isNumber(one) && one >= least && one <= most,
  );
}

const text = value("a text that is not empty", (one) => typeof one === "string" && !!one.trim());
const flag = value("true or false", (one) => typeof one === "boolean");
const count = value(
  "a whole number of at least 1",
  (one) => Number.isSafeInteger(one) && Number(one) >= 1,
);
const amount = value("a number of at least 0", (one) => isNumber(one) && one >= 0);
const positive = value("a number above 0", (one) => isNumber(one) && one > 0);

/** An http(s) URL up to the version, without a password, a query or a hash. */
const url = value(
  "an http(s) URL up to the version, as http://gpu-1:8000/v1, without a password or a query",
  isBaseUrl,
);

function isBaseUrl(one: unknown): boolean {
  if (typeof one !== "string" || !URL.canParse(one)) return false;
  const { protocol, username, password } = new URL(one);
  return /^https?:$/.test(protocol) && !username && !password && !/[?#]/.test(one);
}

const SCALERS = {
  QUEUE_DELAY: { type: text, seconds: positive },
  REQUEST_COUNT: { type: text, requests: count },
} as const;

const DNS_KEYS = {
  dns: value("host:port", (one) => typeof one === "string" && /^[\w.-]{1,253}:\d{1,5}$/.test(one)),
};
const FILE_KEYS = { file: text };

const ACCEPT_KEYS = { priority: flag, sessionId: flag, cacheSalt: flag };
const TIMEOUT_KEYS = {
  queueMs: positive,
  connectMs: positive,
  firstTokenMs: positive,
  interTokenMs: positive,
  totalMs: positive,
};
const PRICE_KEYS = { input: amount, output: amount, cachedInput: amount };
const LIMIT_KEYS = { usdPerRun: positive, tokensPerRun: count };

const ENDPOINT_KEYS: Readonly<Record<string, Shape>> = {
  url,
  name: value(
    "a text of at most 128 characters",
    (one) => typeof one === "string" && one.trim() !== "" && one.length <= 128,
  ),
  dialect: oneOf(DIALECTS),
  gpu: value(
    `a GPU of the catalogue: ${GPUS.map(({ id }) => id).join(", ")}`,
    (one) => typeof one === "string" && findGpu(one) !== undefined,
  ),
  usdPerHour: amount,
  apiKeyEnv: {
    type: "value",
    expected: "the name of a variable, not a key",
    isRight: (one) => typeof one === "string" && /^[A-Za-z_]\w{0,127}$/.test(one),
    isSecret: true,
  },
  headers: value(
    "an object of texts",
    (one) => isObject(one) && Object.values(one).every((item) => typeof item === "string"),
  ),
  caFile: text,
  maxConnections: count,
  kvTokens: count,
  maxNumSeqs: count,
  prefillTokens: count,
  requestsPerMinute: positive,
  tokensPerMinute: positive,
  share: value("a number above 0, at most 1", (one) => isNumber(one) && one > 0 && one <= 1),
  maxWorkers: count,
  scaler: {
    type: "either",
    expected: "{ type: QUEUE_DELAY, seconds: 4 } or { type: REQUEST_COUNT, requests: 4 }",
    pick(one) {
      const type = isObject(one) ? one["type"] : undefined;
      if (type === "QUEUE_DELAY") return object(SCALERS.QUEUE_DELAY, "seconds");
      return type === "REQUEST_COUNT" ? object(SCALERS.REQUEST_COUNT, "requests") : undefined;
    },
  },
  idleSeconds: between(1, 3_600),
  keepAwakeSeconds: between(0, 3_600),
  accepts: object(ACCEPT_KEYS),
  replicas: {
    type: "either",
    expected: '{ dns: "host:port" } or { file: "path" }',
    pick(one) {
      if (!isObject(one)) return undefined;
      return "dns" in one ? object(DNS_KEYS, "dns") : object(FILE_KEYS, "file");
    },
  },
};

const MODEL_KEYS: Readonly<Record<string, Shape>> = {
  model: text,
  endpoints: list(object(ENDPOINT_KEYS, "url"), 1, MAX_ENDPOINTS),
  provider: oneOf(PROVIDERS),
  maxModelLen: count,
  temperature: between(0, 2),
  topP: between(0, 1),
  seed: value("a whole number", (one) => Number.isSafeInteger(one)),
  stop: list(
    value("a text", (one) => typeof one === "string"),
    0,
    16,
  ),
  maxTokens: count,
  thinking: {
    type: "either",
    expected: "true, false or { budgetTokens: a whole number }",
    pick: (one) => (typeof one === "boolean" ? flag : isObject(one) ? BUDGET : undefined),
  },
  extraBody: value("an object of JSON", (one) => isObject(one) && isJson(one)),
  timeouts: object(TIMEOUT_KEYS),
  route: oneOf(ROUTES),
  order: oneOf(ORDERS),
  maxQueued: count,
  hedge: flag,
  usdPerMillionTokens: object(PRICE_KEYS, "input", "output"),
  fallback: list(text, 0, 16),
};

const BUDGET: Shape = object(
  {
    budgetTokens: value(
      "a whole number of at least 0",
      (one) => Number.isSafeInteger(one) && Number(one) >= 0,
    ),
  },
  "budgetTokens",
);

const FLEET_KEYS: Readonly<Record<string, Shape>> = {
  models: { type: "record", of: object(MODEL_KEYS), least: 1, most: MAX_MODELS },
  default: text,
  gateway: url,
  tenants: { type: "record", of: positive, least: 0, most: MAX_TENANTS },
  limits: object(LIMIT_KEYS),
};

/** A fleet, key by key. */
export const FLEET_SHAPE: Shape = object(FLEET_KEYS, "models");

// Checks of the options of a Bosun and of a run.

import { DEFAULT_RETRY } from "./inference/pool/retry.ts";
import { isObject } from "./json.ts";
import {
  type Check,
  isFlag,
  isName,
  isString,
  isText,
  isWhole,
  type KnownOptions,
  optional,
  typeOf,
} from "./orchestration/crew/option.ts";
import { isRunLimits } from "./orchestration/crew/run-limit.ts";

const isModel: Check = (value) =>
  isText(value) === undefined || typeOf(value) === "endpoint" || hasCall(value)
    ? undefined
    : "a model's name, endpoint({ … }), or a Model";

const isRecord: Check = (value) => (isObject(value) ? undefined : "an object");

function hasCall(value: unknown): boolean {
  return isObject(value) && typeof value["call"] === "function";
}

function isEngine(value: unknown): boolean {
  return isObject(value) && typeof value["resume"] === "function";
}

const isSession: Check = (value) => {
  const { id, maxTokens, ...others } = isObject(value) ? value : { id: value };
  const isRight = isName(id) === undefined && optional(isWhole(1))(maxTokens) === undefined;
  return isRight && Object.keys(others).length === 0
    ? undefined
    : "1 to 64 letters, digits, _ or -, or { id, maxTokens }";
};

const CACHE_BOUNDS: readonly string[] = ["maxEntries", "maxBytes", "ttlMs"];

const isCache: Check = (value) => {
  if (typeof value === "boolean") return undefined;
  const isRight =
    isObject(value) &&
    Object.keys(value).every((name) => CACHE_BOUNDS.includes(name)) &&
    Object.values(value).every((bound) => optional(isWhole(1))(bound) === undefined);
  return isRight ? undefined : `true, false or an object of ${CACHE_BOUNDS.join(", ")}`;
};

/** Options of `start`, `kickoff` and `stream`. */
export const RUN_OPTIONS: KnownOptions = {
  checks: {
    inputs: isRecord,
    signal: optional((value) => (value instanceof AbortSignal ? undefined : "an AbortSignal")),
    model: optional((value) =>
      hasCall(value) ? "a model's name or endpoint({ … })" : isModel(value),
    ),
    runId: optional(isString),
    showPrompts: optional(isFlag),
    onAsk: optional((value) => (typeof value === "function" ? undefined : "a function")),
    session: optional(isSession),
    origin: optional(isText),
    limits: optional(isRunLimits),
    tenant: optional(isName),
    priority: optional((value) => (Number.isInteger(value) ? undefined : "a whole number")),
    responseCache: optional(isFlag),
  },
  notBuilt: ["deadlineMs"],
};

/** The same for a flow, whose inputs are looked at as its state. */
export const FLOW_RUN_OPTIONS: KnownOptions = {
  ...RUN_OPTIONS,
  checks: { ...RUN_OPTIONS.checks, inputs: () => undefined },
  code: "flow/invalid",
};

const isFunction: Check = (value) => (typeof value === "function" ? undefined : "a function");

/** Options of `createBosun`. */
export const BOSUN_OPTIONS: KnownOptions = {
  checks: {
    fleet: optional((value) =>
      value === false || isText(value) === undefined || isObject(value)
        ? undefined
        : "a file's path, a fleet, or false",
    ),
    onFleetProblem: optional(isFunction),
    onForeignLoad: optional(isFunction),
    data: optional((value) =>
      value === false ? undefined : isText(value) && "a folder, or false",
    ),
    models: optional((value) =>
      isObject(value) && Object.values(value).every((one) => isModel(one) === undefined)
        ? undefined
        : "models by alias",
    ),
    model: optional(isModel),
    outputFolder: optional(isText),
    env: optional(isRecord),
    clock: optional((value) =>
      isObject(value) && typeof value["timer"] === "function" ? undefined : "a Clock",
    ),
    limits: optional(isRunLimits),
    responseCache: optional(isCache),
    retry: optional((value) => {
      const isKnown =
        isObject(value) && Object.keys(value).every((key) => Object.hasOwn(DEFAULT_RETRY, key));
      return isKnown ? undefined : `an object of ${Object.keys(DEFAULT_RETRY).join(", ")}`;
    }),
    countTokens: optional(isFunction),
    engine: optional((value) =>
      value === "inline" || value === "sqlite" || isEngine(value)
        ? undefined
        : '"inline", "sqlite", or a DurableEngine',
    ),
    durability: optional((value) =>
      value === "process" || value === "power" ? undefined : '"process" or "power"',
    ),
  },
  notBuilt: [],
};

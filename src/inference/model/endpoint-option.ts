// What each option of an endpoint may be, for callers that no compiler checks. Pure; knows no server.

import { BosunError } from "../../error.ts";
import { DIALECTS } from "../fleet/fleet.ts";
import { isJson, isObject, ownValue } from "../../json.ts";
import { isTokenPrice } from "./price.ts";

/** Says what is expected where the value is something else. */
export type Check = (value: unknown) => string | undefined;

/** @throws BosunError `config/invalid` that names the first option that is unknown or of a wrong kind. */
export function checkOptions(options: Readonly<Record<string, unknown>>): void {
  checkFields("endpoint", options, CHECKS);
}

/** @throws BosunError `config/invalid` that names `where` and the first field that is unknown or of a wrong kind. */
export function checkFields(
  where: string,
  fields: Readonly<Record<string, unknown>>,
  checks: Readonly<Record<string, Check>>,
): void {
  const names = Object.keys(checks);
  for (const [name, value] of Object.entries(fields)) {
    const check = ownValue(checks, name);
    if (!check)
      throw new BosunError(
        "config/invalid",
        `${where}: unknown option "${name}". It takes ${names.join(", ")}`,
      );
    const expected = value === undefined ? undefined : check(value);
    if (expected !== undefined)
      throw new BosunError("config/invalid", `${where}: ${name} must be ${expected}`);
  }
}

/**
 * The base URL of a server, without slashes at its end.
 * @throws BosunError `config/invalid` for what is no http(s) URL, and for one with a password, a query or a hash.
 */
export function toBaseUrl(text: unknown): string {
  const url = typeof text === "string" && URL.canParse(text) ? new URL(text) : undefined;
  if (typeof text !== "string" || !url || !/^https?:$/.test(url.protocol)) {
    throw new BosunError(
      "config/invalid",
      `endpoint: url "${String(text)}" is not an http(s) URL. Write it as http://host:8000/v1`,
    );
  }
  if (url.username || url.password) {
    throw new BosunError(
      "config/invalid",
      `endpoint: the URL of ${url.host} holds a password. Name a variable with apiKeyEnv`,
    );
  }
  if (/[?#]/.test(text)) {
    throw new BosunError(
      "config/invalid",
      `endpoint: the url of ${url.host} has a query or a hash. Write it up to the version, as http://host:8000/v1, and a key with apiKeyEnv or headers`,
    );
  }
  let end = text.length;
  while (text[end - 1] === "/") end--;
  return text.slice(0, end);
}

const TIMEOUTS: readonly string[] = [
  "queueMs",
  "connectMs",
  "firstTokenMs",
  "interTokenMs",
  "totalMs",
];

/** For names. */
export const isText: Check = (value) =>
  typeof value === "string" && value.trim() !== "" ? undefined : "a text that is not empty";

const isFlag: Check = (value) => (typeof value === "boolean" ? undefined : "true or false");

/** For tokens and connections. */
export const isCount: Check = (value) =>
  Number.isSafeInteger(value) && Number(value) >= 1 ? undefined : "a whole number of at least 1";

const isDialect: Check = (value) =>
  typeof value === "string" && DIALECTS.some((dialect) => dialect === value)
    ? undefined
    : `one of ${DIALECTS.join(", ")}`;

const isHeaders: Check = (value) =>
  isObject(value) && Object.values(value).every((text) => typeof text === "string")
    ? undefined
    : "an object of texts";

const isStop: Check = (value) =>
  Array.isArray(value) && value.length <= 16 && value.every((text) => typeof text === "string")
    ? undefined
    : "a list of at most 16 texts";

function isBetween(least: number, most: number): Check {
  return (value) =>
    typeof value === "number" && value >= least && value <= most
      ? undefined
      : `a number from ${least} to ${most}`;
}

/** For `Timeouts`. */
export function isTimeouts(value: unknown): string | undefined {
  const isFit =
    isObject(value) &&
    Object.entries(value).every(
      ([name, ms]) => TIMEOUTS.includes(name) && (ms === undefined || isPositive(ms)),
    );
  return isFit
    ? undefined
    : `an object of ${TIMEOUTS.join(", ")}, each a positive number of milliseconds`;
}

function isPositive(value: unknown): boolean {
  return typeof value === "number" && Number.isFinite(value) && value > 0;
}

function isThinking(value: unknown): string | undefined {
  const tokens = isObject(value) ? value["budgetTokens"] : undefined;
  const isBudget = Number.isSafeInteger(tokens) && Number(tokens) >= 0;
  return typeof value === "boolean" || isBudget
    ? undefined
    : "true, false or { budgetTokens: a whole number }";
}

const CHECKS: Readonly<Record<string, Check>> = {
  url: (value) => (typeof value === "string" ? undefined : "a text: http://host:8000/v1"),
  model: isText,
  dialect: isDialect,
  apiKeyEnv: isText,
  headers: isHeaders,
  maxModelLen: isCount,
  caFile: isText,
  maxConnections: isCount,
  stream: isFlag,
  timeouts: isTimeouts,
  gateway: isFlag,
  usdPerMillionTokens: isTokenPrice,
  temperature: isBetween(0, 2),
  topP: isBetween(0, 1),
  seed: (value) => (Number.isSafeInteger(value) ? undefined : "a whole number"),
  stop: isStop,
  maxTokens: isCount,
  thinking: isThinking,
  extraBody: (value) => (isObject(value) && isJson(value) ? undefined : "an object of JSON"),
};

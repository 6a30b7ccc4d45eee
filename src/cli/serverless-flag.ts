// The flags of a serverless twin, and what its workers have cost.

import { BosunError } from "../error.ts";
import type { Bill } from "../inference/twin/serverless/bill.ts";
import type { Scaler } from "../inference/twin/serverless/scaler.ts";
import type { ServerlessStart } from "../inference/twin/start.ts";

/** Commander's names of Runpod's settings. */
export type ServerlessFlags = {
  readonly serverless?: boolean | undefined;
  readonly workersMin?: number | undefined;
  readonly workersMax?: number | undefined;
  readonly scaler?: string | undefined;
  readonly idleTimeout?: number | undefined;
  readonly jobsPerWorker?: number | undefined;
};

const SETTINGS = ["workersMin", "workersMax", "scaler", "idleTimeout", "jobsPerWorker"] as const;

/** Undefined without --serverless. @throws BosunError `usage` for a setting that would be ignored, or a scaler that is none. */
export function serverlessOf(flags: ServerlessFlags): ServerlessStart | undefined {
  const { serverless = false, scaler, ...settings } = flags;
  if (serverless) {
    const { workersMin, workersMax, idleTimeout, jobsPerWorker } = settings;
    const given = { workersMin, workersMax, idleTimeout, jobsPerWorker };
    return { settings: { ...given, scaler: scaler === undefined ? undefined : toScaler(scaler) } };
  }
  const ignored = SETTINGS.find((name) => flags[name] !== undefined);
  if (ignored === undefined) return undefined;
  const flag = ignored.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw new BosunError("usage", `--${flag} counts only with --serverless. Add it, or leave it out`);
}

function toScaler(text: string): Scaler {
  const [type, value = ""] = text.split(":");
  const number = Number(value);
  if (type === "QUEUE_DELAY" && number > 0) return { type, seconds: number };
  if (type === "REQUEST_COUNT" && Number.isSafeInteger(number) && number >= 1)
    return { type, requests: number };
  const expected = "QUEUE_DELAY:SECONDS or REQUEST_COUNT:REQUESTS, such as REQUEST_COUNT:4";
  throw new BosunError("usage", `--scaler ${text.slice(0, 80)}: it must be ${expected}`);
}

/** Seconds and dollars, with whose price it is. */
export function billLine({ billedSeconds, usd, price }: Bill): string {
  const { source, readAt } = price.flex;
  const when = readAt === undefined ? "" : `, ${readAt}`;
  return `Simulated bill: ${billedSeconds} worker seconds, $${usd.toFixed(4)} (${source}${when})`;
}

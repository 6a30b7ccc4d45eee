// Settings of a serverless endpoint, by Runpod's names and with its defaults (documentation of endpoint configurations, 2026-08-20).

import { BosunError } from "../../../error.ts";
import type { Scaler } from "./scaler.ts";

/** What a user sets. */
export type EndpointSettings = {
  /** Active workers: always on, at the active price. Default 0. */
  readonly workersMin?: number | undefined;
  /** Default 3. */
  readonly workersMax?: number | undefined;
  /** Seconds that a flex worker stays, billed, after its last request. Default 5. */
  readonly idleTimeout?: number | undefined;
  /** Default QUEUE_DELAY of 4 s. */
  readonly scaler?: Scaler | undefined;
  /** Requests that a worker takes at once. Default 30, MAX_CONCURRENCY of worker-vllm, 2026-08-20. */
  readonly jobsPerWorker?: number | undefined;
  /** Seconds until a start counts as failed, RUNPOD_INIT_TIMEOUT. Default 420. */
  readonly initTimeout?: number | undefined;
  /** Mean hours until a spot worker is taken away. Default Infinity: none is. */
  readonly meanHoursToInterruption?: number | undefined;
};

/** All of them set. */
export type ResolvedSettings = {
  readonly [Name in keyof Required<EndpointSettings>]: NonNullable<EndpointSettings[Name]>;
};

/** With the defaults. @throws BosunError `config/invalid` for a setting that no endpoint can have. */
export function resolveSettings(given: EndpointSettings = {}): ResolvedSettings {
  const settings: ResolvedSettings = {
    workersMin: given.workersMin ?? 0,
    workersMax: given.workersMax ?? 3,
    idleTimeout: given.idleTimeout ?? 5,
    scaler: given.scaler ?? { type: "QUEUE_DELAY", seconds: 4 },
    jobsPerWorker: given.jobsPerWorker ?? 30,
    initTimeout: given.initTimeout ?? 420,
    meanHoursToInterruption: given.meanHoursToInterruption ?? Infinity,
  };
  const { scaler, workersMin } = settings;
  checkCount("workersMin", workersMin, 0);
  checkCount("workersMax", settings.workersMax, Math.max(1, workersMin));
  checkCount("jobsPerWorker", settings.jobsPerWorker, 1);
  checkAbove("idleTimeout", settings.idleTimeout);
  checkAbove("initTimeout", settings.initTimeout);
  checkAbove("meanHoursToInterruption", settings.meanHoursToInterruption);
  if (scaler.type === "REQUEST_COUNT") checkCount("scaler.requests", scaler.requests, 1);
  else checkAbove("scaler.seconds", scaler.seconds);
  return settings;
}

/** Runpod's own bound of workers is the account's quota, 60 at most; a twin may try more. */
const MOST = 10_000;

function checkCount(name: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= MOST) return;
  throw invalid(`${name} must be a whole number from ${least} to ${MOST}, got ${value}`);
}

function checkAbove(name: string, value: number): void {
  if (value > 0) return;
  throw invalid(`${name} must be above 0, got ${value}`);
}

function invalid(message: string): BosunError {
  return new BosunError("config/invalid", `twin endpoint: ${message}`);
}

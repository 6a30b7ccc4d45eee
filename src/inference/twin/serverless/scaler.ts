// How many workers an endpoint wants: Runpod's two scalers. Pure. They only ask for more: workers leave by their idle time-out.

/** Runpod's scalerType with its scalerValue. Source: Runpod documentation, endpoint configurations, 2026-08-20. */
export type Scaler =
  /** A worker more when a request has waited longer than this. Runpod's default: 4. */
  | { readonly type: "QUEUE_DELAY"; readonly seconds: number }
  /** ceil((queued + in progress) / requests) workers. */
  | { readonly type: "REQUEST_COUNT"; readonly requests: number };

/** What a scaler sees of an endpoint. */
export type Load = {
  readonly queued: number;
  readonly inProgress: number;
  /** Requests in the queue that have waited longer than the scaler's seconds. */
  readonly overdue: number;
  /** Workers that start or run. */
  readonly workers: number;
  /** Those of them that start: they will take requests soon. */
  readonly starting: number;
  /** Requests that one worker takes at once. */
  readonly jobsPerWorker: number;
};

/** Bounds of the number of workers. */
export type WorkerBounds = { readonly workersMin: number; readonly workersMax: number };

/**
 * Workers that should start or run, within the bounds.
 * @example REQUEST_COUNT of 4 with 6 queued and 3 in progress: ceil(9 / 4) = 3.
 * @example QUEUE_DELAY with 3 overdue requests, one worker running and one starting, one request each: 3 are needed,
 * one is on its way, so 2 + 2 = 4. Runpod does not document how many it starts at once; this is enough for the requests that wait.
 */
export function planWorkers(
  scaler: Scaler,
  load: Load,
  { workersMin, workersMax }: WorkerBounds,
): number {
  return Math.min(workersMax, Math.max(workersMin, wantedWorkers(scaler, load)));
}

function wantedWorkers(scaler: Scaler, load: Load): number {
  switch (scaler.type) {
    case "QUEUE_DELAY": {
      const needed = Math.ceil(load.overdue / load.jobsPerWorker);
      return load.workers + Math.max(0, needed - load.starting);
    }
    case "REQUEST_COUNT":
      return Math.ceil((load.queued + load.inProgress) / scaler.requests);
    default:
      return scaler satisfies never;
  }
}

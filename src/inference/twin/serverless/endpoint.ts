// A serverless endpoint in a twin: a queue before workers that come and go, on a clock, with the bill.
//
// Works in virtual time with any number of engines: whatever generates can be launched in a worker. The scaler decides
// (scaler.ts), workers live (worker.ts), this file gives requests to workers and starts workers for requests.
//
// Invariants
//   Q1  Requests are given to workers in the order in which they came; one that lost its worker before its first token goes first.
//   Q2  A request is never in the queue and on a worker at once, and leaves both when its caller aborts.
//   Q3  At most workersMax workers start or run.

import type { Clock, Timer } from "../../../clock.ts";
import type { GenerateEvent, GenerateRequest } from "../generate.ts";
import { createRandom } from "../random.ts";
import { type Bill, sumTimes, toBill, type WorkerPrice } from "./bill.ts";
import type { ColdStart, DrawnStart } from "./cold-start.ts";
import { RequestQueue } from "./request-queue.ts";
import { type Load, planWorkers } from "./scaler.ts";
import { type EndpointSettings, type ResolvedSettings, resolveSettings } from "./settings.ts";
import { Worker, type WorkerState } from "./worker.ts";

/** What runs in a worker. */
export interface WorkerReplica extends Partial<Disposable> {
  generate(request: GenerateRequest, signal: AbortSignal): AsyncIterable<GenerateEvent>;
}

/** What a twin's endpoint is made of. */
export type EndpointOptions = {
  readonly clock: Clock;
  readonly seed: number;
  readonly coldStart: ColdStart;
  readonly price: WorkerPrice;
  readonly settings?: EndpointSettings | undefined;
  readonly launch: (workerId: string) => WorkerReplica;
};

/** Counts by Runpod's words; its `running` workers are those that start and run here, all billed. */
export type EndpointHealth = {
  readonly jobs: Readonly<
    Record<"inQueue" | "inProgress" | "completed" | "failed" | "retried", number>
  >;
  readonly workers: Readonly<Record<WorkerState, number>>;
};

/** A request loses its worker at most so often, then it fails. Runpod does not document its own number. */
const MAX_ATTEMPTS = 3;

/** An endpoint that scales. Its workers begin to initialise when it is made. */
export class ServerlessEndpoint implements WorkerReplica, Disposable {
  readonly #clock: Clock;
  readonly #price: WorkerPrice;
  readonly #settings: ResolvedSettings;
  readonly #workers: readonly Worker<WorkerReplica>[];
  readonly #queue = new RequestQueue<Place>(({ worker, host }) => worker.release(host));
  #completed = 0;
  #failed = 0;
  #retried = 0;
  #overdueTimer: Timer | undefined;
  #isActing = true;

  /** @throws BosunError `config/invalid` for a setting that no endpoint can have. */
  constructor({ clock, seed, coldStart, price, settings, launch }: EndpointOptions) {
    this.#clock = clock;
    this.#price = price;
    this.#settings = resolveSettings(settings);
    const { idleTimeout, initTimeout, meanHoursToInterruption } = this.#settings;
    const { workersMin, workersMax } = this.#settings;
    const setup = {
      clock,
      coldStart,
      launch,
      random: createRandom(seed),
      idleTimeoutMs: idleTimeout * 1_000,
      initLimitMs: initTimeout * 1_000,
      meanTimeToInterruptionMs: meanHoursToInterruption * 3_600_000,
      onChange: () => this.#act(),
    };
    this.#workers = Array.from(
      { length: workersMax },
      (_, index) => new Worker(`worker-${index}`, index < workersMin, setup),
    );
    this.#isActing = false;
  }

  /** The engine's events, from whichever worker; `queueMs` holds the wait for it. @throws BosunError `model/overloaded`. */
  async *generate(request: GenerateRequest, signal: AbortSignal): AsyncGenerator<GenerateEvent> {
    const sinceMs = this.#clock.now();
    for (let attempt = 1; ; attempt++) {
      const given = this.#queue.add(sinceMs, signal);
      this.#act();
      const place = await given;
      if (!place) {
        yield this.#ended(sinceMs, "abort");
        return;
      }
      const waitedMs = this.#clock.now() - sinceMs;
      let hasTokens = false;
      let end: EndEvent | undefined;
      try {
        const both = AbortSignal.any([signal, place.host]);
        for await (const event of place.replica.generate(request, both)) {
          hasTokens ||= event.type === "tokens";
          if (event.type !== "end") yield event;
          else if (!isLost(place, signal)) end = event;
        }
      } catch (error) {
        if (!isLost(place, signal)) throw error;
      } finally {
        place.worker.release(place.host);
      }
      if (end) yield this.#counted(end, waitedMs);
      if (end || !isLost(place, signal)) return;
      // What was said cannot be said again: only a request without a token moves to another worker.
      if (hasTokens || attempt === MAX_ATTEMPTS) {
        yield this.#ended(sinceMs, "error");
        return;
      }
      this.#retried++;
    }
  }

  /** Counts of requests and workers now. */
  health(): EndpointHealth {
    return {
      jobs: {
        inQueue: this.#queue.length,
        inProgress: this.#inProgress(),
        completed: this.#completed,
        failed: this.#failed,
        retried: this.#retried,
      },
      workers: {
        initializing: this.#count("initializing"),
        idle: this.#count("idle"),
        starting: this.#count("starting"),
        running: this.#count("running"),
        unhealthy: this.#count("unhealthy"),
      },
    };
  }

  /** The newest starts of each worker. */
  starts(): readonly DrawnStart[] {
    return this.#workers.flatMap((worker) => worker.starts);
  }

  /** What all workers have cost until now; stretches that are open count as if they ended now. */
  bill(): Bill {
    const timesOf = (isActive: boolean) =>
      this.#workers.filter((one) => one.isActive === isActive).map((one) => one.billed());
    return toBill({ flex: sumTimes(timesOf(false)), active: sumTimes(timesOf(true)) }, this.#price);
  }

  /** Ends all workers; requests on them end with an error. */
  [Symbol.dispose](): void {
    this.#isActing = true; // nothing is started any more
    this.#overdueTimer?.[Symbol.dispose]();
    for (const worker of this.#workers) worker[Symbol.dispose]();
  }

  #counted(event: EndEvent, waitedMs: number): EndEvent {
    if (event.finish === "stop" || event.finish === "length") this.#completed++;
    else this.#failed++;
    const { timings } = event;
    return { ...event, timings: { ...timings, queueMs: timings.queueMs + waitedMs } };
  }

  /** The end of a request that has no engine to say it. */
  #ended(sinceMs: number, finish: "abort" | "error"): EndEvent {
    this.#failed++;
    const atMs = this.#clock.now();
    const timings = { queueMs: atMs - sinceMs, prefillMs: 0, decodeMs: 0 };
    return { type: "end", finish, atMs, timings, cachedTokens: 0, preemptions: 0 };
  }

  /** Gives what waits to who is free, then asks the scaler. What it does calls it again: not entered twice. */
  #act(): void {
    if (this.#isActing) return;
    this.#isActing = true;
    this.#assign();
    this.#scale();
    this.#isActing = false;
  }

  /** Each request to the worker with the fewest. */
  #assign(): void {
    while (this.#queue.length > 0) {
      const [worker] = this.#workers
        .filter(({ state, jobs }) => state === "running" && jobs < this.#settings.jobsPerWorker)
        .toSorted((a, b) => a.jobs - b.jobs);
      if (!worker) return;
      const { replica, host } = worker.take();
      this.#queue.give({ worker, replica, host });
    }
  }

  #scale(): void {
    const load = this.#load();
    let missing = planWorkers(this.#settings.scaler, load, this.#settings) - load.workers;
    for (const worker of this.#workers) {
      if (worker.state !== "idle" || (missing <= 0 && !worker.isActive)) continue;
      worker.start();
      missing--;
    }
    this.#overdueTimer?.[Symbol.dispose]();
    const nextMs = this.#queue.sinceMs(load.overdue);
    if (nextMs === undefined) return;
    const dueMs = nextMs + this.#delayMs() - this.#clock.now();
    this.#overdueTimer = this.#clock.timer(dueMs, () => this.#act());
  }

  #load(): Load {
    const starting = this.#count("starting");
    return {
      queued: this.#queue.length,
      inProgress: this.#inProgress(),
      overdue: this.#queue.countUntil(this.#clock.now() - this.#delayMs()),
      workers: starting + this.#count("running"),
      starting,
      jobsPerWorker: this.#settings.jobsPerWorker,
    };
  }

  #delayMs(): number {
    const { scaler } = this.#settings;
    return scaler.type === "QUEUE_DELAY" ? scaler.seconds * 1_000 : 0;
  }

  #inProgress(): number {
    return this.#workers.reduce((sum, { jobs }) => sum + jobs, 0);
  }

  #count(state: WorkerState): number {
    return this.#workers.filter((worker) => worker.state === state).length;
  }
}

type EndEvent = Extract<GenerateEvent, { type: "end" }>;

/** Where a request runs. */
type Place = {
  readonly worker: Worker<WorkerReplica>;
  readonly replica: WorkerReplica;
  /** Aborts when the worker is taken away. */
  readonly host: AbortSignal;
};

function isLost({ host }: Place, signal: AbortSignal): boolean {
  return host.aborted && !signal.aborted;
}

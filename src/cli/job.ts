// The jobs of a batch: one JSON object of inputs per line, and the results of an earlier, unfinished batch. See batch.ts.

import { createHash } from "node:crypto";
import { truncateSync } from "node:fs";
import type { Program } from "../bosun.ts";
import { BosunError, type ErrorData, messageOf } from "../error.ts";
import { isObject, parseJson } from "../json.ts";
import type { Usage } from "../inference/model/usage.ts";
import type { Inputs } from "../orchestration/crew/input.ts";
import type { RunStatus, TaskStatus } from "../orchestration/run/event.ts";
import { isInputs } from "./input.ts";
import { type Line, MAX_LINE_BYTES, readLines } from "./line.ts";
import { oneLine } from "./width.ts";

/** One line of the jobs file. `index` = its line's number - 1, so that results say where they belong. */
export type Job =
  | { readonly type: "inputs"; readonly index: number; readonly inputs: Inputs }
  | { readonly type: "broken"; readonly index: number; readonly error: ErrorData };

/** One line of the results file. Of several with one index the last counts. */
export type BatchRecord = {
  readonly index: number;
  /** Whose result it is, as `programLabel` says; results from before there was this field are anybody's. */
  readonly program?: string | undefined;
  /** As the job's line has them; absent for a line that is no job. */
  readonly inputs?: Inputs | undefined;
  readonly runId?: string | undefined;
  readonly status: RunStatus;
  readonly raw: string;
  readonly tasks?:
    | Readonly<
        Record<
          string,
          { readonly status: TaskStatus | "waiting" | "running"; readonly raw: string }
        >
      >
    | undefined;
  readonly usage: Usage;
  readonly error?: ErrorData | undefined;
};

/** What earlier results say. */
export type Finished = {
  /** For each index with a result a short hash of its inputs; "" for a line that was no job. */
  readonly hashes: ReadonlyMap<number, string>;
  /** Those of them whose result is a failure. */
  readonly failed: ReadonlySet<number>;
};

type Noted = { readonly hashes: Map<number, string>; readonly failed: Set<number> };

/**
 * The jobs of a file. Blank lines are none.
 * @throws BosunError `usage` for a file that cannot be read.
 */
export async function* readJobs(path: string): AsyncGenerator<Job> {
  for await (const line of orUsage(readLines(path), "--inputs", path)) {
    if (line.isTooLong || line.text.trim() !== "") yield toJob(line);
  }
}

function toJob({ number, text, isTooLong }: Line): Job {
  const index = number - 1;
  const broken = (why: string): Job => {
    const message = `line ${number} of the jobs ${why}`;
    return { type: "broken", index, error: { code: "usage", message, retryable: false } };
  };
  if (isTooLong) return broken(`is over ${MAX_LINE_BYTES} bytes`);
  const inputs = parseJson(text.replace(/^\uFEFF/, "")); // editors on Windows begin a file with a mark
  if (inputs === undefined) return broken("is not JSON");
  if (!isInputs(inputs))
    return broken("must be an object of texts, numbers, booleans, lists and objects");
  return { type: "inputs", index, inputs };
}

/**
 * What the results file of an earlier batch holds. A last line that was cut by a crash is removed from the file.
 * A failure that may pass ("retryable") does not count as finished.
 * @param program Whose results they must be.
 * @throws BosunError `usage` for a file that is no results file, or one of another program: nothing is ever appended to such a one.
 */
export async function readFinished(path: string, program: string): Promise<Finished> {
  const finished: Noted = { hashes: new Map(), failed: new Set() };
  let wholeBytes = 0;
  try {
    for await (const line of readLines(path)) {
      if (!line.isWhole && isTorn(line.text)) {
        truncateSync(path, wholeBytes);
        break;
      }
      wholeBytes = line.bytes;
      noteRecord(finished, line, { path, program });
    }
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return finished;
    throw toUsage(error, "--out", path);
  }
  return finished;
}

/** The beginning of a record, however short: only what this command wrote is ever removed. */
function isTorn(text: string): boolean {
  return text.startsWith(RECORD_START) || RECORD_START.startsWith(text);
}

/** As `toLine` writes it: `index` is a record's first field. */
const RECORD_START = '{"index":';

/** A crew or a flow, as its results name it. */
export function programLabel({ type, name }: Program): string {
  return `${type} ${name}`;
}

function noteRecord(
  finished: Noted,
  { number, text }: Line,
  { path, program }: { readonly path: string; readonly program: string },
): void {
  const record = parseJson(text);
  const index = isObject(record) ? record["index"] : undefined;
  if (!isObject(record) || typeof index !== "number" || typeof record["status"] !== "string") {
    throw new BosunError(
      "usage",
      `--out ${path}: line ${number} is not a result of a batch. Nothing was changed; give another file`,
    );
  }
  const { error, inputs, status, program: other = program } = record;
  if (other !== program) {
    throw new BosunError(
      "usage",
      `--out ${path}: line ${number} is a result of ${oneLine(String(other))}, and this is ${program}. Nothing was changed; give another file`,
    );
  }
  finished.hashes.delete(index);
  finished.failed.delete(index);
  if (isObject(error) && error["retryable"] === true) return;
  finished.hashes.set(index, isInputs(inputs) ? hashOf(inputs) : "");
  if (status !== "done" && status !== "partial") finished.failed.add(index);
}

/**
 * What a job has already: a result, a failure, or nothing. A failure counts for its own inputs only: a line that was mended is new.
 * @throws BosunError `usage` when the result at its place is one of other inputs.
 */
export function resultOf(job: Job, { hashes, failed }: Finished): "good" | "failed" | "none" {
  const found = hashes.get(job.index);
  const own = job.type === "inputs" ? hashOf(job.inputs) : "";
  const hasFailed = failed.has(job.index);
  if (found === undefined || (hasFailed && found !== own)) return "none";
  if (found === own) return hasFailed ? "failed" : "good";
  throw new BosunError(
    "usage",
    `line ${job.index + 1} of the jobs has changed since its result was written. Give another --out for changed jobs`,
  );
}

/** 96 bits: short enough to keep for a million jobs, long enough never to meet. */
function hashOf(inputs: Inputs): string {
  return createHash("sha256").update(JSON.stringify(inputs)).digest("base64url").slice(0, 16);
}

async function* orUsage<T>(
  source: AsyncIterable<T>,
  flag: string,
  path: string,
): AsyncGenerator<T> {
  try {
    yield* source;
  } catch (error) {
    throw toUsage(error, flag, path);
  }
}

function toUsage(error: unknown, flag: string, path: string): BosunError {
  if (error instanceof BosunError) return error;
  return new BosunError("usage", `${flag} ${path}: ${messageOf(error)}`, { cause: error });
}

/** A record as its line. */
export function toLine(record: BatchRecord): string {
  return `${JSON.stringify(record)}\n`;
}

// Checks in order: each says what it found, what to do, and how long it took. Knows nothing of what is checked.

import type { Clock } from "../clock.ts";
import { BosunError, isBosunError, messageOf } from "../error.ts";

/** What a check found. "skipped": it could not or need not be done, which is no failure. */
export type Finding = {
  readonly status: "ok" | "failed" | "skipped";
  readonly detail: string;
  /** The next step for the user. */
  readonly next?: string | undefined;
};

/** One check. */
export type Check = {
  readonly name: string;
  /** Checks without which this one is skipped. */
  readonly needs?: readonly string[] | undefined;
  /** A failure may be thrown: its message becomes the finding. */
  readonly find: (signal: AbortSignal) => Promise<Finding>;
  /** The next step when `find` throws, for errors whose message does not say it. */
  readonly advice?: ((error: unknown) => string | undefined) | undefined;
};

/** A finding with its check's name and time. */
export type CheckReport = Finding & { readonly name: string; readonly ms: number };

/** Most time of one check: a serverless endpoint may start a worker for the first call. */
export const CHECK_TIMEOUT_MS = 300_000;

/** Runs checks one after the other. @throws the signal's reason when it aborts. */
export async function* runChecks(
  checks: readonly Check[],
  options: { readonly clock: Clock; readonly signal: AbortSignal },
): AsyncGenerator<CheckReport> {
  const failed = new Set<string>();
  for (const check of checks) {
    const startedAt = options.clock.now();
    const missing = check.needs?.find((name) => failed.has(name));
    const finding: Finding =
      missing === undefined
        ? await findWithin(check, options)
        : { status: "skipped", detail: `needs: ${missing}` };
    if (finding.status === "failed" || missing !== undefined) failed.add(check.name);
    yield { name: check.name, ms: options.clock.now() - startedAt, ...finding };
  }
}

async function findWithin(
  { name, find, advice }: Check,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<Finding> {
  const late = (): Error =>
    new BosunError("model/timed-out", `"${name}" did not end within ${CHECK_TIMEOUT_MS / 1_000} s`);
  using deadline = clock.deadline(CHECK_TIMEOUT_MS, signal, late);
  try {
    return await find(deadline.signal);
  } catch (error) {
    signal.throwIfAborted();
    const reason: unknown = deadline.expired ? deadline.signal.reason : error;
    const code = isBosunError(reason) ? `[${reason.code}] ` : "";
    return { status: "failed", detail: `${code}${messageOf(reason)}`, next: advice?.(reason) };
  }
}

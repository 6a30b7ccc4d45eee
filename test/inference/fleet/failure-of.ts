import { BosunError } from "../../../src/error.ts";

/** The error that `work` throws. */
export function failureOf(work: () => unknown): BosunError {
  try {
    work();
  } catch (error) {
    if (error instanceof BosunError) return error;
    throw error;
  }
  throw new Error("it did not fail");
}

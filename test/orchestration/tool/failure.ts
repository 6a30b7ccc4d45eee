// What went wrong, for tests that are about failures.

import { BosunError } from "../../../src/error.ts";

/** The BosunError that `work` throws or rejects with; anything else is thrown on. */
export async function failureOf(work: () => unknown): Promise<BosunError> {
  try {
    await work();
  } catch (error) {
    if (error instanceof BosunError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

// A constraint is met whatever the source says: its own text where it fits, else the smallest one that does (O2).

import { isBosunError } from "../../../error.ts";
import { leastText, meets } from "./least.ts";
import type { TextSource, WriteAsk, Written } from "./source.ts";

/** What the source says, or the least that the constraint allows. @throws BosunError `model/bad-request` for one that nothing meets. */
export async function writeShaped(
  source: TextSource,
  ask: WriteAsk,
  signal: AbortSignal,
): Promise<Written> {
  const { constraint } = ask;
  if (!constraint) return source.write(ask, signal);
  const written = await writeOrNothing(source, ask, signal);
  if (written && (written.calls.length > 0 || (await meets(written.text, constraint))))
    return written;
  return { text: await leastText(constraint), reasoning: "", calls: [] };
}

/** A source that cannot fill a schema refuses; a server whose decoder is bound to the schema never does. */
async function writeOrNothing(
  source: TextSource,
  ask: WriteAsk,
  signal: AbortSignal,
): Promise<Written | undefined> {
  try {
    return await source.write(ask, signal);
  } catch (error) {
    if (isBosunError(error) && error.code === "model/bad-request") return undefined;
    throw error;
  }
}

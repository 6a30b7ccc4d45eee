// The lines of a file, one at a time: a file of any size is never in memory.

import { createReadStream } from "node:fs";

/** One line, without its end. `bytes` = the file's bytes up to and with it; `isWhole` is false for a last line without an end. */
export type Line = {
  readonly number: number;
  readonly text: string;
  /** True for a line over MAX_LINE_BYTES; its text is then empty. */
  readonly isTooLong: boolean;
  readonly bytes: number;
  readonly isWhole: boolean;
};

/** Longer lines are not read: 16 MiB hold any inputs that a model could be given. */
export const MAX_LINE_BYTES: number = 16 * 1024 * 1024;

/** The lines of a file. @throws the file system's error for a file that cannot be read. */
export async function* readLines(path: string): AsyncGenerator<Line> {
  let parts: Buffer[] = [];
  let length = 0;
  let bytes = 0;
  let number = 0;
  const add = (part: Buffer): void => {
    length += part.length;
    bytes += part.length;
    if (length <= MAX_LINE_BYTES) parts.push(part);
    else parts = [];
  };
  const take = (isWhole: boolean): Line => {
    const isTooLong = length > MAX_LINE_BYTES;
    const text = isTooLong
      ? ""
      : Buffer.concat(parts)
          .toString("utf8")
          .replace(/\r?\n$/, "");
    [parts, length, number] = [[], 0, number + 1];
    return { number, text, isTooLong, bytes, isWhole };
  };
  const chunks = createReadStream(path) as AsyncIterable<Buffer>; // `as`: without an encoding it gives Buffers
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(NEW_LINE); end >= 0; end = chunk.indexOf(NEW_LINE, from)) {
      add(chunk.subarray(from, end + 1));
      from = end + 1;
      yield take(true);
    }
    if (from < chunk.length) add(chunk.subarray(from));
  }
  if (length > 0) yield take(false);
}

const NEW_LINE = 0x0a;

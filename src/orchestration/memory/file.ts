// Reads files that may be hostile: links, pipes, devices, binary data, files larger than memory.

import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";

/** A file's text, or why it is not read. */
export type FileText =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "refused"; readonly reason: string };

/**
 * Reads a text file that is no link.
 * @param verify Called with the open file before anything of it is read; throws when it is not the right one.
 * @throws what `node:fs` throws: ENOENT, EACCES, ELOOP for a link.
 */
export async function readTextFile(
  path: string,
  maxBytes: number,
  verify?: (handle: FileHandle) => Promise<void>,
): Promise<FileText> {
  // NONBLOCK: opening a pipe that nobody writes to would wait for ever.
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    await verify?.(handle);
    const stat = await handle.stat();
    if (!stat.isFile()) return { type: "refused", reason: "it is not a regular file" };
    if (stat.size > maxBytes) {
      return { type: "refused", reason: `it has ${stat.size} bytes, the limit is ${maxBytes}` };
    }
    // One byte more than there may be: the file can grow while it is read.
    const { buffer, bytesRead } = await handle.read({
      buffer: Buffer.alloc(Math.min(stat.size, maxBytes) + 1),
      position: 0,
    });
    const bytes = buffer.subarray(0, Math.min(bytesRead, maxBytes));
    if (isBinary(bytes)) return { type: "refused", reason: "it is not a text" };
    return { type: "text", text: bytes.toString("utf8") };
  } finally {
    await handle.close();
  }
}

/** True when the first bytes hold a zero, as no text does. */
export function isBinary(bytes: Uint8Array): boolean {
  return bytes.subarray(0, 8_192).includes(0);
}

// Plays a wire reply on one HTTP response. Knows the steps and the socket, not what they mean.

import type { ServerResponse } from "node:http";
import type { WireReply, WireStep } from "./wire-reply.ts";

/**
 * Plays the steps until they end, the client leaves or a step ends the connection.
 * Rejects only for a head that HTTP does not allow.
 * @param onCut called before a step closes the connection by itself.
 */
export async function playReply(
  reply: WireReply,
  response: ServerResponse,
  onCut: () => void,
): Promise<void> {
  const gone = new Promise<void>((resolve) => response.once("close", resolve));
  for (const step of reply) {
    if (response.destroyed) return;
    await playStep(step, { response, gone, onCut });
  }
  if (!response.destroyed) response.end();
}

type Stage = {
  readonly response: ServerResponse;
  readonly gone: Promise<void>;
  readonly onCut: () => void;
};

async function playStep(step: WireStep, stage: Stage): Promise<void> {
  const { response, gone, onCut } = stage;
  switch (step.type) {
    case "head":
      if (step.headers["connection"] === "close") onCut(); // HTTP then closes it after the answer
      response.writeHead(step.status, step.headers);
      response.flushHeaders();
      return;
    case "write":
      await Promise.race([gone, flush(response, step.data)]);
      return;
    case "wait":
      await Promise.race([gone, step.until]);
      return;
    case "stall":
      await gone;
      return;
    case "cut":
      onCut();
      response.destroy();
      return;
    case "reset":
      onCut();
      response.socket?.resetAndDestroy();
      await gone;
      return;
    default:
      step satisfies never;
  }
}

/** Resolves when the data has left and a reader in this process had its turn: two immediates have a poll for sockets between them. */
function flush(response: ServerResponse, data: string | Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    response.write(data, () => setImmediate(() => setImmediate(resolve)));
  });
}

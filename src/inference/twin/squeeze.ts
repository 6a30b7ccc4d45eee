// A neighbour that fills a share of the KV cache: requests that nobody reads, until they are sent away.
//
// Not a switch in the engine: whatever meets them (preemption, a longer queue, slower steps) is what other tenants do.

import type { GenerateRequest } from "./generate.ts";
import type { Replica } from "./replica.ts";

/** Fills the share; 0 sends the neighbours away. */
export type Squeeze = (share: number) => void;

/** A squeeze of one replica. Neighbours arrive in the moment of the call, before whatever is asked next. */
export function createSqueeze({ config, generate }: Pick<Replica, "config" | "generate">): Squeeze {
  let stay = new AbortController();
  let count = 0;
  return (share) => {
    stay.abort(new Error("the neighbours have left"));
    stay = new AbortController();
    const { numGpuBlocks, blockSize, maxModelLen } = config;
    const most = maxModelLen - Math.max(1, Math.floor(maxModelLen / 4)); // the rest is what they answer
    for (let left = Math.floor(numGpuBlocks * blockSize * share); left > 0; left -= most) {
      const request = toNeighbour(++count, Math.min(left, most), maxModelLen);
      void occupy(generate(request, stay.signal));
    }
  };
}

/** Reads and drops. A neighbour that is refused or whose engine dies is simply gone. */
async function occupy(events: AsyncIterable<unknown>): Promise<void> {
  try {
    for await (const event of events) if (event === undefined) break;
  } catch {
    // nobody waits for it
  }
}

function toNeighbour(count: number, promptTokens: number, maxModelLen: number): GenerateRequest {
  const id = `neighbour-${count}`;
  const outputs = Math.max(1, maxModelLen - promptTokens);
  return {
    id,
    promptIds: new Int32Array(promptTokens).fill(1),
    outputIds: new Int32Array(outputs).fill(1),
    finish: "length",
    priority: 0,
    cacheSalt: id,
    lora: undefined,
  };
}

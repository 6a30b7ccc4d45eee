// What this process holds when nothing runs: sockets, timers, listeners, memory.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Counts at one moment. */
export type Leftover = {
  readonly sockets: number;
  readonly timers: number;
  /** Listeners on the process: signals, exits, warnings. */
  readonly listeners: number;
  readonly heapMb: number;
};

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void; // `as`: V8's own, by the flag above

/** After a full collection, and after what it finalises. */
export async function readLeftover(): Promise<Leftover> {
  for (let round = 0; round < 3; round++) {
    collect();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const resources = process.getActiveResourcesInfo();
  const countOf = (name: string): number => resources.filter((one) => one === name).length;
  return {
    sockets: countOf("TCPSocketWrap"),
    timers: countOf("Timeout"),
    listeners: process
      .eventNames()
      .reduce((sum, name) => sum + process.listenerCount(name as string), 0), // `as`: its names are texts
    heapMb: process.memoryUsage().heapUsed / 2 ** 20,
  };
}

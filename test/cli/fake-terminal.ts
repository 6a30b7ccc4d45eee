// A Terminal that keeps what is written, on a virtual clock.

import { Readable } from "node:stream";
import { createVirtualClock, type VirtualClock } from "../../src/clock.ts";
import { plain } from "../../src/cli/paint.ts";
import type { Output, Terminal } from "../../src/cli/terminal.ts";

export type FakeOutput = Output & { readonly writes: string[]; readonly text: string };

export function createFakeOutput(
  options: {
    readonly isTerminal?: boolean;
    readonly columns?: number;
    readonly rows?: number;
  } = {},
): FakeOutput {
  const writes: string[] = [];
  return {
    isTerminal: options.isTerminal ?? false,
    columns: () => options.columns ?? 80,
    rows: () => options.rows ?? 24,
    paint: plain,
    writes,
    get text() {
      return writes.join("");
    },
    write: (text) => void writes.push(text),
    drained: async () => undefined,
  };
}

export type FakeTerminal = Terminal & {
  readonly out: FakeOutput;
  readonly err: FakeOutput;
  readonly clock: VirtualClock;
  readonly interrupt: AbortController;
};

export function createFakeTerminal(
  options: { readonly isTerminal?: boolean; readonly typed?: readonly string[] } = {},
): FakeTerminal {
  const interrupt = new AbortController();
  return {
    input: { isTerminal: options.isTerminal ?? false, stream: Readable.from(options.typed ?? []) },
    out: createFakeOutput(options),
    err: createFakeOutput(options),
    clock: createVirtualClock(),
    env: () => ({}),
    signal: interrupt.signal,
    onInterrupt: () => ({ [Symbol.dispose]: () => undefined }),
    interrupt,
  };
}

// Where a command reads from and writes to, as one value, so that commands do not know whether they run in a terminal, a pipe or a test.

import type { Readable } from "node:stream";
import { isatty } from "node:tty";
import { readEnv } from "../bosun.ts";
import { type Clock, systemClock } from "../clock.ts";
import type { Env } from "../inference/model/http.ts";
import type { Interrupt } from "./interrupt.ts";
import { createPaint, type Paint } from "./paint.ts";

/** One stream to write to. */
export type Output = {
  readonly isTerminal: boolean;
  /** 80 where it is no terminal. */
  readonly columns: () => number;
  readonly rows: () => number;
  readonly paint: Paint;
  write(text: string): void;
  /** Resolves when everything that was written has left: the backpressure of a slow reader. */
  drained(): Promise<void>;
};

/** What a command reads. */
export type Input = { readonly isTerminal: boolean; readonly stream: Readable };

/** What a command works with. */
export type Terminal = {
  readonly input: Input;
  readonly out: Output;
  readonly err: Output;
  readonly clock: Clock;
  /** The environment over the lines of .env. @throws BosunError `config/invalid` for a .env that cannot be read. */
  readonly env: () => Env;
  /** Aborts at the first Ctrl-C. */
  readonly signal: AbortSignal;
  /** Lets `handle` have Ctrl-C until it is disposed; see Interrupt. */
  readonly onInterrupt: (handle: () => boolean) => Disposable;
};

/** The process's own terminal. */
export function createTerminal(interrupt: Interrupt): Terminal {
  let env: Env | undefined;
  return {
    input: {
      isTerminal: isatty(STDIN),
      get stream() {
        return process.stdin; // touched only when somebody is asked: opening it keeps the process alive
      },
    },
    out: toOutput(process.stdout),
    err: toOutput(process.stderr),
    clock: systemClock,
    env: () => (env ??= readEnv()),
    signal: interrupt.signal,
    onInterrupt: (handle) => interrupt.catch(handle),
  };
}

const STDIN = 0;

/** Whether progress can be drawn in place on stderr. */
export function canRedraw({ err, env }: Terminal): boolean {
  return err.isTerminal && env()["TERM"] !== "dumb";
}

/** A line, or several. */
export function writeLines(output: Output, lines: readonly string[]): void {
  if (lines.length > 0) output.write(`${lines.join("\n")}\n`);
}

function toOutput(stream: NodeJS.WriteStream & { readonly fd: number }): Output {
  let draining: Promise<void> | undefined;
  return {
    isTerminal: isatty(stream.fd),
    columns: () => stream.columns || 80,
    rows: () => stream.rows || 24,
    paint: createPaint(stream),
    write(text) {
      if (stream.write(text)) return;
      draining ??= new Promise((resolve) => {
        const done = (): void => {
          draining = undefined;
          stream.off("drain", done).off("close", done);
          resolve();
        };
        stream.once("drain", done).once("close", done); // a reader that has left drains nothing any more
      });
    },
    drained: async () => draining,
  };
}

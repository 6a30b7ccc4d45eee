// Shows a run while it goes: drawn in place on a terminal, one line per event elsewhere, or not at all.

import type { Clock } from "../clock.ts";
import type { RunEvent } from "../orchestration/run/event.ts";
import { applyEvent, EMPTY_RUN, type RunState } from "../orchestration/run/state.ts";
import { eventLine } from "./event-line.ts";
import { applyLive, type LiveState, NOTHING_LIVE } from "./live.ts";
import { liveLines } from "./live-lines.ts";
import { promptLines } from "./prompt-lines.ts";
import { createScreen } from "./screen.ts";
import { type Output, writeLines } from "./terminal.ts";

/** How progress is shown. */
export type ProgressMode = "live" | "lines" | "none";

export interface Progress extends Disposable {
  /** The folds of the events so far. */
  readonly state: RunState;
  readonly live: LiveState;
  event(event: RunEvent): void;
  /** Writes lines where they do not disturb what is drawn. */
  print(lines: readonly string[]): void;
  /** Draws nothing until what it returns is disposed: somebody is typing. */
  hold(): Disposable;
}

export type ProgressOptions = {
  readonly mode: ProgressMode;
  readonly output: Output;
  readonly clock: Clock;
};

/** Ten frames a second: faster is not seen, and each costs the machine that also runs the crew. */
const FRAME_MS = 100;

/** Progress on `output`. Disposing it removes what is drawn. */
export function createProgress({ mode, output, clock }: ProgressOptions): Progress {
  let state = EMPTY_RUN;
  let live = NOTHING_LIVE;
  const { paint } = output;
  const screen = mode === "live" ? createScreen(output) : undefined;
  let holds = 0;
  const print = (lines: readonly string[]): void => {
    if (screen && holds === 0) screen.print(lines);
    else writeLines(output, lines);
  };
  const draw = (): void => {
    const [columns, rows] = [output.columns(), output.rows()];
    if (state.startedAt !== undefined && holds === 0)
      screen?.draw(liveLines(state, live, { now: clock.now(), columns, rows, paint }));
    timer?.restart(FRAME_MS);
  };
  const timer = screen && clock.timer(FRAME_MS, draw);
  return {
    get state() {
      return state;
    },
    get live() {
      return live;
    },
    print,
    hold() {
      if (holds++ === 0) screen?.clear();
      return { [Symbol.dispose]: () => void holds-- };
    },
    event(event) {
      state = applyEvent(state, event);
      live = applyLive(live, event);
      if (event.type === "model-prompt") print(promptLines(event, paint));
      if (mode !== "lines") return;
      const line = eventLine(event, state.startedAt ?? event.at);
      if (line !== undefined) print([line]);
    },
    [Symbol.dispose]() {
      timer?.[Symbol.dispose]();
      screen?.clear();
    },
  };
}

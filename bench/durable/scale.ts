// How much is measured: the full run for figures, the quick one to see that all works.

export type Scale = {
  readonly name: "full" | "quick";
  readonly rounds: number;
  /** Milliseconds of one contender in one round. */
  readonly forMs: number;
  readonly inFlight: readonly number[];
  /** Steps of the long run. */
  readonly longSteps: number;
  readonly longRounds: number;
  /** Fresh processes of each kind. */
  readonly starts: number;
  readonly kills: number;
  /** Crew runs of a burst. */
  readonly crews: number;
};

/** About 9 minutes with all contenders. */
export const FULL: Scale = {
  name: "full",
  rounds: 7,
  forMs: 800,
  inFlight: [1, 16, 64, 256],
  longSteps: 5_000,
  longRounds: 3,
  starts: 15,
  kills: 3,
  crews: 300,
};

/** About a minute and a half. */
export const QUICK: Scale = {
  name: "quick",
  rounds: 3,
  forMs: 300,
  inFlight: [1, 64],
  longSteps: 1_000,
  longRounds: 1,
  starts: 5,
  kills: 1,
  crews: 60,
};

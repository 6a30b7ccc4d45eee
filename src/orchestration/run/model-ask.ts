// A model call as the bodies of runs ask for it.

import type { Timeouts } from "../../inference/model/endpoint.ts";
import type { OutputSpec } from "../../inference/model/message.ts";
import type { Path, Purpose, Reply } from "../../inference/model/model.ts";
import type { FitMode } from "../crew/input-fit.ts";
import type { Cut } from "./fit.ts";
import type { Fitting } from "./room.ts";

/** A call as the agent loop asks for it. */
export type Ask = Fitting & {
  readonly path: Path;
  readonly agent: string;
  /** The task that it is for; "" before the first. */
  readonly task: string;
  readonly purpose: Purpose;
  readonly output: OutputSpec | undefined;
  readonly timeouts: Timeouts | undefined;
  readonly remainingCalls: number | undefined;
  /** false = never from a response cache; undefined = as the run says. */
  readonly cache?: boolean | undefined;
  /** How sections that are too long are shortened. Default "cut". */
  readonly fit?: FitMode | undefined;
  /** Those that summarise sections. Default: `models`. */
  readonly summaryModels?: Ask["models"] | undefined;
  /** Summaries of sections by name: made once for a piece of work, and kept here by its calls. */
  readonly summaries?: Map<string, string> | undefined;
  /** Ends the call besides the run's own end. */
  readonly signal?: AbortSignal | undefined;
  /** Told what was cut, before the call. */
  readonly onFit?: ((cuts: readonly Cut[]) => void) | undefined;
};

/** Makes a call. */
export type AskFunction = (ask: Ask) => Promise<Reply>;

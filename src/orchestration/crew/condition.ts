// Conditions: whether a task is done at all. run/task.ts asks them.

import type { Inputs } from "./input.ts";

/** What a condition sees: the run's inputs, and the tasks that have ended, by name. */
export type SoFar = {
  readonly inputs: Inputs;
  readonly tasks: Readonly<
    Record<
      string,
      {
        readonly status: string;
        readonly raw: string;
        /** Typed and validated where the task has a schema, else the text; undefined without an output. */
        readonly output: unknown;
      }
    >
  >;
};

/** Whether a task is done at all. Called when its turn has come, and again for each further attempt (`onError: "retry"`). */
export type Condition = (soFar: SoFar) => boolean | Promise<boolean>;

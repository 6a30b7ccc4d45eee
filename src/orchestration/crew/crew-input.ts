// The inputs that a crew asks for, as the compiler knows them from its texts.

import type { Agent } from "./agent.ts";
import type { InputsOf } from "./input.ts";
import type { Task } from "./task.ts";

/** The names of the placeholders of a task, an agent or a crew; `string` when its texts are not known to the compiler. */
export type NamesOf<T> = T extends {
  readonly types?: { readonly inputs: infer Names extends string } | undefined;
}
  ? Names
  : never;

/** The inputs that the texts of a crew's tasks and agents ask for with {placeholders}. */
export type CrewInputs<
  Tasks extends readonly Task[],
  Agents extends readonly Agent[] = readonly [],
> = InputsOf<CrewNames<Tasks, Agents>>;

/** The names of those inputs. */
export type CrewNames<Tasks extends readonly Task[], Agents extends readonly Agent[]> =
  | NamesOf<Tasks[number]>
  | NamesOf<Agents[number]>;

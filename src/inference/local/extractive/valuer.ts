// What values of a schema mean: the port between the mechanics of filling (fill.ts) and those who know what to say.

import type { Json, JsonObject } from "../../../json.ts";

/** A place that takes a value. */
export type Slot = {
  /** Property name; that of the array for its items; "" at the root. */
  readonly name: string;
  readonly schema: JsonObject;
  readonly isRequired: boolean;
  /** Names of the properties beside it. */
  readonly siblings: readonly string[];
  /** Place in the nearest array, 0 outside. */
  readonly index: number;
};

/** Says what belongs into a slot. undefined = nothing sensible: the slot is left out, null, or filled with the least valid value. */
export type Valuer = {
  /** Texts that would fit, the best first; the first one that keeps the length bounds is taken. */
  texts(slot: Slot): readonly string[];
  number(slot: Slot): number | undefined;
  flag(slot: Slot): boolean | undefined;
  /** One of the options. */
  choice(slot: Slot, options: readonly Json[]): Json | undefined;
  /** Items of an array. */
  count(slot: Slot): number;
  /** Whether an optional property is filled. */
  wants(slot: Slot): boolean;
  /** Names for an object that takes any. */
  keys(slot: Slot): readonly string[];
  /** The valuer of an array's item. */
  item(slot: Slot, index: number): Valuer;
};

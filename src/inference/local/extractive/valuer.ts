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
  /** True for an array's item itself, not for the properties in it. */
  readonly isItem: boolean;
};

/** Says what belongs into a slot. undefined = nothing is known: the slot is left out or null, and a required one stays a gap. */
export type Valuer = {
  text(slot: Slot): string | undefined;
  number(slot: Slot): number | undefined;
  flag(slot: Slot): boolean | undefined;
  /** One of the options, of which there are two or more. */
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

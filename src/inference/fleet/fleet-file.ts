// The fleet file: its text, or the data of a program, parsed once into a Fleet. Pure: who reads files calls it with their text.

import type { Fleet } from "./fleet.ts";
import { FLEET_SHAPE } from "./fleet-key.ts";
import { fleetError } from "./fleet-place.ts";
import { findContradiction } from "./fleet-rule.ts";
import { findFault } from "./fleet-shape.ts";
import { type PlacedData, readPlacedYaml } from "./fleet-yaml.ts";

/** The name of the file that is looked for in the working folder. */
export const FLEET_FILE = "bosun.fleet.yaml";

/**
 * The fleet that a YAML text describes.
 * @param file its name in errors.
 * @throws BosunError `config/invalid` with file, line and column, what was expected and the nearest known key.
 */
export function parseFleet(file: string, text: string): Fleet {
  return toChecked(readPlacedYaml(file, text));
}

/**
 * The fleet that a program gives.
 * @param where its name in errors.
 * @throws BosunError `config/invalid` with the path of the first mistake.
 */
export function toFleet(value: unknown, where = "fleet"): Fleet {
  return toChecked({ value, placeOf: () => ({ file: where }) });
}

function toChecked({ value, placeOf }: PlacedData): Fleet {
  const fault = findFault(value, FLEET_SHAPE);
  if (fault) throw fleetError(placeOf(fault), fault.message, { path: fault.path });
  const fleet = value as Fleet; // `as`: findFault has looked at every key
  const contradiction = findContradiction(fleet);
  if (contradiction)
    throw fleetError(placeOf(contradiction), contradiction.message, { path: contradiction.path });
  return fleet;
}

// Where something stands in a fleet file, and the errors that say so.

import { BosunError } from "../../error.ts";
import type { ShapeFault } from "./fleet-shape.ts";

/** A place in a file. `line` and `column` begin at 1; both undefined where data was made by a program. */
export type FleetPlace = {
  readonly file: string;
  readonly line?: number | undefined;
  readonly column?: number | undefined;
};

/** `bosun.fleet.yaml:4:7`. */
function showPlace({ file, line, column }: FleetPlace): string {
  return line === undefined ? file : `${file}:${line}:${column ?? 1}`;
}

/** The error of a fleet, with its place in front of the message and in its details. */
export function fleetError(
  place: FleetPlace,
  message: string,
  details: { readonly path?: ShapeFault["path"] | undefined; readonly cause?: unknown } = {},
): BosunError {
  const { file, line, column } = place;
  const { path = [], cause } = details;
  const where = line === undefined && path.length > 0 ? ` ${path.join(".")}:` : "";
  return new BosunError("config/invalid", `${showPlace(place)}:${where} ${message}`, {
    details: { file, line, column, path: path.map(String) },
    ...(cause === undefined ? {} : { cause }),
  });
}

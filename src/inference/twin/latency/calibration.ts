// A calibration: the coefficients that were fitted to one server, with the errors of the fit, as a file holds them.

import { BosunError } from "../../../error.ts";
import { isObject, parseJson } from "../../../json.ts";
import { COEFFICIENTS } from "./coefficients.ts";
import type { Fit } from "./fit.ts";

/** What is kept of a calibration. Times are milliseconds. */
export type Calibration = {
  readonly type: "step-calibration";
  readonly version: 1;
  readonly endpoint: string;
  readonly model: string;
  /** When it was measured, ISO 8601. */
  readonly measuredAt: string;
} & Fit;

/**
 * The calibration of a file's text.
 * @throws BosunError `config/invalid` for what is none, naming what is wrong.
 */
export function readCalibration(text: string, file: string): Calibration {
  const value = parseJson(text);
  const fail = (what: string): BosunError =>
    new BosunError(
      "config/invalid",
      `${file}: ${what}. Make one with bosun twin calibrate --endpoint URL --out ${file}`,
    );
  if (!isObject(value) || value["type"] !== "step-calibration")
    throw fail("this is no calibration of a twin");
  if (value["version"] !== 1) throw fail("its version is not 1");
  const { coefficients } = value;
  for (const name of COEFFICIENTS) {
    const given = isObject(coefficients) ? coefficients[name] : undefined;
    if (typeof given !== "number" || !(given >= 0 && given < Infinity))
      throw fail(`coefficients.${name} must be a number of at least 0`);
  }
  return value as Calibration; // `as`: coefficients, the only part that is computed with, are checked above
}

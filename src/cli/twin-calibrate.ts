// `bosun twin calibrate`: measures a real server with a small load, so that a twin takes the times that this server takes.

import { writeFileSync } from "node:fs";
import { BosunError, messageOf } from "../error.ts";
import { createEndpointModel } from "../inference/model/client.ts";
import { type Endpoint, nameOf } from "../inference/model/endpoint.ts";
import { toEndpoint } from "../inference/model/preset.ts";
import { calibrate } from "../inference/twin/latency/calibrate.ts";
import type { Calibration } from "../inference/twin/latency/calibration.ts";
import { CALIBRATION_WAVES } from "../inference/twin/latency/calibration-load.ts";
import { COEFFICIENTS, type StepCoefficients } from "../inference/twin/latency/coefficients.ts";
import { commandName } from "./command-name.ts";
import { EXIT } from "./failure.ts";
import { tableLines } from "./table.ts";
import { type Terminal, writeLines } from "./terminal.ts";
import { oneLine } from "./width.ts";

/** Flags of `twin calibrate`. */
export type CalibrateFlags = {
  readonly endpoint: string;
  readonly model?: string | undefined;
  readonly out?: string | undefined;
  readonly json?: boolean | undefined;
};

const DEFAULT_FILE = "twin-calibration.json";

/**
 * Measures, prints the coefficients and the error of each point, and writes them to a file.
 * @throws BosunError `model/…` when the server cannot be measured, `usage` for a file that cannot be written.
 * @returns the exit code.
 */
export async function calibrateCommand(flags: CalibrateFlags, terminal: Terminal): Promise<number> {
  const { out, err, clock, signal } = terminal;
  const { out: file = DEFAULT_FILE } = flags;
  const endpoint = endpointOf(flags, terminal);
  const model = createEndpointModel({ endpoint, clock, env: terminal.env() });
  const waves = CALIBRATION_WAVES.length;
  writeLines(err, [
    `Measuring ${oneLine(nameOf(endpoint))}: ${waves} small loads, about a minute. It should do nothing else meanwhile.`,
  ]);
  try {
    const calibration = await calibrate({ model, endpoint, clock }, signal);
    writeFile(file, calibration);
    const width = out.isTerminal ? out.columns() : undefined;
    if (flags.json) out.write(`${JSON.stringify(calibration)}\n`);
    else writeLines(out, calibrationLines(calibration, file, width));
    return EXIT.done;
  } finally {
    model.close();
  }
}

function endpointOf({ endpoint: url, model }: CalibrateFlags, terminal: Terminal): Endpoint {
  if (!/^https?:\/\//.test(url))
    throw new BosunError("usage", `--endpoint ${url}: write a URL, as in http://gpu-1:8000/v1`);
  const endpoint = toEndpoint(url, terminal.env());
  return model === undefined ? endpoint : { ...endpoint, model };
}

function writeFile(file: string, calibration: Calibration): void {
  try {
    writeFileSync(file, `${JSON.stringify(calibration, undefined, 2)}\n`);
  } catch (cause) {
    throw new BosunError("usage", `--out ${file}: ${messageOf(cause)}`, { cause });
  }
}

/** The coefficients, the error of each point, and what to do with the file. Pure. */
export function calibrationLines(
  { coefficients, points, meanError, maxError, endpoint, model }: Calibration,
  file: string,
  columns: number | undefined,
): readonly string[] {
  const rows = points.map(({ name, measuredMs, fittedMs, error }) => [
    name,
    measuredMs.toFixed(2),
    fittedMs.toFixed(2),
    percent(error),
  ]);
  return [
    `${oneLine(model)} at ${oneLine(endpoint)}`,
    "",
    ...tableLines(
      COEFFICIENT_COLUMNS,
      COEFFICIENTS.map((name) => [name, micros(coefficients[name]), MEANINGS[name]]),
      { columns },
    ),
    "",
    ...tableLines(POINT_COLUMNS, rows, { columns }),
    "",
    `error: ${percent(meanError)} on average, ${percent(maxError)} at most. Above 10 % the server was busy with other work, or is none that batches.`,
    `written to ${oneLine(file)}. A twin with these times: ${commandName()} twin --calibration ${oneLine(file)}`,
  ];
}

const COEFFICIENT_COLUMNS = [
  { title: "coefficient" },
  { title: "µs", align: "right" },
  { title: "for each", flexible: true },
] as const;

const POINT_COLUMNS = [
  { title: "measured", flexible: true },
  { title: "ms", align: "right" },
  { title: "fitted ms", align: "right" },
  { title: "error", align: "right" },
] as const;

const MEANINGS: Readonly<Record<keyof StepCoefficients, string>> = {
  fixedMs: "step",
  readMs: "step, unless it computes longer: reading the weights",
  tokenMs: "token of a step",
  pairMs: "pair of tokens in a prompt",
  contextTokenMs: "token of context that an answer reads",
  requestMs: "request in a step",
  frontendMs: "request, before its first step",
};

/** Three significant digits: pairs take a thousandth of a microsecond, weights thousands. */
function micros(ms: number): string {
  const value = ms * 1_000;
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

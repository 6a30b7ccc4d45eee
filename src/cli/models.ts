// `bosun models`: the models of the fleet, or the default model; and what an endpoint says that it serves.

import { createBosun } from "../bosun.ts";
import { BosunError } from "../error.ts";
import { createEndpointModel } from "../inference/model/client.ts";
import { type Endpoint, nameOf } from "../inference/model/endpoint.ts";
import type { EndpointFacts } from "../inference/model/facts.ts";
import { toEndpoint } from "../inference/model/preset.ts";
import { openFleet } from "../own-fleet.ts";
import { EXIT } from "./failure.ts";
import { askFleet, fleetLines, type FleetReport } from "./fleet-report.ts";
import { modelLabel } from "./live.ts";
import { count } from "./number.ts";
import { tableLines } from "./table.ts";
import { type Terminal, writeLines } from "./terminal.ts";
import { oneLine } from "./width.ts";

/** Flags of `models`. */
export type ModelsFlags = {
  readonly endpoint?: string | undefined;
  readonly json?: boolean | undefined;
};

/** What is known about the models that can be used. */
type ModelsReport = {
  readonly default: string;
  /** Undefined for the embedded model. */
  readonly endpoint: string | undefined;
  readonly dialect: string | undefined;
  readonly models: readonly { readonly name: string; readonly contextTokens: number | undefined }[];
};

/** Prints the models. @throws BosunError `model/…` when the endpoint cannot be asked. @returns the exit code. */
export async function modelsCommand(flags: ModelsFlags, terminal: Terminal): Promise<number> {
  const { out } = terminal;
  const columns = out.isTerminal ? out.columns() : undefined;
  const fleet = flags.endpoint === undefined ? await askOwnFleet(terminal) : undefined;
  if (fleet) {
    if (flags.json) out.write(`${JSON.stringify({ fleet })}\n`);
    else writeLines(out, fleetLines(fleet, columns));
    return fleet.problems.length > 0 ? EXIT.failed : EXIT.done;
  }
  const report = await askModels(flags, terminal);
  if (flags.json) out.write(`${JSON.stringify(report)}\n`);
  else writeLines(out, modelsLines(report, columns));
  return EXIT.done;
}

/** Undefined where there is no fleet. */
async function askOwnFleet(terminal: Terminal): Promise<FleetReport | undefined> {
  const { clock } = terminal;
  const fleet = openFleet({}, { env: terminal.env(), clock });
  return fleet && askFleet(fleet, terminal);
}

async function askModels(
  { endpoint: url }: ModelsFlags,
  terminal: Terminal,
): Promise<ModelsReport> {
  const env = terminal.env();
  const bosun = createBosun({ data: false, fleet: false, env, clock: terminal.clock });
  try {
    const { defaultModel } = bosun;
    const name =
      typeof defaultModel === "string"
        ? modelLabel(`${defaultModel} at embedded`)
        : nameOf(defaultModel);
    const endpoint = url === undefined ? defaultModel : toUrlEndpoint(url, terminal);
    if (typeof endpoint === "string") {
      const contextTokens = await bosun.pool.contextTokens([endpoint], terminal.signal);
      const models = [{ name: endpoint, contextTokens }];
      return { default: name, endpoint: undefined, dialect: undefined, models };
    }
    const { dialect, models } = await factsOf(endpoint, terminal);
    const contexts = await Promise.all(
      models.slice(0, MAX_ASKED).map(async (model) => {
        const facts = await factsOf({ ...endpoint, model }, terminal);
        return facts.maxModelLen;
      }),
    );
    const served = models.map((model, index) => ({ name: model, contextTokens: contexts[index] }));
    return { default: name, endpoint: endpoint.url, dialect, models: served };
  } finally {
    await bosun.close();
  }
}

/** Models of one endpoint whose context is asked for. */
const MAX_ASKED = 20;

function toUrlEndpoint(url: string, terminal: Terminal): Endpoint {
  if (/^https?:\/\//.test(url)) return toEndpoint(url, terminal.env());
  throw new BosunError("usage", `--endpoint ${url}: write a URL, as in http://gpu-1:8000/v1`);
}

async function factsOf(endpoint: Endpoint, terminal: Terminal): Promise<EndpointFacts> {
  const { clock, signal } = terminal;
  const model = createEndpointModel({ endpoint, clock, env: terminal.env() });
  try {
    return await model.facts(signal);
  } finally {
    model.close();
  }
}

function modelsLines(report: ModelsReport, columns: number | undefined): readonly string[] {
  const { endpoint, dialect, models } = report;
  const where =
    endpoint === undefined
      ? "embedded: runs in this process"
      : `${endpoint} (${dialect ?? "unknown server"})`;
  const rows = models.map(({ name, contextTokens }) => [
    name,
    contextTokens === undefined ? "unknown" : `${count(contextTokens)} tokens`,
  ]);
  return [
    `default model: ${oneLine(report.default)}`,
    `endpoint:      ${oneLine(where)}`,
    "",
    ...(rows.length > 0 ? tableLines(COLUMNS, rows, { columns }) : ["It lists no models."]),
  ];
}

const COLUMNS = [
  { title: "model", flexible: true },
  { title: "context", align: "right" },
] as const;

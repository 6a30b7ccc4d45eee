// The fleet as `bosun models` shows it: each alias with its endpoints, and what they tell about themselves.

import { isBosunError, messageOf } from "../error.ts";
import { createEndpointModel } from "../inference/model/client.ts";
import type { Endpoint } from "../inference/model/endpoint.ts";
import type { Deployment, PoolEndpoint } from "../inference/pool/deployment.ts";
import { DIALECT_FACTS } from "../inference/pool/dialect.ts";
import { findContradictions } from "../inference/pool/fleet-check.ts";
import type { FleetWatch } from "../inference/pool/fleet-watch.ts";
import { createHttpProbe } from "../inference/pool/http-probe.ts";
import { askWith } from "../own-fleet.ts";
import { count } from "./number.ts";
import { tableLines } from "./table.ts";
import type { Terminal } from "./terminal.ts";
import { oneLine } from "./width.ts";

/** What is known about one endpoint. Undefined = it does not tell. */
type EndpointReport = {
  readonly name: string;
  readonly url: string;
  readonly dialect: string | undefined;
  readonly contextTokens: number | undefined;
  readonly kvTokens: number | undefined;
  readonly maxNumSeqs: number | undefined;
  /** "awake", "asleep", "starting", "unhealthy", or the error of asking. */
  readonly state: string;
  /** Why it could not be asked; undefined where it answered. */
  readonly error?: string | undefined;
  /** What nobody can ask of such a server. */
  readonly unknown: string | undefined;
};

/** What is known about a fleet. */
export type FleetReport = {
  /** Undefined for a fleet that a program gives. */
  readonly path: string | undefined;
  readonly default: string | undefined;
  /** What contradicts the file, and what of it cannot be used. */
  readonly problems: readonly string[];
  readonly models: readonly {
    readonly alias: string;
    readonly endpoints: readonly EndpointReport[];
  }[];
};

type Asking = Pick<Terminal, "clock" | "env" | "signal">;

/** Endpoints of one model that are asked; the table says how many more there are. */
const MAX_ASKED = 16;

/** Asks the endpoints of a fleet, all at once. */
export async function askFleet(fleet: FleetWatch, terminal: Asking): Promise<FleetReport> {
  const { models, default: first } = fleet.fleet();
  const aliases = Object.keys(models);
  const asked = await Promise.all(aliases.map((alias) => askModel(fleet, alias, terminal)));
  const problem = fleet.problem()?.message;
  return {
    path: fleet.path,
    default: first ?? aliases[0],
    problems: [
      ...(problem === undefined ? [] : [problem]),
      ...asked.flatMap((one) => one.problems),
    ],
    models: asked.map(({ alias, endpoints }) => ({ alias, endpoints })),
  };
}

async function askModel(
  fleet: FleetWatch,
  alias: string,
  terminal: Asking,
): Promise<FleetReport["models"][number] & { readonly problems: readonly string[] }> {
  const deployment = fleet.deployment(alias);
  const endpoints = deployment?.endpoints.slice(0, MAX_ASKED) ?? [];
  const [reports, problems] = await Promise.all([
    Promise.all(endpoints.map((one) => askEndpoint(one, terminal))),
    deployment ? contradictionsOf(deployment, terminal) : [],
  ]);
  return { alias, endpoints: reports, problems };
}

/** What the endpoints say against the file, each as a message. */
export async function contradictionsOf(
  deployment: Deployment,
  { clock, env, signal }: Asking,
): Promise<readonly string[]> {
  const found = await findContradictions(deployment, askWith({ env: env(), clock }), signal);
  return found.map(({ message }) => message);
}

async function askEndpoint(
  { name, at, capacity }: PoolEndpoint,
  terminal: Asking,
): Promise<EndpointReport> {
  if ("call" in at) throw new Error("a fleet has no models in this process");
  const { dialect, maxModelLen: contextTokens, url } = at;
  const { kvTokens, maxNumSeqs } = capacity;
  const written = { name, url, dialect, contextTokens, kvTokens, maxNumSeqs };
  const unknown = dialect && DIALECT_FACTS[dialect].unknown;
  try {
    const told = await askServerOf(at, terminal);
    return { ...written, ...told, ...given({ contextTokens, kvTokens, maxNumSeqs }) };
  } catch (error) {
    terminal.signal.throwIfAborted();
    const message = messageOf(error);
    const state = isBosunError(error) ? error.code : "failed";
    return { ...written, unknown, state, error: message };
  }
}

async function askServerOf(
  at: Endpoint,
  { clock, env, signal }: Asking,
): Promise<Pick<EndpointReport, "dialect" | "contextTokens" | "state" | "unknown">> {
  const model = createEndpointModel({ endpoint: at, clock, env: env() });
  try {
    // Runpod would start a worker to say what it serves.
    const facts = at.dialect === "runpod" ? undefined : await model.facts(signal);
    const dialect = at.dialect ?? facts?.dialect;
    const probe = createHttpProbe({ model, clock, dialect });
    const state = await probe.health(signal);
    const { kvTokens, maxNumSeqs } = await probe.capacity(signal);
    const contextTokens = facts?.maxModelLen ?? at.maxModelLen;
    const unknown = dialect && DIALECT_FACTS[dialect].unknown;
    return { dialect, contextTokens, state, unknown, ...given({ kvTokens, maxNumSeqs }) };
  } finally {
    model.close();
  }
}

/** The numbers that are known: what is written in the file wins over what is told. */
function given(numbers: Readonly<Record<string, number | undefined>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(numbers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value]],
    ),
  );
}

/** A fleet's models in a table. */
export function fleetLines(report: FleetReport, columns: number | undefined): readonly string[] {
  const rows = report.models.flatMap(({ alias, endpoints }) =>
    endpoints.map((one) => [
      alias === report.default ? `${alias} (default)` : alias,
      one.name,
      one.dialect ?? "unknown",
      tokens(one.contextTokens),
      tokens(one.kvTokens),
      one.maxNumSeqs === undefined ? "?" : count(one.maxNumSeqs),
      one.state,
    ]),
  );
  const failed = report.models.flatMap(({ endpoints }) =>
    endpoints.flatMap(({ name, error }) => (error === undefined ? [] : [`${name}: ${error}`])),
  );
  return [
    `fleet: ${oneLine(report.path ?? "given by a program")}`,
    "",
    ...tableLines(COLUMNS, rows, { columns }),
    ...(failed.length > 0 ? ["", ...failed.map(oneLine)] : []),
    ...(report.problems.length > 0 ? ["", ...report.problems.map(oneLine)] : []),
  ];
}

function tokens(value: number | undefined): string {
  return value === undefined ? "?" : count(value);
}

const COLUMNS = [
  { title: "model", flexible: true },
  { title: "endpoint", flexible: true },
  { title: "server" },
  { title: "context", align: "right" },
  { title: "KV tokens", align: "right" },
  { title: "seqs", align: "right" },
  { title: "state" },
] as const;

// `bosun gateway`: the fleet's models as one OpenAI-compatible endpoint with one ledger, until Ctrl-C.

import { createResolver, defaultModelOf, withFallbacks } from "../alias.ts";
import { BosunError } from "../error.ts";
import { createGateway } from "../inference/facade/gateway.ts";
import type { Aliases } from "../inference/facade/hop.ts";
import { type Listening, listen } from "../inference/facade/listen.ts";
import { nameOf } from "../inference/model/endpoint.ts";
import type { Env } from "../inference/model/http.ts";
import type { FleetWatch } from "../inference/pool/fleet-watch.ts";
import { createPool } from "../inference/pool/pool.ts";
import { openFleet } from "../own-fleet.ts";
import { EXIT, failureText } from "./failure.ts";
import { several } from "./number.ts";
import { type Terminal, writeLines } from "./terminal.ts";
import { bosunVersion } from "./version.ts";

/** Flags of `gateway`. */
export type GatewayFlags = {
  readonly port?: number | undefined;
  readonly host?: string | undefined;
  readonly fleet?: string | undefined;
  /** The variable that holds the token; needed for an address that others can reach. */
  readonly tokenEnv?: string | undefined;
  /** Seconds. */
  readonly drain?: number | undefined;
};

const DEFAULT_PORT = 8_500;
/** Kubernetes kills after 30. */
const DEFAULT_DRAIN_SECONDS = 25;
/** Workers keep as many open as they have calls in flight or waiting here. */
const MAX_CONNECTIONS = 16_384;
/** The name of the model of agents that name none. */
const DEFAULT_ALIAS = "default";

/**
 * Serves the fleet until the user interrupts: calls that are open then may end, a second interrupt ends the process at once.
 * @returns the exit code: ending a server by Ctrl-C is its normal end.
 */
export async function gatewayCommand(flags: GatewayFlags, terminal: Terminal): Promise<number> {
  const { clock, signal, err } = terminal;
  const {
    port = DEFAULT_PORT,
    host = "127.0.0.1",
    tokenEnv,
    drain = DEFAULT_DRAIN_SECONDS,
  } = flags;
  const env = terminal.env();
  const tell = (error: unknown): void => writeLines(err, [failureText(error, false)]);
  const fleet = openFleet(
    { fleet: flags.fleet, onFleetProblem: tell },
    { env, clock, isGateway: true },
  );
  if (fleet) checkModels(fleet);
  const pool = createPool({ clock, env, resolve: createResolver({}, env, fleet) });
  const aliases = (): Aliases => aliasesOf(env, fleet);
  const app = createGateway({ pool, aliases, clock, version: bosunVersion(), onError: tell });
  const token = tokenEnv === undefined ? undefined : tokenOf(tokenEnv, env);
  const patience = { ms: drain * 1_000, clock };
  const limits = { signal, token, maxConnections: MAX_CONNECTIONS, drain: patience };
  const server = await listen(app, { port, host, ...limits });
  writeLines(err, aboutLines(server.url, { aliases: aliases(), fleet }));
  signal.addEventListener("abort", () => writeLines(err, closingLines(server, drain)));
  await server.closed;
  pool.close();
  return EXIT.done;
}

/** With a gateway a fleet may leave its endpoints out; the gateway itself needs them. */
function checkModels(fleet: FleetWatch): void {
  const { models } = fleet.fleet();
  for (const [alias, { endpoints, provider }] of Object.entries(models))
    if (!endpoints && !provider)
      throw new BosunError(
        "config/invalid",
        `the fleet's model "${alias}" has neither endpoints nor a provider: a gateway has nowhere to send its calls. Give its endpoints`,
      );
}

/** As the fleet is now: its file may change while the gateway runs. */
function aliasesOf(env: Env, fleet: FleetWatch | undefined): Aliases {
  const names = Object.keys(fleet?.fleet().models ?? {});
  const given = names.map((alias) => [alias, withFallbacks([alias], fleet)] as const);
  const usual = withFallbacks([defaultModelOf({}, env, fleet)], fleet);
  return { [DEFAULT_ALIAS]: usual, ...Object.fromEntries(given) };
}

function tokenOf(name: string, env: Env): string {
  const token = env[name]?.trim();
  if (token) return token;
  throw new BosunError("config/invalid", `--token-env ${name}: this variable is not set`);
}

function closingLines(server: Listening, seconds: number): string[] {
  const open = server.openRequests();
  if (open === 0 || seconds === 0) return [];
  return [
    `Closing: ${several(open, "open call")} may go on for ${seconds} s. Ctrl-C again ends at once.`,
  ];
}

type About = { readonly aliases: Aliases; readonly fleet: FleetWatch | undefined };

function aboutLines(url: string, { aliases, fleet }: About): string[] {
  const names = Object.keys(aliases);
  const served = names.slice(0, 20).join(", ") + (names.length > 20 ? ", …" : "");
  const [usual] = aliases[DEFAULT_ALIAS] ?? [DEFAULT_ALIAS];
  return [
    `The gateway answers at ${url}/v1`,
    `Models: ${served} (${DEFAULT_ALIAS} is ${nameOf(usual)})${fleet?.path ? `, from ${fleet.path}` : ""}`,
    ...(fleet ? [] : ["No fleet file: write bosun.fleet.yaml, or name one with --fleet FILE"]),
    `Its numbers: ${url}/metrics`,
    `Workers: gateway: ${url}/v1 in their fleet file`,
    "Ctrl-C ends it.",
  ];
}

// `bosun model serve`: an embedded model as an OpenAI-compatible endpoint, until Ctrl-C.

import { BosunError } from "../error.ts";
import { createFacade } from "../inference/facade/facade.ts";
import { listen } from "../inference/facade/listen.ts";
import { createExtractive, EXTRACTIVE } from "../inference/local/extractive/extractive.ts";
import { commandName } from "./command-name.ts";
import { EXIT, failureText } from "./failure.ts";
import { modelLabel } from "./live.ts";
import { type Terminal, writeLines } from "./terminal.ts";
import { bosunVersion } from "./version.ts";

/** Flags of `model serve`. */
export type ServeModelFlags = {
  readonly port?: number | undefined;
  readonly host?: string | undefined;
  /** The variable that holds the token; needed for an address that others can reach. */
  readonly tokenEnv?: string | undefined;
};

/** As vLLM's. */
const DEFAULT_PORT = 8_000;

/** Serves a model until the user interrupts. @returns the exit code: ending a server by Ctrl-C is its normal end. */
export async function serveModel(
  name: string,
  flags: ServeModelFlags,
  terminal: Terminal,
): Promise<number> {
  if (name !== EXTRACTIVE.model) throw notServed(name);
  const { clock, signal, out, err } = terminal;
  const { port = DEFAULT_PORT, host = "127.0.0.1", tokenEnv } = flags;
  const app = createFacade({
    models: { [EXTRACTIVE.model]: createExtractive({ clock }) },
    clock,
    version: bosunVersion(),
    onError: (error) => writeLines(err, [failureText(error, false)]),
  });
  const token = tokenEnv === undefined ? undefined : tokenOf(tokenEnv, terminal);
  const server = await listen(app, { port, host, signal, token });
  const url = `${server.url}/v1`;
  writeLines(out, [
    `${modelLabel(`${name} at embedded`)} answers at ${url}`,
    `Try: ${commandName()} run . --model ${url}`,
    "Ctrl-C ends it.",
  ]);
  await server.closed;
  return EXIT.done;
}

function notServed(name: string): BosunError {
  const isLocal = /^(hf:|.*\.gguf$)/.test(name);
  const message = isLocal
    ? `serving "${name}": llama.cpp in this process is not built yet in this version`
    : `there is no embedded model "${name}". There is: ${EXTRACTIVE.model}`;
  return new BosunError("usage", message);
}

function tokenOf(name: string, terminal: Terminal): string {
  const token = terminal.env()[name]?.trim();
  if (token) return token;
  throw new BosunError("config/invalid", `--token-env ${name}: this variable is not set`);
}

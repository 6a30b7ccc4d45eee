// The flags of `bosun gateway`.

import type { Command } from "commander";
import { commandName } from "./command-name.ts";
import { type Define, toPort, toSeconds } from "./command-option.ts";
import type { GatewayFlags } from "./gateway.ts";

/** Adds the command. */
export function addGateway(program: Command, { terminal, onCode }: Define): void {
  program
    .command("gateway")
    .description(
      "serve the fleet as one OpenAI-compatible endpoint: one queue and one ledger for all",
    )
    .option("--port <n>", "default 8500; 0 takes a free one", toPort)
    .option(
      "--host <address>",
      "default 127.0.0.1; any address that others can reach needs a token",
    )
    .option("--fleet <file>", "default: BOSUN_FLEET, else bosun.fleet.yaml in the working folder")
    .option("--token-env <name>", "the variable that holds the token")
    .option("--drain <s>", "how long open calls may go on at Ctrl-C; default 25", toSeconds)
    .addHelpText("after", `\nExample:\n  ${commandName()} gateway --fleet bosun.fleet.yaml`)
    .action(async (flags: GatewayFlags) => {
      const { gatewayCommand } = await import("./gateway.ts");
      onCode(await gatewayCommand(flags, terminal));
    });
}

// Commands of the design that this version does not have: each says so, instead of being unknown.

import { type Command, Option } from "commander";
import { BosunError } from "../error.ts";

/** Top-level commands that are not built yet. */
export const NOT_BUILT_COMMANDS: readonly string[] = [
  "serve",
  "worker",
  "handler",
  "dev",
  "size",
  "price",
  "simulate",
  "plan",
  "cost",
  "bench",
  "gpu",
  "memory",
  "dashboard",
  "deploy",
];

/** A flag of a command that is built: it is known, and says that it does nothing yet. */
export function notBuiltOption(flags: string): Option {
  return new Option(flags, "not built yet in this version").hideHelp().argParser(() => {
    throw new BosunError("usage", `${flags.split(" ")[0]} is not built yet in this version`);
  });
}

/** Adds commands that throw `usage` whatever follows them. */
export function addNotBuilt(parent: Command, names: readonly string[]): void {
  for (const name of names) {
    const command = parent
      .command(name, { hidden: true })
      .description("not built yet in this version")
      .argument("[anything...]")
      .allowUnknownOption();
    command.action(() => {
      const full = parent.parent ? `${parent.name()} ${name}` : name;
      throw new BosunError("usage", `"bosun ${full}" is not built yet in this version`);
    });
  }
}

// What a user types to start this command again, for hints. A checkout has no `bosun` on the path.

/** The command's name as it was started: in a checkout the file with Node of the toolchain, else `bosun`. */
export function commandName(started: string | undefined = process.argv[1]): string {
  const file = started?.replaceAll("\\", "/") ?? "";
  return file.endsWith(SOURCE) ? `npm exec -- node ${SOURCE}` : "bosun";
}

/** The --data of a command that was given one, for a hint to another command. */
export function dataFlag(data: string | undefined): string {
  return data === undefined ? "" : ` --data ${data}`;
}

const SOURCE = "src/cli/main.ts";

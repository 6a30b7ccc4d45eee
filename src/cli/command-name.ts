// What a user types to start this command again, for hints. A checkout has no `bosun` on the path.

/** The command's name as it was started: in a checkout the file with Node of the toolchain, else `bosun`. */
export function commandName(started: string | undefined = process.argv[1]): string {
  const file = started?.replaceAll("\\", "/") ?? "";
  return file.endsWith(SOURCE) ? `npm exec -- node ${SOURCE}` : "bosun";
}

const SOURCE = "src/cli/main.ts";

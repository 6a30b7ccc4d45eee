import { describe, expect, it } from "vitest";
import { commandName } from "../../src/cli/command-name.ts";

describe("commandName", () => {
  it.each([
    ["/home/me/bosun/src/cli/main.ts", "npm exec -- node src/cli/main.ts"],
    ["C:\\bosun\\src\\cli\\main.ts", "npm exec -- node src/cli/main.ts"],
    ["/usr/local/bin/bosun", "bosun"],
    ["/x/node_modules/bosun/dist/cli/bin.js", "bosun"],
    [undefined, "bosun"],
  ])("of %j is what starts it again", (started, name) => {
    // undefined takes the process's own file, which is the test runner's
    expect(commandName(started)).toBe(name);
  });
});

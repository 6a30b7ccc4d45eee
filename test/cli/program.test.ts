import { describe, expect, it } from "vitest";
import { createProgram } from "../../src/cli/program.ts";
import { createFakeTerminal } from "./fake-terminal.ts";

async function parse(...args: string[]): Promise<unknown> {
  const program = createProgram(createFakeTerminal(), () => undefined);
  return program.parseAsync(args, { from: "user" });
}

describe("the command line", () => {
  it.each([
    [["dev", "crew.ts"], "bosun dev"],
    [["serve", "--port", "1"], "bosun serve"],
    [["runs", "watch", "x"], "bosun runs watch"],
    [["model", "make-random"], "bosun model make-random"],
  ])("says of %j that it is not built yet", async (args, name) => {
    await expect(parse(...args)).rejects.toMatchObject({
      code: "usage",
      message: `"${name}" is not built yet in this version`,
    });
  });

  it.each([
    [["rnu"], /Did you mean run\?/],
    [["doctr"], /Did you mean doctor\?/],
    [["run", "x", "--inptu", "a=b"], /Did you mean --input/],
    [["run"], /missing required argument 'path'/],
    [["run", "x", "--concurrency", "0"], /whole number of at least 1/],
    [["run", "x", "--concurrency", "many"], /whole number of at least 1/],
    [["model", "serve", "extractive", "--port", "99999"], /a port, 0 to 65535/],
  ])("says what is wrong with %j", async (args, message) => {
    await expect(parse(...args)).rejects.toThrow(message);
  });

  it.each([
    [["--help"], /crews and flows/],
    [["run", "--help"], /run a crew or a flow[^]*<?path>? +file of a crew or a flow/],
    [["runs", "resume", "--help"], /where the crew or flow is/],
  ])("speaks of flows as of crews in the help of %j", async (args, said) => {
    const terminal = createFakeTerminal();
    const program = createProgram(terminal, () => undefined);

    await expect(program.parseAsync(args, { from: "user" })).rejects.toMatchObject({ exitCode: 0 });
    expect(terminal.out.text).toMatch(said);
  });

  it.each([
    [["run", "x", "--max-parallel", "2"], "--max-parallel is not built yet"],
    [["doctor", "--gpu"], "--gpu is not built yet"],
    [["runs", "show", "x", "--waterfall"], "--waterfall is not built yet"],
    [["run", "x", "--inputs", "a"], "needs both --inputs"],
    [["run", "x", "--out", "a"], "needs both --inputs"],
    [["run", "x", "--concurrency", "2"], "--concurrency is for a batch"],
    [["run", "x", "--inputs", "a", "--out", "b", "--run-id", "c"], "--run-id names one run"],
    [["run", "x", "--inputs", "a", "--out", "b", "--show-prompts"], "--show-prompts shows one run"],
    [["run", "x", "-i", "novalue"], "--input novalue"],
    [["runs", "list", "--status", "odd"], "must be one of done"],
    [["models", "--endpoint", "gpu-1"], "write a URL"],
  ])("refuses %j with usage", async (args, message) => {
    await expect(parse(...args)).rejects.toMatchObject({
      code: "usage",
      message: expect.stringContaining(message),
    });
  });
});

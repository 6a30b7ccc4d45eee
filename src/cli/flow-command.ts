// `bosun flow plot`: the picture of a flow, alone or with what a run of it has come to.

import { writeFileSync } from "node:fs";
import { createBosun } from "../bosun.ts";
import { BosunError, messageOf } from "../error.ts";
import { applyEvents, EMPTY_RUN, type RunState } from "../orchestration/run/state.ts";
import { EXIT } from "./failure.ts";
import { findRun } from "./find-run.ts";
import { flowHtml } from "./flow-html.ts";
import { flowMermaid } from "./flow-mermaid.ts";
import { openCrew } from "./open-crew.ts";
import { type Terminal, writeLines } from "./terminal.ts";

/** Flags of `flow plot`. */
export type PlotFlags = {
  /** A run whose state is shown. */
  readonly run?: string | undefined;
  readonly out?: string | undefined;
  /** Prints the Mermaid text, and writes no file. */
  readonly mermaid?: boolean | undefined;
  readonly data?: string | undefined;
};

/** @returns the exit code. @throws BosunError `usage` for a file without a flow, or that cannot be written. */
export async function plotFlow(
  path: string,
  flags: PlotFlags,
  terminal: Terminal,
): Promise<number> {
  const { program, env } = await openCrew(path, {}, terminal);
  if (program.type !== "flow")
    throw new BosunError("usage", `"${path}" has a crew, and no flow: \`run --dry-run\` shows it`);
  const { out, err } = terminal;
  const bosun = createBosun({ data: flags.data, fleet: false, env });
  let state: RunState | undefined;
  try {
    if (flags.run !== undefined) state = await stateOf(bosun, flags.run, program.name);
  } finally {
    await bosun.close();
  }
  if (flags.mermaid) {
    out.write(flowMermaid(program, state));
    return EXIT.done;
  }
  const file = flags.out ?? `${program.name}.html`;
  try {
    writeFileSync(file, flowHtml(program, state));
  } catch (cause) {
    throw new BosunError("usage", `--out ${file} cannot be written: ${messageOf(cause)}`, {
      cause,
    });
  }
  writeLines(err, [`Written: ${file}. Open it in a browser; it needs no network.`]);
  return EXIT.done;
}

async function stateOf(
  bosun: ReturnType<typeof createBosun>,
  id: string,
  flow: string,
): Promise<RunState> {
  const store = await bosun.store();
  if (store === undefined) throw new BosunError("usage", "--run needs a data folder");
  const { runId, crew } = findRun(store, id);
  if (crew !== flow)
    throw new BosunError("usage", `run ${runId} is one of "${crew}", not of the flow "${flow}"`);
  return applyEvents(EMPTY_RUN, store.events(runId));
}

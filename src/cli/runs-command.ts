// The definition of `bosun runs` and its commands.

import type { Command } from "commander";
import { commandName } from "./command-name.ts";
import {
  collect,
  DATA_FLAG,
  type Define,
  JSON_FLAG,
  toCount,
  WAIT_FLAG,
} from "./command-option.ts";
import type { ExportFlags } from "./export.ts";
import { addNotBuilt, notBuiltOption } from "./not-built.ts";
import type { ListFlags, ShowFlags } from "./runs.ts";
import type { ForkFlags, RerunFlags, ResumeFlags } from "./runs-go-on.ts";
import type { TellFlags } from "./runs-tell.ts";

const ID = ["<id>", "the run's id, the beginning of it, or latest"] as const;
const CREW_FLAG = [
  "--crew <path>",
  "where the crew or flow is, when it is not where it was",
] as const;
const MODEL_FLAG = ["-m, --model <alias|url>", "the model of every agent from here"] as const;
const RUN_ID_FLAG = ["--run-id <id>", "name the new run"] as const;

export function addRuns(program: Command, define: Define): void {
  const bosun = commandName();
  const runs = program
    .command("runs")
    .description("what is in the store: look at runs, go on with them, tell them something")
    .addHelpText(
      "after",
      `
Examples:
  ${bosun} runs list --status failed --limit 10
  ${bosun} runs resume latest                       finish a run that was interrupted
  ${bosun} runs rerun latest --from write           another run from this task on
  ${bosun} runs fork latest --at write --input tone=dry --model large
  ${bosun} runs signal latest approval '{"ok":true}'`,
    );
  addLooks(runs, define);
  addGoOn(runs, define);
  addTell(runs, define);
  addNotBuilt(runs, ["watch"]);
}

function addLooks(runs: Command, { terminal, onCode }: Define): void {
  runs
    .command("list")
    .description("the newest runs")
    .option("--status <status>", "only runs with this status")
    .option("--limit <n>", "how many; default 20", toCount)
    .option(...JSON_FLAG)
    .option(...DATA_FLAG)
    .action(async (flags: ListFlags) => {
      const { listRuns } = await import("./runs.ts");
      onCode(await listRuns(flags, terminal));
    });
  runs
    .command("show")
    .description("one run: its text and its tables")
    .argument(...ID)
    .option("--task <name>", "print what one of its tasks came to")
    .option("--events", "print its events")
    .option("--steps", "print its steps: what is kept, and is not done again")
    .addOption(notBuiltOption("--waterfall"))
    .option(...JSON_FLAG)
    .option(...DATA_FLAG)
    .action(async (id: string, flags: ShowFlags) => {
      const { showRun } = await import("./runs.ts");
      onCode(await showRun(id, flags, terminal));
    });
  runs
    .command("export")
    .description("one run with its input, steps and events, as JSON")
    .argument(...ID)
    .option("--out <file>", "a new file; default: stdout")
    .option(...DATA_FLAG)
    .action(async (id: string, flags: ExportFlags) => {
      const { exportRun } = await import("./export.ts");
      onCode(await exportRun(id, flags, terminal));
    });
}

function addGoOn(runs: Command, { terminal, onCode }: Define): void {
  runs
    .command("resume")
    .description("finish a run that was interrupted; what is done is not done again")
    .argument(...ID)
    .option(...CREW_FLAG)
    .option(...MODEL_FLAG)
    .option("--accept-changes", "go on although the crew or flow is not what it was")
    .option(...WAIT_FLAG)
    .option(...JSON_FLAG)
    .option(...DATA_FLAG)
    .action(async (id: string, flags: ResumeFlags) => {
      const { resumeRun } = await import("./runs-go-on.ts");
      onCode(await resumeRun(id, flags, terminal));
    });
  runs
    .command("rerun")
    .description("a new run that does what failed, or a task and all that depends on it, anew")
    .argument(...ID)
    .option("--from <task|step>", "the first that is done anew; default: what failed")
    .option(...RUN_ID_FLAG)
    .option(...WAIT_FLAG)
    .option(...CREW_FLAG)
    .option(...MODEL_FLAG)
    .option(...JSON_FLAG)
    .option(...DATA_FLAG)
    .action(async (id: string, flags: RerunFlags) => {
      const { rerunRun } = await import("./runs-go-on.ts");
      onCode(await rerunRun(id, flags, terminal));
    });
  runs
    .command("fork")
    .description("a new run from what another one has done, with other inputs or another model")
    .argument(...ID)
    .option("--at <task|step>", "the first that is done anew; default: what is not done, or failed")
    .option("-i, --input <name=value>", "another value of an input; repeatable", collect)
    .option(...RUN_ID_FLAG)
    .option(...WAIT_FLAG)
    .option(...CREW_FLAG)
    .option(...MODEL_FLAG)
    .option(...JSON_FLAG)
    .option(...DATA_FLAG)
    .action(async (id: string, flags: ForkFlags) => {
      const { forkRun } = await import("./runs-go-on.ts");
      onCode(await forkRun(id, flags, terminal));
    });
}

function addTell(runs: Command, { terminal, onCode }: Define): void {
  runs
    .command("signal")
    .description(
      "answer a question that a run waits for, or give a flow an event, wherever it runs",
    )
    .argument(...ID)
    .argument(
      "<name>",
      "the question's name, \"approval\" for the only open one, or a flow's event",
    )
    .argument(
      "<json>",
      '{"ok":true}, {"ok":true,"edit":…} or {"ok":false,"reason":"…"}; for an event any JSON',
    )
    .option(...JSON_FLAG)
    .option(...DATA_FLAG)
    .action(async (id: string, name: string, value: string, flags: TellFlags) => {
      const { signalRun } = await import("./runs-tell.ts");
      onCode(await signalRun(id, { name, value }, flags, terminal));
    });
  runs
    .command("cancel")
    .description("end a run, wherever it runs")
    .argument(...ID)
    .option("--reason <text>", "why")
    .option(...JSON_FLAG)
    .option(...DATA_FLAG)
    .action(async (id: string, flags: TellFlags) => {
      const { cancelRun } = await import("./runs-tell.ts");
      onCode(await cancelRun(id, flags, terminal));
    });
}

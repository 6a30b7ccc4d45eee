// The command line itself: commands, flags and their help. Each command's code is loaded when it runs.

import { Command } from "commander";
import type { ChatFlags } from "./chat.ts";
import { commandName } from "./command-name.ts";
import {
  collect,
  DATA_FLAG,
  type Define,
  JSON_FLAG,
  NOTES_FLAG,
  toCount,
  toPort,
  WAIT_FLAG,
} from "./command-option.ts";
import { addGateway } from "./gateway-command.ts";
import type { ImportFlags } from "./import-crewai.ts";
import type { DoctorFlags } from "./doctor.ts";
import type { ModelsFlags } from "./models.ts";
import type { ServeModelFlags } from "./model.ts";
import { addNotBuilt, NOT_BUILT_COMMANDS, notBuiltOption } from "./not-built.ts";
import type { PlotFlags } from "./flow-command.ts";
import type { RunFlags } from "./run.ts";
import { addRuns } from "./runs-command.ts";
import type { Terminal } from "./terminal.ts";
import { addTwin } from "./twin-command.ts";
import { bosunVersion } from "./version.ts";

/** The program. `onCode` gets the exit code of the command that ran. */
export function createProgram(terminal: Terminal, onCode: (code: number) => void): Command {
  const { out, err } = terminal;
  const program = new Command("bosun")
    .exitOverride() // the commands below inherit this: whoever parses gets a CommanderError
    .configureOutput({
      writeOut: (text) => out.write(text),
      writeErr: (text) => err.write(text),
      outputError: () => undefined,
      getOutHelpWidth: () => out.columns(),
    })
    .description("Runs CrewAI-style multi-agent crews and flows on GPUs that you own.")
    .version(bosunVersion(), "-v, --version", "print the version")
    .helpOption("-h, --help", "print help")
    .addHelpText("after", EXAMPLES);
  const define: Define = { terminal, onCode };
  addRun(program, define);
  addChat(program, define);
  addRuns(program, define);
  addModels(program, define);
  addDoctor(program, define);
  addModel(program, define);
  addTwin(program, define);
  addGateway(program, define);
  addFlow(program, define);
  addInit(program, define);
  addImport(program, define);
  addNotBuilt(program, NOT_BUILT_COMMANDS);
  return program;
}

/** Written in every example: what is read here can be typed as it stands. */
const BOSUN = commandName();

const EXAMPLES = `
Examples:
  ${BOSUN} init my-crew          a small project
  ${BOSUN} run my-crew           run its crew
  ${BOSUN} run crew.ts --model http://gpu-1:8000/v1
  ${BOSUN} run my-project        the same for a CrewAI project
  ${BOSUN} runs show latest      what a run did and used
  ${BOSUN} doctor --model http://gpu-1:8000/v1
  ${BOSUN} twin --gpu H100-SXM   a vLLM that needs no GPU

Exit codes: 0 done, 1 the run or a check failed, 2 wrong usage or configuration, 130 interrupted.
Not built yet in this version: ${NOT_BUILT_COMMANDS.join(", ")}.`;

function addRun(program: Command, { terminal, onCode }: Define): void {
  program
    .command("run")
    .description(
      "run a crew or a flow: a file, a folder with a crew.ts or flow.ts, or a CrewAI project",
    )
    .argument(
      "<path>",
      "file of a crew or a flow (.ts, .js, .mjs), folder, or folder of a CrewAI project",
    )
    .option(
      "-i, --input <name=value>",
      "an input; name=@file takes a file's content, name:=json a value that is no text; repeatable",
      collect,
    )
    .option("-m, --model <alias|url>", "the model of every agent")
    .option("--run-id <id>", "name the run; default: one made from the time")
    .option("--session <id>", "the conversation that the run belongs to; its earlier runs are seen")
    .option("--show-prompts", "print each call's prompt with its estimated tokens by part")
    .option("--dry-run", "print what the run would send and whether it fits; calls no model")
    .option("--inputs <jobs.jsonl>", "run once for each line, a JSON object of inputs")
    .option("--out <results.jsonl>", "where the results of --inputs are appended")
    .option("--concurrency <n>", "runs at once with --inputs; default 4", toCount)
    .option(...WAIT_FLAG)
    .option(...NOTES_FLAG)
    .option(...JSON_FLAG)
    .option(...DATA_FLAG)
    .addOption(notBuiltOption("--max-parallel <n>"))
    .addHelpText(
      "after",
      `
Examples:
  ${BOSUN} run examples/research-crew
  ${BOSUN} run flow.ts --dry-run                    which steps run at once, and what the crews will send
  ${BOSUN} run my-crewai-project --model http://gpu-1:8000/v1
  ${BOSUN} run crew.ts --input topic="paged attention" --input notes=@notes.md
  ${BOSUN} run crew.ts --model http://gpu-1:8000/v1 --json > events.ndjson
  ${BOSUN} run crew.ts --inputs jobs.jsonl --out results.jsonl --concurrency 16`,
    )
    .action(async (path: string, flags: RunFlags) => {
      const { runCommand } = await import("./run.ts");
      onCode(await runCommand(path, flags, terminal));
    });
}

function addChat(program: Command, { terminal, onCode }: Define): void {
  program
    .command("chat")
    .description("talk to a crew or an agent in the terminal")
    .argument("<crew>", "crew or agent file (.ts, .js, .mjs) or folder")
    .option("-i, --input <name=value>", "an input that stays the same; repeatable", collect)
    .option(
      "--message <name>",
      "the input that carries what you say; default: message, or the only one left",
    )
    .option("--session <id>", "go on with an earlier conversation")
    .option("-m, --model <alias|url>", "the model of every agent")
    .option(...NOTES_FLAG)
    .option(...DATA_FLAG)
    .addHelpText("after", `\nExample:\n  ${BOSUN} chat crew.ts --model http://gpu-1:8000/v1`)
    .action(async (path: string, flags: ChatFlags) => {
      const { chatCommand } = await import("./chat.ts");
      onCode(await chatCommand(path, flags, terminal));
    });
}

function addModels(program: Command, { terminal, onCode }: Define): void {
  program
    .command("models")
    .description("the fleet's models with their endpoints, or the default model and what is served")
    .option("--endpoint <url>", "another endpoint")
    .option(...JSON_FLAG)
    .addHelpText("after", `\nExample:\n  ${BOSUN} models --endpoint http://gpu-1:8000/v1`)
    .action(async (flags: ModelsFlags) => {
      const { modelsCommand } = await import("./models.ts");
      onCode(await modelsCommand(flags, terminal));
    });
}

function addDoctor(program: Command, { terminal, onCode }: Define): void {
  program
    .command("doctor")
    .description("check Node, the data folder, the endpoint and what its model can do")
    .option("-m, --model <alias|url>", "the model to check; default: the default model")
    .option("--endpoint <url>", "the same as --model with a URL; with --model, its model")
    .option(...JSON_FLAG)
    .option(...DATA_FLAG)
    .addOption(notBuiltOption("--gpu"))
    .addOption(notBuiltOption("--worker <id>"))
    .addHelpText("after", `\nExample:\n  ${BOSUN} doctor --model http://gpu-1:8000/v1`)
    .action(async (flags: DoctorFlags) => {
      const { doctorCommand } = await import("./doctor.ts");
      onCode(await doctorCommand(flags, terminal));
    });
}

function addModel(program: Command, { terminal, onCode }: Define): void {
  const model = program.command("model").description("the embedded models");
  model
    .command("serve")
    .description("serve an embedded model as an OpenAI-compatible endpoint")
    .argument("<model>", "extractive")
    .option("--port <n>", "default 8000; 0 takes a free one", toPort)
    .option(
      "--host <address>",
      "default 127.0.0.1; any address that others can reach needs a token",
    )
    .option("--token-env <name>", "the variable that holds the token")
    .addHelpText("after", `\nExample:\n  ${BOSUN} model serve extractive --port 8000`)
    .action(async (name: string, flags: ServeModelFlags) => {
      const { serveModel } = await import("./model.ts");
      onCode(await serveModel(name, flags, terminal));
    });
  addNotBuilt(model, ["make-random"]);
}

function addFlow(program: Command, { terminal, onCode }: Define): void {
  program
    .command("flow")
    .description("what concerns flows alone; `run` runs one")
    .command("plot")
    .description("write a flow's picture as an HTML page that needs no network")
    .argument("<flow>", "a file that exports a flow, or its folder")
    .option("--run <id>", "with what this run has come to; the beginning of its id is enough")
    .option("--out <file>", "where; default: the flow's name with .html")
    .option("--mermaid", "print the Mermaid text, and write no file")
    .option(...DATA_FLAG)
    .addHelpText("after", `\nExample:\n  ${BOSUN} flow plot flow.ts --out flow.html`)
    .action(async (path: string, flags: PlotFlags) => {
      const { plotFlow } = await import("./flow-command.ts");
      onCode(await plotFlow(path, flags, terminal));
    });
}

function addInit(program: Command, { terminal, onCode }: Define): void {
  program
    .command("init")
    .description("write a small crew project; nothing is overwritten")
    .argument("[folder]", "where; default: the current folder")
    .addHelpText("after", `\nExample:\n  ${BOSUN} init my-crew && ${BOSUN} run my-crew`)
    .action(async (folder = ".") => {
      const { initCommand } = await import("./init.ts");
      onCode(await initCommand(folder, terminal));
    });
}

function addImport(program: Command, { terminal, onCode }: Define): void {
  program
    .command("import")
    .description("projects of other frameworks as TypeScript")
    .command("crewai")
    .description("write a CrewAI project's crew as a crew.ts; nothing is overwritten")
    .argument(
      "<folder>",
      "agents.yaml and tasks.yaml (also in config/, src/<package>/config/), or crew.json(c)",
    )
    .option("--out <folder>", "where; default: the project's folder with -bosun behind its name")
    .option(...JSON_FLAG)
    .addHelpText(
      "after",
      `\nExample:\n  ${BOSUN} import crewai my-project && ${BOSUN} run my-project-bosun`,
    )
    .action(async (folder: string, flags: ImportFlags) => {
      const { importCrewAi } = await import("./import-crewai.ts");
      onCode(await importCrewAi(folder, flags, terminal));
    });
}

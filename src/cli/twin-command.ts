// The flags of `bosun twin`: vLLM's by their own names, and what only a twin has.

import { type Command, Option } from "commander";
import { commandName } from "./command-name.ts";
import {
  collect,
  type Define,
  JSON_FLAG,
  toCount,
  toFactor,
  toPort,
  toShare,
} from "./command-option.ts";
import type { TwinFlags } from "./twin.ts";
import type { CalibrateFlags } from "./twin-calibrate.ts";

/** Adds the command. */
export function addTwin(program: Command, { terminal, onCode }: Define): void {
  const twin = program
    .command("twin")
    .description("a simulated vLLM on a port: no GPU, the same protocol, refusals and metrics");
  addTwinFlags(twin);
  addServerlessFlags(twin);
  addEngineFlags(twin);
  addServingFlags(twin);
  twin.addHelpText("after", HELP).action(async (flags: TwinFlags) => {
    const { twinCommand } = await import("./twin.ts");
    onCode(await twinCommand(flags, terminal));
  });
  twin.enablePositionalOptions(); // --model behind calibrate is calibrate's
  addCalibrate(twin, { terminal, onCode });
}

function addCalibrate(twin: Command, { terminal, onCode }: Define): void {
  twin
    .command("calibrate")
    .description("measure a real server, so that a twin takes its times")
    .requiredOption("--endpoint <url>", "the server: http://gpu-1:8000/v1")
    .option("--model <name>", "default: the only one that it serves")
    .option("--out <file>", "default twin-calibration.json; overwritten")
    .option(...JSON_FLAG)
    .addHelpText(
      "after",
      `\nExample:\n  ${commandName()} twin calibrate --endpoint http://gpu-1:8000/v1`,
    )
    .action(async (flags: CalibrateFlags) => {
      const { calibrateCommand } = await import("./twin-calibrate.ts");
      onCode(await calibrateCommand(flags, terminal));
    });
}

const HELP = `
Everything is simulated: times are computed from the GPU and the model, token ids are a stand-in's, and texts come from --text.
What would not start on the GPU does not start here either, with vLLM's message and what would fit.
A request can ask for a fault by a header: x-bosun-fault: 429; retry-after=2. Faults: 429, 500, 503 (retry-after), slow (ms), cut,
malformed, stuck, engine-death (after, in tokens; restart-ms),
finish (reason), kv-squeeze (share); with p, a probability.

Examples:
  ${commandName()} twin --gpu H100-SXM --model Qwen/Qwen3-8B
  ${commandName()} twin --gpu L40S --model Qwen/Qwen3-32B-FP8 --max-model-len 8192 --speed 100x --text filler:400
  ${commandName()} twin --serverless --workers-max 3 --scaler REQUEST_COUNT:4 --speed 20x
  ${commandName()} twin --enable-auto-tool-choice --tool-call-parser hermes --fault "503; p=0.05" --seed 7`;

function addTwinFlags(twin: Command): void {
  twin
    .option("--gpu <name>", "the GPU of each replica; default H100-SXM")
    .option("--model <name>", "default Qwen/Qwen3-8B")
    .option("--replicas <n>", "engines behind the port; default 1", toCount)
    .option("--speed <n>", "times as fast as a real one: 1x, 100x; default 1x", toFactor)
    .option(
      "--text <source>",
      "who writes: extractive, echo, filler, filler:TOKENS, or a file (a text, or a JSON list of replies); default extractive",
    )
    .addOption(
      new Option("--tool-calls <when>", "when echo and filler call tools; default once").choices([
        "once",
        "required",
      ]),
    )
    .option("--calibration <file>", "step times as measured: a file of twin calibrate")
    .option("--fault <fault>", "a fault that befalls requests; repeatable", collect)
    .option("--seed <n>", "of the faults' chances and the step times' noise; default 0", toSeed)
    .option("--port <n>", "default 8000; 0 takes a free one", toPort)
    .option("--host <address>", "default 127.0.0.1; others need --api-key or VLLM_API_KEY");
}

function addServerlessFlags(twin: Command): void {
  const group = "A provider's workers (Runpod's settings):";
  const flags: readonly Option[] = [
    new Option("--serverless", "engines come and go in workers, with cold starts and a bill"),
    new Option("--workers-min <n>", "always on; default 0").argParser(toSeed),
    new Option("--workers-max <n>", "default 3").argParser(toCount),
    new Option("--scaler <type>", "QUEUE_DELAY:SECONDS or REQUEST_COUNT:N; default QUEUE_DELAY:4"),
    new Option("--idle-timeout <s>", "until an idle worker goes; default 5").argParser(toCount),
    new Option("--jobs-per-worker <n>", "requests of one worker at once; default 30").argParser(
      toCount,
    ),
  ];
  for (const flag of flags) twin.addOption(flag.helpGroup(group));
}

function addEngineFlags(twin: Command): void {
  const group = "vLLM's engine:";
  const flags: readonly Option[] = [
    new Option("--max-model-len <n>", "default: the model's context").argParser(toCount),
    new Option("--max-num-seqs <n>", "default: vLLM's for the GPU").argParser(toCount),
    new Option("--max-num-batched-tokens <n>", "default: vLLM's for the GPU").argParser(toCount),
    new Option("--max-num-queued-reqs <n>", "default: unbounded").argParser(toCount),
    new Option("--gpu-memory-utilization <share>", "default 0.92").argParser(toShare),
    new Option("--tensor-parallel-size <n>", "GPUs that share the model; default 1").argParser(
      toCount,
    ),
    new Option("--quantization <kind>", "default: the checkpoint's").choices(["fp8", "int4"]),
    new Option("--kv-cache-dtype <kind>", "default auto").choices(["auto", "fp8"]),
    new Option("--scheduling-policy <policy>", "default fcfs").choices(["fcfs", "priority"]),
    new Option("--no-enable-prefix-caching"),
    new Option("--no-enable-chunked-prefill"),
  ];
  for (const flag of flags) twin.addOption(flag.helpGroup(group));
}

function addServingFlags(twin: Command): void {
  const group = "vLLM's server:";
  const flags: readonly Option[] = [
    new Option("--served-model-name <names...>", "default: the model's"),
    new Option("--enable-auto-tool-choice", "needs --tool-call-parser"),
    new Option("--tool-call-parser <name>", "hermes, llama3_json, mistral, …"),
    new Option("--reasoning-parser <name>", "without it thoughts stand in the text"),
    new Option("--lora-modules <names...>", "adapters that are served"),
    new Option("--enable-prompt-tokens-details", "cached tokens in usage"),
    new Option("--enable-per-request-metrics", "times in each answer"),
    new Option("--enable-server-load-tracking", "for /load"),
    new Option("--enable-force-include-usage", "usage in every stream"),
    new Option("--max-logprobs <n>", "default 20").argParser(toCount),
    new Option("--api-key <key>", "default: VLLM_API_KEY; guards /v1"),
    new Option("--dev-mode", "as VLLM_SERVER_DEV_MODE=1: /sleep, /wake_up, /is_sleeping"),
  ];
  for (const flag of flags) twin.addOption(flag.helpGroup(group));
}

function toSeed(text: string): number {
  return text === "0" ? 0 : toCount(text);
}

// `bosun twin`: a simulated vLLM on a port, until Ctrl-C.

import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { BosunError, messageOf } from "../error.ts";
import { listen } from "../inference/facade/listen.ts";
import type { Quantization } from "../inference/fleet/model.ts";
import { createExtractive } from "../inference/local/extractive/extractive.ts";
import { createFaults, parseFault } from "../inference/twin/fault.ts";
import { createTwinServer } from "../inference/twin/http/server.ts";
import { type Calibration, readCalibration } from "../inference/twin/latency/calibration.ts";
import { planTwin, type TwinPlan, type TwinSetup } from "../inference/twin/setup.ts";
import type { Scaling } from "../inference/twin/served.ts";
import { startTwin } from "../inference/twin/start.ts";
import {
  type CallHabit,
  echoSource,
  fillerSource,
  modelSource,
} from "../inference/twin/text/plain-source.ts";
import { readScript, scriptSource } from "../inference/twin/text/script.ts";
import type { TextSource } from "../inference/twin/text/source.ts";
import { commandName } from "./command-name.ts";
import { EXIT, failureText } from "./failure.ts";
import { several } from "./number.ts";
import { billLine, type ServerlessFlags, serverlessOf } from "./serverless-flag.ts";
import { type Terminal, writeLines } from "./terminal.ts";

/** Flags of `twin`; commander's names of vLLM's flags. */
export type TwinFlags = ServerlessFlags & {
  readonly gpu?: string | undefined;
  readonly model?: string | undefined;
  readonly replicas?: number | undefined;
  readonly speed?: number | undefined;
  readonly text?: string | undefined;
  readonly toolCalls?: CallHabit | undefined;
  readonly calibration?: string | undefined;
  readonly fault?: readonly string[] | undefined;
  readonly seed?: number | undefined;
  readonly port?: number | undefined;
  readonly host?: string | undefined;
  readonly maxModelLen?: number | undefined;
  readonly maxNumSeqs?: number | undefined;
  readonly maxNumBatchedTokens?: number | undefined;
  readonly maxNumQueuedReqs?: number | undefined;
  readonly gpuMemoryUtilization?: number | undefined;
  readonly tensorParallelSize?: number | undefined;
  readonly quantization?: Exclude<Quantization, "bf16"> | undefined;
  readonly kvCacheDtype?: "auto" | "fp8" | undefined;
  readonly schedulingPolicy?: "fcfs" | "priority" | undefined;
  readonly enablePrefixCaching?: boolean | undefined;
  readonly enableChunkedPrefill?: boolean | undefined;
  readonly servedModelName?: readonly string[] | undefined;
  readonly enableAutoToolChoice?: boolean | undefined;
  readonly toolCallParser?: string | undefined;
  readonly reasoningParser?: string | undefined;
  readonly loraModules?: readonly string[] | undefined;
  readonly enablePromptTokensDetails?: boolean | undefined;
  readonly enablePerRequestMetrics?: boolean | undefined;
  readonly enableServerLoadTracking?: boolean | undefined;
  readonly enableForceIncludeUsage?: boolean | undefined;
  readonly maxLogprobs?: number | undefined;
  readonly apiKey?: string | undefined;
  readonly devMode?: boolean | undefined;
};

/** As vLLM's. */
const DEFAULT_PORT = 8_000;
const DEFAULT_GPU = "H100-SXM";
const DEFAULT_MODEL = "Qwen/Qwen3-8B";

/** Serves a twin until the user interrupts. @returns the exit code: ending a server by Ctrl-C is its normal end. */
export async function twinCommand(flags: TwinFlags, terminal: Terminal): Promise<number> {
  const { clock, signal, out, err } = terminal;
  const { port = DEFAULT_PORT, host = "127.0.0.1", replicas = 1, speed = 1, seed = 0 } = flags;
  const env = terminal.env();
  const apiKey = flags.apiKey ?? env["VLLM_API_KEY"];
  const devMode = flags.devMode ?? env["VLLM_SERVER_DEV_MODE"] === "1";
  const plan = planTwin(toSetup({ ...flags, apiKey, devMode }));
  const source = sourceOf(flags);
  const faults = createFaults((flags.fault ?? []).map(parseFault), seed);
  const calibration = calibrationOf(flags);
  const serverless = serverlessOf(flags);
  const how = { clock, source, faults, replicas, speed, seed, calibration, serverless };
  const twin = startTwin(plan, how);
  const { scaling } = twin.replicas[0];
  const app = createTwinServer(twin, {
    onError: (error) => writeLines(err, [failureText(error, false)]),
  });
  // On loopback the key guards what it guards in vLLM; an address that others reach needs it on every path.
  const token = isLoopbackName(host) ? undefined : apiKey;
  const server = await listen(app, { port, host, signal, token });
  writeLines(err, plan.memory.log);
  writeLines(out, aboutLines(plan, { url: server.url, source, replicas, speed, scaling }));
  await server.closed;
  scaling?.close();
  if (scaling) writeLines(err, [billLine(scaling.bill())]);
  return EXIT.done;
}

function isLoopbackName(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}

function toSetup(flags: TwinFlags): TwinSetup {
  const { gpu = DEFAULT_GPU, model = DEFAULT_MODEL, apiKey } = flags;
  const [name = model, ...others] = flags.servedModelName ?? [];
  return {
    gpu,
    model,
    quantization: flags.quantization,
    kvCacheDtype: flags.kvCacheDtype === "fp8" ? "fp8" : undefined,
    tensorParallelSize: flags.tensorParallelSize,
    maxModelLen: flags.maxModelLen,
    gpuMemoryUtilization: flags.gpuMemoryUtilization,
    engine: given({
      maxNumSeqs: flags.maxNumSeqs,
      maxNumBatchedTokens: flags.maxNumBatchedTokens,
      maxNumQueuedReqs: flags.maxNumQueuedReqs,
      enablePrefixCaching: flags.enablePrefixCaching,
      enableChunkedPrefill: flags.enableChunkedPrefill,
    }),
    serving: {
      servedModelName: [name, ...others],
      apiKey: apiKey === undefined ? [] : [apiKey],
      ...given({
        enableAutoToolChoice: flags.enableAutoToolChoice,
        toolCallParser: flags.toolCallParser,
        reasoningParser: flags.reasoningParser,
        schedulingPolicy: flags.schedulingPolicy,
        loraModules: flags.loraModules,
        enablePromptTokensDetails: flags.enablePromptTokensDetails,
        enablePerRequestMetrics: flags.enablePerRequestMetrics,
        enableServerLoadTracking: flags.enableServerLoadTracking,
        enableForceIncludeUsage: flags.enableForceIncludeUsage,
        maxLogprobs: flags.maxLogprobs,
        devMode: flags.devMode,
      }),
    },
  };
}

type Given<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> };

/** Without the flags that were not given: a field that is undefined would win over its default. */
function given<T extends object>(flags: T): Given<T> {
  const entries = Object.entries(flags).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Given<T>; // `as`: fromEntries forgets the keys
}

function calibrationOf({ calibration: file }: TwinFlags): Calibration | undefined {
  if (file === undefined) return undefined;
  try {
    return readCalibration(readFileSync(file, "utf8"), file);
  } catch (cause) {
    if (cause instanceof BosunError) throw cause;
    throw new BosunError("usage", `--calibration ${file}: ${messageOf(cause)}`, { cause });
  }
}

/** @throws BosunError `usage` for a name that is neither a source nor a file. */
function sourceOf({ text = "extractive", toolCalls = "once" }: TwinFlags): TextSource {
  const [name, length] = text.split(":");
  if (text === "extractive")
    return modelSource(text, createExtractive({ contextTokens: Number.MAX_SAFE_INTEGER }));
  if (text === "echo") return echoSource(toolCalls);
  if (name === "filler" && /^[1-9]\d{0,5}$/.test(length ?? "1"))
    return fillerSource(length === undefined ? undefined : Number(length), toolCalls);
  try {
    return scriptSource(basename(text), readScript(basename(text), readFileSync(text, "utf8")));
  } catch (cause) {
    if (cause instanceof BosunError) throw cause;
    const message = `--text ${text}: neither extractive, echo, filler or filler:TOKENS, nor a file that can be read: ${messageOf(cause)}`;
    throw new BosunError("usage", message, { cause });
  }
}

type About = {
  readonly url: string;
  readonly source: TextSource;
  readonly replicas: number;
  readonly speed: number;
  readonly scaling: Scaling | undefined;
};

/** What it is, before anybody takes it for a real one. */
function aboutLines(
  { memory, flags }: TwinPlan,
  { url, source, replicas, speed, scaling }: About,
): string[] {
  const { gpu, tensorParallel } = memory.assumed;
  const gpus = tensorParallel > 1 ? `${tensorParallel} × ${gpu.id}` : gpu.id;
  const pace = speed === 1 ? "in real time" : `${speed} times as fast as real time`;
  const engines = scaling
    ? `0 to ${several(scaling.settings.workersMax, "serverless worker")}`
    : several(replicas, "replica");
  const health = scaling ? [`Its workers: ${url}/v2/twin/health`] : [];
  return [
    `Simulated: a twin of vLLM with ${flags.model} on ${gpus}, ${engines}, ${pace}. No GPU and no model work here.`,
    `Texts: ${source.name}. Token ids: a stand-in's.`,
    `It answers at ${url}/v1`,
    ...health,
    `Try: ${commandName()} doctor --model ${url}/v1`,
    "Ctrl-C ends it.",
  ];
}

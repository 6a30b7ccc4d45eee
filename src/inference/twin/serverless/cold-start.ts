// What a worker goes through before its first token: stages drawn from distributions, or a snapshot that skips them. Pure.
//
// docs/cold-starts.md explains the stages. A stage is lognormal: most starts are near the mean, some take several times as long.

import { drawLognormal, type Random } from "../random.ts";

/** One stage. Whose `part` is "initialise" is not billed by Runpod, and done once for each host. */
export type Stage = {
  readonly name: string;
  readonly part: "initialise" | "start";
  readonly meanMs: number;
  /** Standard deviation over mean. */
  readonly cv: number;
  /** Where the mean comes from; "assumed" when nobody published it. */
  readonly source: string;
};

/** A restart from a snapshot of a recent worker: a hit takes between these times, each as likely; a miss pays all stages. */
export type FlashBoot = {
  /** 0 to 1. */
  readonly hitProbability: number;
  readonly leastMs: number;
  readonly mostMs: number;
};

/** How a kind of worker starts. */
export type ColdStart = {
  readonly stages: readonly Stage[];
  /** undefined = switched off. */
  readonly flashBoot: FlashBoot | undefined;
};

/** One start as it was drawn. */
export type DrawnStart = {
  readonly type: "cold" | "snapshot";
  readonly stages: readonly { readonly name: string; readonly ms: number }[];
  readonly ms: number;
};

/** Times of all stages of one part. */
export function drawStages({ stages }: ColdStart, part: Stage["part"], random: Random): DrawnStart {
  const drawn = stages
    .filter((stage) => stage.part === part)
    .map(({ name, meanMs, cv }) => ({ name, ms: drawLognormal(random, meanMs, cv) }));
  return { type: "cold", stages: drawn, ms: drawn.reduce((sum, { ms }) => sum + ms, 0) };
}

/** The start of an initialised worker. @param hasSnapshot it has run before on its host: only then FlashBoot can hit. */
export function drawStart(coldStart: ColdStart, hasSnapshot: boolean, random: Random): DrawnStart {
  const { flashBoot } = coldStart;
  if (flashBoot && hasSnapshot && random() < flashBoot.hitProbability) {
    const ms = flashBoot.leastMs + random() * (flashBoot.mostMs - flashBoot.leastMs);
    return { type: "snapshot", stages: [{ name: "snapshot", ms }], ms };
  }
  return drawStages(coldStart, "start", random);
}

/** What decides how long a vLLM worker starts. */
export type WorkerKind = {
  /** Bytes of weights that one worker reads. */
  readonly weightBytes: number;
  /** Effective, disk or network to GPU. Default 1e9: assumed, as in docs/cold-starts.md. Local NVMe: 5e9. */
  readonly readBytesPerSecond?: number | undefined;
  /** The compiled graphs are in the image or on the volume. Default true. */
  readonly isCompiled?: boolean | undefined;
  /** Default 0.8: assumed. undefined = no FlashBoot. */
  readonly flashBootHitProbability?: number | undefined;
};

/**
 * A vLLM worker on Runpod. The stages of a small model add up to the 48 s of a full reload (vLLM blog, 2025-10-26, two models of 1.2
 * and 8.3 GB on an A100); how they split is assumed. First answer after it: 3.72 s, same source.
 */
export function vllmColdStart(kind: WorkerKind): ColdStart {
  const { weightBytes, readBytesPerSecond = 1e9, isCompiled = true } = kind;
  return {
    stages: [
      initialise("provision", 3_000, 0.5, "assumed"),
      initialise("image-pull", 60_000, 0.5, "assumed: 10 GB at 170 MB/s"),
      start("container-and-import", 12_000, 0.2, SHARE),
      start(
        "weights",
        (weightBytes / readBytesPerSecond) * 1_000,
        0.3,
        "bytes / effective bytes/s",
      ),
      isCompiled
        ? start("compile", 8_000, 0.2, SHARE)
        : start("compile", 39_000, 0.2, "route179.dev, 2026; 54.7 s for 70B, vLLM PR 12569"),
      start("kv-profiling", 4_000, 0.2, SHARE),
      start("cuda-graphs", 15_000, 0.2, SHARE),
      start("warm-up", 3_720, 0.2, "vLLM blog, 2025-10-26"),
    ],
    flashBoot: toFlashBoot(kind),
  };
}

function initialise(name: string, meanMs: number, cv: number, source: string): Stage {
  return { name, part: "initialise", meanMs, cv, source };
}

function start(name: string, meanMs: number, cv: number, source: string): Stage {
  return { name, part: "start", meanMs, cv, source };
}

const SHARE = "assumed share of 48 s, vLLM blog, 2025-10-26";

/** 0.563 s at least, 90 % below 2 s: Runpod's blog on FlashBoot with a Whisper endpoint, read 2026-08-20. */
function toFlashBoot(kind: WorkerKind): FlashBoot | undefined {
  const hitProbability =
    "flashBootHitProbability" in kind ? kind.flashBootHitProbability : DEFAULT_HIT_PROBABILITY;
  return hitProbability === undefined ? undefined : { hitProbability, leastMs: 600, mostMs: 2_000 };
}

const DEFAULT_HIT_PROBABILITY = 0.8;

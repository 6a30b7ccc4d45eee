// Crews as a fleet sees them: who asks what, when, how long the answers are, and what a prompt shares with others. Seeded: the same
// programs for every contender.
//
// A program is one run of a crew: tasks in a row, each an agent's loop of some calls with a tool between two of them. A task's first
// prompt is its agent's system prompt and text of its own; a later one is the whole of the prompt before it, its answer, and what a
// tool said. Every word is one token of the twin's tokenizer, so a text has exactly the tokens that it was meant to have.

import {
  createRandom,
  drawExponential,
  drawLognormal,
  encodeText,
  type Random,
} from "../../src/twin.ts";

/** What a workload is drawn from. Tokens and milliseconds are means. */
export type Profile = {
  readonly name: string;
  /** Different system prompts. */
  readonly agents: number;
  /** Tokens of a system prompt, shared by all calls of an agent in all runs. */
  readonly systemTokens: number;
  /** Tokens of a task's own text, new in each run. */
  readonly taskTokens: number;
  /** Tokens that a tool returns. */
  readonly toolTokens: number;
  /** Tokens of an answer: lognormal about the agent's own mean, which is 0.7 to 1.3 times this. */
  readonly outputTokens: number;
  readonly outputCv: number;
  /** A tool's time between two calls: exponential. */
  readonly gapMs: number;
  /** Tasks of a short run and of a long one, and the calls of each task. */
  readonly short: { readonly tasks: number; readonly calls: number };
  readonly long: { readonly tasks: number; readonly calls: number };
  /** Part of the runs that are long, 0 to 1. */
  readonly longShare: number;
};

export type RunClass = "short" | "long";

/** A text and its ids. */
export type Text = { readonly text: string; readonly ids: Int32Array };

/** One model call of a program. */
export type Call = {
  readonly agent: string;
  readonly task: string;
  /** True for the first call of a task: its prompt begins anew. */
  readonly isFirst: boolean;
  /** What is added to the prompt: the task's text or a tool's. */
  readonly said: Text;
  readonly answer: Text;
  /** The tool's time before this call; 0 for a task's first. */
  readonly gapMs: number;
  /** As expected by who knows the profile and not the draws: what an orchestrator may send along. */
  readonly remainingCalls: number;
  readonly remainingTokens: number;
};

export type Program = {
  readonly id: string;
  readonly kind: RunClass;
  /** Arrival at one program a time unit: divided by the rate by whoever plays it. */
  readonly arrivesAt: number;
  readonly calls: readonly Call[];
};

/** Programs, and the system prompts of their agents by name. */
export type Workload = {
  readonly profile: Profile;
  readonly programs: readonly Program[];
  readonly systems: ReadonlyMap<string, Text>;
};

/** @param seed the same seed and profile give the same workload. */
export function drawWorkload(profile: Profile, count: number, seed: number): Workload {
  const random = createRandom(seed);
  const text = createTexts(random);
  const names = Array.from({ length: profile.agents }, (_, index) => `agent-${index}`);
  const systems = new Map(names.map((name) => [name, text(profile.systemTokens)]));
  let arrivesAt = 0;
  const programs = Array.from({ length: count }, (_, index): Program => {
    arrivesAt += drawExponential(random, 1);
    const kind: RunClass = random() < profile.longShare ? "long" : "short";
    return {
      id: `run-${index}`,
      kind,
      arrivesAt,
      calls: drawCalls(profile, kind, { random, text }),
    };
  });
  return { profile, programs, systems };
}

type Drawing = { readonly random: Random; readonly text: (tokens: number) => Text };

function drawCalls(profile: Profile, kind: RunClass, { random, text }: Drawing): readonly Call[] {
  const shape = profile[kind];
  const total = shape.tasks * shape.calls;
  const firstAgent = Math.floor(random() * profile.agents);
  return Array.from({ length: total }, (_, index): Call => {
    const task = Math.floor(index / shape.calls);
    const turn = index % shape.calls;
    const agent = (firstAgent + task) % profile.agents;
    const mean = profile.outputTokens * agentFactor(agent, profile.agents);
    const outputs = Math.max(8, Math.round(drawLognormal(random, mean, profile.outputCv)));
    return {
      agent: `agent-${agent}`,
      task: `${kind}-${task}`,
      isFirst: turn === 0,
      said: text(turn === 0 ? profile.taskTokens : profile.toolTokens),
      answer: text(outputs),
      gapMs: turn === 0 ? 0 : drawExponential(random, profile.gapMs),
      remainingCalls: total - index - 1,
      remainingTokens: expectedTokens(profile, kind, index + 1),
    };
  });
}

/** 0.7 to 1.3: some agents talk more than others. */
function agentFactor(agent: number, agents: number): number {
  return agents === 1 ? 1 : 0.7 + (0.6 * agent) / (agents - 1);
}

/** Tokens of prompts and answers from call `from` on, by the profile's means. */
function expectedTokens(profile: Profile, kind: RunClass, from: number): number {
  const { tasks, calls } = profile[kind];
  const { systemTokens, taskTokens, toolTokens, outputTokens } = profile;
  let sum = 0;
  for (let index = from; index < tasks * calls; index++) {
    const turn = index % calls;
    sum += systemTokens + taskTokens + outputTokens + turn * (toolTokens + outputTokens);
  }
  return sum;
}

const CORPUS_WORDS = 400_000;
const LETTERS = "etaoinshrdlu";

/** Pieces of one long text of random words; each starts at a random place, so two differ in their first block. */
function createTexts(random: Random): (tokens: number) => Text {
  const starts = new Int32Array(CORPUS_WORDS + 1);
  let corpus = "";
  for (let index = 0; index < CORPUS_WORDS; index++) {
    starts[index] = corpus.length;
    corpus += ` ${drawWord(random)}`;
  }
  starts[CORPUS_WORDS] = corpus.length;
  const ids = encodeText(corpus);
  if (ids.length !== CORPUS_WORDS)
    throw new Error(`expected a token a word, got ${ids.length} for ${CORPUS_WORDS}`);
  return (tokens) => {
    const from = Math.floor(random() * (CORPUS_WORDS - tokens));
    const to = from + tokens;
    return { text: corpus.slice(starts[from], starts[to]), ids: ids.subarray(from, to) };
  };
}

/** 2 to 5 letters: with its space 4.5 characters on average, near the 4.2 of English. */
function drawWord(random: Random): string {
  let word = "";
  for (let left = 2 + Math.floor(random() * 4); left > 0; left--)
    word += LETTERS[Math.floor(random() * LETTERS.length)] ?? "e";
  return word;
}

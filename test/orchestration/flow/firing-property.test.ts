import { describe, expect, it } from "vitest";
import {
  type Activation,
  type Causes,
  createFirings,
} from "../../../src/orchestration/flow/firing.ts";
import { and, or, type Trigger } from "../../../src/orchestration/flow/trigger.ts";
import { createRandom, type Random } from "../../../src/random.ts";
import { createSlowModel } from "./slow-model.ts";

const SEEDS = Array.from({ length: 400 }, (_, seed) => seed + 1);
const MAX_EVENTS = 60;
const MAX_DEPTH = 3;

/** Labels of a router; none for a step that is its own event. */
type Step = {
  readonly name: string;
  readonly on: Trigger | undefined;
  readonly labels: readonly string[];
};

/** A step that runs, as the rules and as the model know what has led to it. */
type Run = {
  readonly causes: Causes;
  readonly ran: { readonly step: string; readonly because: readonly number[] };
};

/** What a life has shown, so that the test can say that it saw something. */
type Seen = { events: number; activations: number; joined: number; silent: number; again: number };

describe("the rules of flows", () => {
  it("let the same steps run at each event as a model that works it out from the whole history", () => {
    const seen: Seen = { events: 0, activations: 0, joined: 0, silent: 0, again: 0 };

    for (const seed of SEEDS) live(seed, seen);

    expect(seen.events).toBe(SEEDS.length * MAX_EVENTS);
    expect(seen.activations).toBeGreaterThan(5_000);
    expect(seen.joined).toBeGreaterThan(500); // by an and over several events
    expect(seen.silent).toBeGreaterThan(2_000); // events of which a listener has made nothing
    expect(seen.again).toBeGreaterThan(1_000); // a step that has led to itself
  });
});

/** Executes a random flow in a random order, and asks both at each event. */
function live(seed: number, seen: Seen): void {
  const random = createRandom(seed);
  const steps = randomSteps(random);
  const firings = createFirings(steps);
  const model = createSlowModel(steps.map(({ name, on }) => [name, on]));
  const starts = steps
    .filter(({ on }) => on === undefined)
    .map(({ name }): Run => ({ causes: new Map(), ran: { step: name, because: [] } }));

  let events = 0;
  const runs: Run[] = [];
  while (events < MAX_EVENTS) {
    if (runs.length === 0) runs.push(...starts); // a flow would end here: the rules go on
    const [ended] = runs.splice(below(random, runs.length), 1);
    if (ended === undefined) throw new Error("a place beyond the end");
    for (const name of endOf(ended.ran.step, steps, random)) {
      if (events === MAX_EVENTS) return;
      const value = ++events;
      const fast = firings.happen({ name, value, causes: ended.causes });
      const slow = model.happen({ name, value, by: ended.ran });

      expect(fast.map(shown), where(seed, steps, value)).toEqual(
        slow.map(({ ran, input, inputs }) => ({ step: ran.step, input, inputs })),
      );
      for (const [place, { ran }] of slow.entries())
        runs.push({ causes: fast[place]?.causes ?? new Map(), ran });
      const heard = steps.filter(({ on }) => on !== undefined && hears(on, name)).length;
      note(seen, { heard, fast, causes: ended.causes });
    }
  }
}

function shown({ step, input, inputs }: Activation): Omit<Activation, "causes"> {
  return { step, input, inputs };
}

/** `heard`: by how many steps. */
function note(
  seen: Seen,
  event: {
    readonly heard: number;
    readonly fast: readonly Activation[];
    readonly causes: Causes;
  },
): void {
  const { heard, fast, causes } = event;
  seen.events += 1;
  seen.activations += fast.length;
  seen.joined += fast.filter(({ inputs }) => Object.keys(inputs).length > 1).length;
  seen.silent += heard > fast.length ? 1 : 0;
  seen.again += fast.filter(({ step }) => causes.has(step)).length;
}

function hears(on: Trigger, name: string): boolean {
  return typeof on === "string" ? on === name : on.of.some((one) => hears(one, name));
}

/** 2 to 8 steps, one start at least, a router in four; they listen to any event, their own too. */
function randomSteps(random: Random): readonly Step[] {
  const kinds = Array.from({ length: 2 + below(random, 7) }, (_, place) => {
    const isStart = place === 0 || random() < 0.3;
    const labels = !isStart && random() < 0.3 ? [`s${place}x`, `s${place}y`] : [];
    return { name: `s${place}`, isStart, labels };
  });
  const events = kinds.flatMap(({ name, labels }) => (labels.length > 0 ? labels : [name]));
  return kinds.map(({ name, isStart, labels }, place) => {
    const heard = random() < 0.7 ? events.slice(0, place + 1) : events; // fewer loops, so that more is joined
    return { name, labels, on: isStart ? undefined : randomTrigger(random, heard, MAX_DEPTH) };
  });
}

function randomTrigger(random: Random, events: readonly string[], depth: number): Trigger {
  if (depth === 0 || random() < 0.4) return events[below(random, events.length)] ?? "s0";
  const branches = Array.from({ length: 1 + below(random, 3) }, () =>
    randomTrigger(random, events, depth - 1),
  );
  return random() < 0.5 ? or(...branches) : and(...branches);
}

/** The events that a step's end makes: itself, or labels of a router, which may be none or one twice. */
function endOf(step: string, steps: readonly Step[], random: Random): readonly string[] {
  const labels = steps.find(({ name }) => name === step)?.labels ?? [];
  if (labels.length === 0) return [step];
  return Array.from({ length: below(random, 3) }, () => labels[below(random, 2)] ?? step);
}

function below(random: Random, bound: number): number {
  return Math.floor(random() * bound);
}

function where(seed: number, steps: readonly Step[], event: number): string {
  return `seed ${seed}, event ${event} of ${JSON.stringify(steps)}`;
}

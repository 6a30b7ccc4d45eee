// Which steps an event lets run. Knows nothing of handlers, state or time: names go in, activations come out.
//
// Invariants
//   F1  An `and` fires when each of its branches has happened since it last fired. It gets what each came to last, and is armed again.
//   F2  An `or` fires on the first of its branches. Each other one is counted once, and runs nothing.
//   F3  An `or` fires anew, and forgets whom it has counted, when a branch happens that it has counted already, and when one happens
//       that a run of its own step has led to: a loop. Each run leads back once, so that what splits and meets in a loop goes on as one.
//   F4  Listeners of one event are activated at once, in the order of the definition; nothing that fires keeps another from it.

import type { Json } from "../../json.ts";
import { hasOr, namesIn, type Trigger } from "./trigger.ts";

/** Steps with an `or` that have led to something, each with the number of its last run that has. */
export type Causes = ReadonlyMap<string, number>;

/** Something that has happened: a step has ended, or a router has emitted a label. */
export type FlowEvent = {
  readonly name: string;
  readonly value: Json;
  readonly causes: Causes;
};

/** A step that is to run now. */
export type Activation = {
  readonly step: string;
  /** Of the event that fired it. */
  readonly input: Json;
  /** What each event came to that let it run, by name. */
  readonly inputs: Readonly<Record<string, Json>>;
  readonly causes: Causes;
};

export interface Firings {
  /** Takes note of an event. @returns the steps that run because of it. */
  happen(event: FlowEvent): readonly Activation[];
}

/** What of a step decides when it runs. */
export type Listening = { readonly name: string; readonly on: Trigger | undefined };

type Fired = Omit<Activation, "step">;

/** A node of a tree, with what it remembers. */
type Node = (event: FlowEvent) => Fired | undefined;

/** Armed: no event has happened. */
export function createFirings(steps: readonly Listening[]): Firings {
  const listeners = new Map<
    string,
    { readonly step: string; readonly node: Node; readonly hasOr: boolean }[]
  >();
  for (const { name, on } of steps) {
    if (on === undefined) continue;
    const listener = { step: name, node: toNode(on, name), hasOr: hasOr(on) };
    for (const event of namesIn(on)) {
      const others = listeners.get(event);
      if (others) others.push(listener);
      else listeners.set(event, [listener]);
    }
  }
  const runs = new Map<string, number>();
  return {
    happen(event) {
      const activations: Activation[] = [];
      for (const listener of listeners.get(event.name) ?? []) {
        const { step } = listener;
        const fired = listener.node(event);
        if (fired === undefined) continue;
        const run = (runs.get(step) ?? 0) + 1;
        runs.set(step, run);
        const causes = listener.hasOr ? new Map(fired.causes).set(step, run) : fired.causes;
        activations.push({ ...fired, step, causes });
      }
      return activations;
    },
  };
}

function toNode(trigger: Trigger, step: string): Node {
  if (typeof trigger === "string") return toLeaf(trigger);
  const branches = branchesOf(trigger, step);
  return trigger.type === "and" ? toAll(branches, trigger.of.length) : toAny(branches, step);
}

/** A branch of a node, with its place among them. */
type Branch = { readonly place: number; readonly node: Node };

/** The branches by the events that they are about, each list in their order: an `and` of a hundred must not ask all for each event. */
function branchesOf(
  { of }: Exclude<Trigger, string>,
  step: string,
): ReadonlyMap<string, readonly Branch[]> {
  const branches = new Map<string, Branch[]>();
  for (const [place, trigger] of of.entries()) {
    const branch = { place, node: toNode(trigger, step) };
    for (const name of namesIn(trigger)) {
      const others = branches.get(name);
      if (others) others.push(branch);
      else branches.set(name, [branch]);
    }
  }
  return branches;
}

function toLeaf(name: string): Node {
  return (event) =>
    event.name === name
      ? { input: event.value, inputs: { [name]: event.value }, causes: event.causes }
      : undefined;
}

/** F1 */
function toAll(branches: ReadonlyMap<string, readonly Branch[]>, count: number): Node {
  const got = new Map<number, Fired>();
  return (event) => {
    let last: Fired | undefined;
    for (const { place, node } of branches.get(event.name) ?? []) {
      const fired = node(event);
      if (fired === undefined) continue;
      got.set(place, fired);
      last = fired;
    }
    if (last === undefined || got.size < count) return undefined;
    const all = Array.from({ length: count }, (_, place) => got.get(place)).filter(
      (one) => one !== undefined,
    );
    got.clear();
    return {
      input: last.input,
      inputs: Object.assign({}, ...all.map(({ inputs }) => inputs)) as Fired["inputs"], // `as`: made of them
      causes: lastOf(all.map(({ causes }) => causes)),
    };
  };
}

/** Of each step the last run. */
function lastOf(all: readonly Causes[]): Causes {
  const last = new Map<string, number>();
  for (const [step, run] of all.flatMap((causes) => [...causes]))
    last.set(step, Math.max(run, last.get(step) ?? 0));
  return last;
}

/** F2, F3 */
function toAny(branches: ReadonlyMap<string, readonly Branch[]>, step: string): Node {
  const counted = new Set<number>();
  const ledBack = new Set<number>(); // runs of its step, at most as many as it may make
  return (event) => {
    const fired = (branches.get(event.name) ?? []).flatMap(({ place, node }) => {
      const one = node(event);
      return one === undefined ? [] : [{ place, one, run: one.causes.get(step) }];
    });
    const first =
      counted.size === 0
        ? fired[0]
        : fired.find(
            ({ place, run }) => counted.has(place) || (run !== undefined && !ledBack.has(run)),
          );
    if (first !== undefined) counted.clear();
    if (first?.run !== undefined) ledBack.add(first.run);
    for (const { place } of fired) counted.add(place);
    return first?.one;
  };
}

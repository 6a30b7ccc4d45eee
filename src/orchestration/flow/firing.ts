// Which steps an event lets run. Knows nothing of handlers, state or time: names go in, activations come out.
//
// Invariants
//   F1  An `and` fires when each of its branches has happened since it last fired. It gets what each came to last, and is armed again.
//   F2  An `or` fires on the first of its branches. Each other one is counted once, and runs nothing.
//   F3  An `or` fires anew, and forgets whom it has counted, when a branch happens that it has counted already, and when one happens
//       that its own step has led to: a loop.
//   F4  Listeners of one event are activated at once, in the order of the definition; nothing that fires keeps another from it.

import type { Json } from "../../json.ts";
import { hasOr, namesIn, type Trigger } from "./trigger.ts";

/** Something that has happened: a step has ended, or a router has emitted a label. */
export type FlowEvent = {
  readonly name: string;
  readonly value: Json;
  /** Steps with an `or` that have led to it. */
  readonly causes: ReadonlySet<string>;
};

/** A step that is to run now. */
export type Activation = {
  readonly step: string;
  /** Of the event that fired it. */
  readonly input: Json;
  /** What each event came to that let it run, by name. */
  readonly inputs: Readonly<Record<string, Json>>;
  readonly causes: ReadonlySet<string>;
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
  const listeners = new Map<string, { readonly step: string; readonly node: Node }[]>();
  for (const { name, on } of steps) {
    if (on === undefined) continue;
    const listener = { step: name, node: toNode(on, name) };
    for (const event of namesIn(on)) {
      const others = listeners.get(event);
      if (others) others.push(listener);
      else listeners.set(event, [listener]);
    }
  }
  const loops = new Set(
    steps.flatMap(({ name, on }) => (on !== undefined && hasOr(on) ? [name] : [])),
  );
  return {
    happen(event) {
      const activations: Activation[] = [];
      for (const { step, node } of listeners.get(event.name) ?? []) {
        const fired = node(event);
        if (fired === undefined) continue;
        const causes = loops.has(step) ? new Set(fired.causes).add(step) : fired.causes;
        activations.push({ ...fired, step, causes });
      }
      return activations;
    },
  };
}

function toNode(trigger: Trigger, step: string): Node {
  if (typeof trigger === "string") return toLeaf(trigger);
  const branches = trigger.of.map((one) => toNode(one, step));
  return trigger.type === "and" ? toAll(branches) : toAny(branches, step);
}

function toLeaf(name: string): Node {
  return (event) =>
    event.name === name
      ? { input: event.value, inputs: { [name]: event.value }, causes: event.causes }
      : undefined;
}

/** F1 */
function toAll(branches: readonly Node[]): Node {
  const got = new Map<number, Fired>();
  return (event) => {
    let last: Fired | undefined;
    for (const [place, branch] of branches.entries()) {
      const fired = branch(event);
      if (fired === undefined) continue;
      got.set(place, fired);
      last = fired;
    }
    if (last === undefined || got.size < branches.length) return undefined;
    const all = branches.flatMap((_, place) => got.get(place) ?? []);
    got.clear();
    return {
      input: last.input,
      inputs: Object.assign({}, ...all.map(({ inputs }) => inputs)) as Fired["inputs"], // `as`: made of them
      causes: new Set(all.flatMap(({ causes }) => [...causes])),
    };
  };
}

/** F2, F3 */
function toAny(branches: readonly Node[], step: string): Node {
  const counted = new Set<number>();
  return (event) => {
    const fired = branches.flatMap((branch, place) => {
      const one = branch(event);
      return one === undefined ? [] : [{ place, one }];
    });
    const first =
      counted.size === 0
        ? fired[0]
        : fired.find(({ place, one }) => counted.has(place) || one.causes.has(step));
    if (first !== undefined) counted.clear();
    for (const { place } of fired) counted.add(place);
    return first?.one;
  };
}

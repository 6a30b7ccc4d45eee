// A flow as nodes and edges, for pictures: steps, a join for each `or` and `and`, labels on the edges from their router. Pure and
// deterministic: the same flow is the same picture.

import type { FlowSteps } from "../orchestration/flow/flow.ts";
import { sourcesOf } from "../orchestration/flow/graph.ts";
import type { FlowStep } from "../orchestration/flow/step.ts";
import type { Trigger } from "../orchestration/flow/trigger.ts";
import { type Link, rankNodes } from "./flow-rank.ts";

/** What a picture is made of. Every Flow is one. */
export type PicturedFlow = {
  readonly name: string;
  readonly steps: FlowSteps;
  readonly options: { readonly description?: string | undefined };
};

/** A crew that a step says it runs. */
export type CrewNote = { readonly name: string; readonly tasks: readonly string[] };

/** A step. */
export type StepNode = {
  readonly type: "step";
  readonly id: string;
  readonly name: string;
  readonly kind: FlowStep["kind"];
  readonly description: string | undefined;
  readonly crews: readonly CrewNote[];
};

/** A node. Its id is made of a letter and a number, never of a name. */
export type FlowNode =
  | StepNode
  /** An `or` or `and` of a step's trigger. */
  | { readonly type: "join"; readonly id: string; readonly join: "or" | "and" }
  /** Where a label leads that no step listens to. */
  | { readonly type: "end"; readonly id: string };

/** An edge. `label` = of the router that it comes from. */
export type FlowEdge = Link & {
  /** It closes a loop. */
  readonly isBack: boolean;
};

export type FlowGraph = {
  /** Joins come before their step. */
  readonly nodes: readonly FlowNode[];
  readonly edges: readonly FlowEdge[];
  /** By a node's id, from 0 at the starts: its longest path from there. A label takes a layer of its own. */
  readonly layers: ReadonlyMap<string, number>;
};

/** The flow's nodes and edges, and the layer of each node. */
export function flowGraph({ steps }: Pick<PicturedFlow, "steps">): FlowGraph {
  const { nodes, links } = connect(steps);
  const startsFirst = [...nodes.filter(isStart), ...nodes.filter((node) => !isStart(node))];
  const { layers, back } = rankNodes(
    startsFirst.map(({ id }) => id),
    links,
  );
  return { nodes, edges: links.map((link) => ({ ...link, isBack: back.has(link) })), layers };
}

function isStart(node: FlowNode): boolean {
  return node.type === "step" && node.kind === "start";
}

function connect(steps: FlowSteps): {
  readonly nodes: readonly FlowNode[];
  readonly links: readonly Link[];
} {
  const entries = Object.entries(steps);
  const sources = sourcesOf(steps);
  const ids = new Map(entries.map(([name], index) => [name, `s${index}`]));
  const nodes: FlowNode[] = [];
  const links = createLinks();
  const heard = new Set<string>();
  let joins = 0;

  // At most 20 deep: as deep as a trigger may be.
  const listen = (trigger: Trigger, to: string): void => {
    if (typeof trigger === "string") {
      heard.add(trigger);
      for (const source of sources.get(trigger) ?? [])
        links.add(ids.get(source), to, source === trigger ? undefined : trigger);
      return;
    }
    const id = `j${joins}`;
    joins += 1;
    for (const one of trigger.of) listen(one, id);
    nodes.push({ type: "join", id, join: trigger.type });
    links.add(id, to, undefined);
  };

  for (const [index, [name, step]] of entries.entries()) {
    if (step.on !== undefined) listen(step.on, `s${index}`);
    nodes.push(toStepNode(`s${index}`, name, step));
  }
  for (const [name, { labels }] of entries) {
    for (const label of new Set(labels.filter((one) => !heard.has(one)))) {
      const id = `e${nodes.length}`;
      nodes.push({ type: "end", id });
      links.add(ids.get(name), id, label);
    }
  }
  return { nodes, links: links.all };
}

/** Links without doubles, as `and(a, a)` has. */
function createLinks(): {
  readonly all: readonly Link[];
  add(from: string | undefined, to: string, label: string | undefined): void;
} {
  const all: Link[] = [];
  const known = new Set<string>();
  return {
    all,
    add(from, to, label) {
      const key = `${from} ${to} ${label ?? ""}`;
      if (from === undefined || known.has(key)) return;
      known.add(key);
      all.push({ from, to, label });
    },
  };
}

function toStepNode(id: string, name: string, { kind, options }: FlowStep): StepNode {
  const crews = (options.crews ?? []).map((crew) => ({
    name: crew.name,
    tasks: crew.tasks.map((task) => task.name),
  }));
  return { type: "step", id, name, kind, description: options.description, crews };
}

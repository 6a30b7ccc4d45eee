import { describe, expect, it } from "vitest";
import { flowGraph, type FlowGraph, type PicturedFlow } from "../../src/cli/flow-graph.ts";
import { defineFlow } from "../../src/orchestration/flow/flow.ts";
import { listen, router, start } from "../../src/orchestration/flow/step.ts";
import { and } from "../../src/orchestration/flow/trigger.ts";
import { LOOP, longFlow, NESTED, wideFlow } from "./flow-scene.ts";

/** Edges as text: `draft -> judge`, `judge -good-> print`, `judge =again=> or` for one that leads back. */
function edgesOf({ nodes, edges }: FlowGraph): readonly string[] {
  const names = new Map(
    nodes.map((node) => {
      if (node.type === "step") return [node.id, node.name];
      return [node.id, node.type === "join" ? node.join : "end"];
    }),
  );
  return edges.map(({ from, to, label, isBack }) => {
    const line = isBack ? "=" : "-";
    return `${names.get(from)} ${line}${label === undefined ? "" : label + line}> ${names.get(to)}`;
  });
}

function layersOf(flow: PicturedFlow): Readonly<Record<string, number | undefined>> {
  const { nodes, layers } = flowGraph(flow);
  return Object.fromEntries(
    nodes.map((node) => [node.type === "step" ? node.name : node.id, layers.get(node.id)]),
  );
}

describe("the graph of a flow", () => {
  it("has the steps with their kind, description, crews and tasks", () => {
    const { nodes } = flowGraph(LOOP);

    const steps = nodes.filter((node) => node.type === "step");
    expect(steps.map(({ name, kind }) => `${kind} ${name}`)).toEqual([
      "start plan",
      "listen draft",
      "router judge",
      "listen print",
      "listen send",
      "listen file",
    ]);
    expect(steps[0]?.description).toBe("Reads the order and says what is to be written");
    expect(steps[1]?.crews).toEqual([{ name: "report", tasks: ["research", "write"] }]);
  });

  it("leads from routers by their labels, through joins, and to an end where nobody listens", () => {
    expect(edgesOf(flowGraph(LOOP))).toEqual([
      "plan -> or",
      "judge =again=> or",
      "or -> draft",
      "draft -> judge",
      "judge -good-> print",
      "judge -good-> send",
      "print -> and",
      "send -> and",
      "and -> file",
      "judge -hopeless-> end",
    ]);
  });

  it("has a join in a join for a tree in a tree", () => {
    expect(edgesOf(flowGraph(NESTED))).toEqual([
      "a -> and",
      "b -> and",
      "and -> or",
      "a -> and",
      "b -> or",
      "c -> or",
      "or -> and",
      "and -> or",
      "or -> last",
    ]);
  });

  it("leads from each router that emits a label", () => {
    const flow = defineFlow(
      "two",
      {},
      {
        a: start(() => 1),
        one: router("a", ["go"], () => "go"),
        two: router("a", ["go"], () => "go"),
        last: listen("go", () => 2),
      },
    );

    expect(edgesOf(flowGraph(flow))).toEqual([
      "a -> one",
      "a -> two",
      "one -go-> last",
      "two -go-> last",
    ]);
  });

  it("has one edge for a name that a trigger has twice", () => {
    const flow = defineFlow("twice", {}, { a: start(() => 1), b: listen(and("a", "a"), () => 2) });

    expect(edgesOf(flowGraph(flow))).toEqual(["a -> and", "and -> b"]);
  });

  it("marks a step that listens to itself as a loop", () => {
    const flow = defineFlow(
      "self",
      {},
      { a: start(() => 1), b: listen("b", () => 2, { maxCalls: 3 }) },
    );

    expect(edgesOf(flowGraph(flow))).toEqual(["b => b"]);
  });

  it("stands each node as far down as its longest path, with a layer for labels", () => {
    expect(layersOf(LOOP)).toEqual({
      plan: 0,
      j0: 1,
      draft: 2,
      judge: 3,
      print: 5,
      send: 5,
      j1: 6,
      file: 7,
      e8: 5,
    });
    expect(layersOf(NESTED)).toEqual({ a: 0, b: 0, c: 0, j1: 1, j3: 1, j2: 2, j0: 3, last: 4 });
  });

  it("is the same for the same flow", () => {
    expect(flowGraph(LOOP)).toEqual(flowGraph(LOOP));
  });

  it("takes flows of the most steps, long or wide", () => {
    expect(layersOf(longFlow())["s999"]).toBe(999);
    expect(layersOf(wideFlow())["last"]).toBe(2);
  });
});

import { describe, expect, it } from "vitest";
import { flowGraph, type PicturedFlow } from "../../src/cli/flow-graph.ts";
import { type Box, layoutFlow, type Sizes } from "../../src/cli/flow-layout.ts";
import { LOOP, longFlow, NESTED, wideFlow } from "./flow-scene.ts";

const SIZES: Sizes = {
  node: (id) => ({ width: 60 + 10 * id.length, height: id.startsWith("s") ? 40 : 30, flat: 20 }),
  label: ({ label = "" }) => ({ width: label.length * 7, height: 18 }),
};

/** All that takes room: boxes of nodes and of labels. */
function roomsOf(flow: PicturedFlow): readonly Box[] {
  const { boxes, lines } = layoutFlow(flowGraph(flow), SIZES);
  const labels = lines.flatMap(({ edge, label }) =>
    label === undefined ? [] : [{ ...label, ...SIZES.label(edge) }],
  );
  return [...boxes.values(), ...labels];
}

function overlaps(a: Box, b: Box): boolean {
  return (
    Math.abs(a.x - b.x) < (a.width + b.width) / 2 - 0.001 &&
    Math.abs(a.y - b.y) < (a.height + b.height) / 2 - 0.001
  );
}

describe("the layout of a flow", () => {
  it.each([
    ["a loop", LOOP],
    ["nested joins", NESTED],
    ["a wide flow", wideFlow()],
  ])("gives each node and label of %s its own room", (_, flow) => {
    const rooms = roomsOf(flow);

    const doubles = rooms.filter((one, at) =>
      rooms.slice(at + 1).some((other) => overlaps(one, other)),
    );
    expect(doubles).toEqual([]);
  });

  it("keeps everything inside of its size", () => {
    const graph = flowGraph(LOOP);
    const { width, height, boxes, lines } = layoutFlow(graph, SIZES);

    const points = [...boxes.values(), ...lines.flatMap((line) => line.points)];
    for (const { x, y } of points) {
      expect(x).toBeGreaterThanOrEqual(0);
      expect(x).toBeLessThanOrEqual(width);
      expect(y).toBeGreaterThanOrEqual(0);
      expect(y).toBeLessThanOrEqual(height);
    }
  });

  it("leads lines from their source to their target, loops upwards", () => {
    const graph = flowGraph(LOOP);
    const { boxes, lines } = layoutFlow(graph, SIZES);

    for (const { edge, points } of lines) {
      const [from, to] = [boxes.get(edge.from), boxes.get(edge.to)];
      const side = edge.isBack ? -1 : 1;
      expect(points[0]?.y).toBe((from?.y ?? 0) + (side * (from?.height ?? 0)) / 2);
      expect(points.at(-1)?.y).toBe((to?.y ?? 0) - (side * (to?.height ?? 0)) / 2);
    }
    expect(lines.filter(({ edge }) => edge.isBack)).toHaveLength(1);
  });

  it("is the same for the same flow, also for the longest", () => {
    const graph = flowGraph(longFlow());

    expect(layoutFlow(graph, SIZES)).toEqual(layoutFlow(graph, SIZES));
  });
});

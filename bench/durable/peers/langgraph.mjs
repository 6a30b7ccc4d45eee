// LangGraph with SqliteSaver, as it comes: a node for each step, a checkpoint after each superstep.
//
// The state has one channel for the last result (and for a fan one that counts), which each node overwrites: a state that gathers all
// results would be written whole at every step.

import { statSync } from "node:fs";
import { join } from "node:path";
import { Annotation, END, START, StateGraph } from "@langchain/langgraph";
import { SqliteSaver } from "@langchain/langgraph-checkpoint-sqlite";

export const does =
  'a StateGraph node for each step (5,000: one node in a loop), SqliteSaver (WAL, synchronous=FULL), durability "sync", tracing off';

/** @param {import("../place.ts").Place} place @param {import("../contender.ts").Work} work */
export async function create({ folder }, work) {
  const path = join(folder, "langgraph.db");
  const saver = SqliteSaver.fromConnString(path);
  const graphs = new Map();
  const graphOf = (shape) => {
    const key = JSON.stringify(shape);
    if (!graphs.has(key)) graphs.set(key, build(shape, work).compile({ checkpointer: saver }));
    return graphs.get(key);
  };
  const configOf = (runId, { steps }) => ({
    configurable: { thread_id: runId },
    recursionLimit: steps + 10,
    durability: "sync",
  });
  return {
    run: async (runId, shape) =>
      void (await graphOf(shape).invoke({ at: 0 }, configOf(runId, shape))),
    resume: async (runId, shape) =>
      void (await graphOf(shape).invoke(null, configOf(runId, shape))),
    async bytes() {
      saver.db.pragma("wal_checkpoint(TRUNCATE)");
      return statSync(path).size;
    },
    close: async () => saver.db.close(),
  };
}

/** Steps in a row are nodes in a row; more than ten are one node that goes round. */
function build({ order, steps }, work) {
  const last = Annotation({ reducer: (_, value) => value, default: () => "" });
  const State = Annotation.Root({ last, at: Annotation({ reducer: Math.max, default: () => 0 }) });
  const graph = new StateGraph(State);
  const idOf = (config) => config.configurable.thread_id;
  if (order === "row" && steps > 10) {
    const next = async ({ at }, config) => ({ last: await work(idOf(config), at), at: at + 1 });
    return graph
      .addNode("step", next)
      .addEdge(START, "step")
      .addConditionalEdges("step", ({ at }) => (at < steps ? "step" : END));
  }
  for (let index = 0; index < steps; index++) {
    graph.addNode(`step${index}`, async (_, config) => ({
      last: await work(idOf(config), index),
      at: index + 1,
    }));
    graph.addEdge(order === "fan" || index === 0 ? START : `step${index - 1}`, `step${index}`);
    if (order === "fan" || index === steps - 1) graph.addEdge(`step${index}`, END);
  }
  return graph;
}

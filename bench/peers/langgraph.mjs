// LangGraph: a StateGraph of three nodes, each invoking ChatOpenAI with streaming on; no checkpointer.

import { Annotation, END, START, StateGraph } from "@langchain/langgraph";
import { ChatOpenAI } from "@langchain/openai";

export const packages = ["@langchain/langgraph", "@langchain/core", "@langchain/openai"];
export const does =
  "StateGraph of three nodes, graph.invoke(); each node ChatOpenAI({ streaming: true }).invoke(), which streams and assembles inside; no checkpointer, tracing off";

/** @param {import("../overhead/contender.ts").Brief} brief */
export async function create({ base, model, agents }) {
  const llm = new ChatOpenAI({
    model,
    apiKey: "x",
    streaming: true,
    streamUsage: true,
    useResponsesApi: false,
    configuration: { baseURL: base },
  });
  const State = Annotation.Root({ notes: Annotation, draft: Annotation, report: Annotation });
  const [researcher, writer, reviewer] = agents;
  const say = async ({ system, ask }, previous) => {
    const message = await llm.invoke([
      { role: "system", content: system },
      { role: "user", content: ask(previous) },
    ]);
    return message.content;
  };
  const graph = new StateGraph(State)
    .addNode("research", async () => ({ notes: await say(researcher, "") }))
    .addNode("write", async (state) => ({ draft: await say(writer, state.notes) }))
    .addNode("review", async (state) => ({ report: await say(reviewer, state.draft) }))
    .addEdge(START, "research")
    .addEdge("research", "write")
    .addEdge("write", "review")
    .addEdge("review", END)
    .compile();
  return { run: async () => (await graph.invoke({})).report };
}

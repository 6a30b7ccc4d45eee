// LangGraph: a StateGraph of three nodes, each streaming ChatOpenAI; no checkpointer.
//
// stream() and not invoke() with streaming: true, which counts the tokens of every prompt and reply with a vocabulary that it
// fetches from the web, and logs a failure for each call where there is no web.

import { Annotation, END, START, StateGraph } from "@langchain/langgraph";
import { ChatOpenAI } from "@langchain/openai";

export const packages = ["@langchain/langgraph", "@langchain/core", "@langchain/openai"];
export const does =
  "StateGraph of three nodes, graph.invoke(); each node for await over ChatOpenAI.stream() with usage; no checkpointer, tracing off";

/** @param {import("../overhead/contender.ts").Brief} brief */
export async function create({ base, model, agents }) {
  const llm = new ChatOpenAI({
    model,
    apiKey: "x",
    streamUsage: true,
    useResponsesApi: false,
    configuration: { baseURL: base },
  });
  const State = Annotation.Root({ notes: Annotation, draft: Annotation, report: Annotation });
  const [researcher, writer, reviewer] = agents;
  const say = async ({ system, ask }, previous) => {
    const chunks = await llm.stream([
      { role: "system", content: system },
      { role: "user", content: ask(previous) },
    ]);
    let text = "";
    for await (const chunk of chunks) text += chunk.content;
    return text;
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

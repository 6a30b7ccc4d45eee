// Vercel AI SDK: three ToolLoopAgents called one after the other, as its guide on workflows does; text read from textStream.

import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { ToolLoopAgent } from "ai";

export const packages = ["ai", "@ai-sdk/openai-compatible"];
export const does =
  "ToolLoopAgent.stream() three times over @ai-sdk/openai-compatible with usage; for await over textStream; no store";

/** @param {import("../overhead/contender.ts").Brief} brief */
export async function create({ base, model, agents }) {
  const provider = createOpenAICompatible({
    name: "canned",
    baseURL: base,
    apiKey: "x",
    includeUsage: true,
  });
  const [researcher, writer, reviewer] = agents.map(
    ({ system }) => new ToolLoopAgent({ model: provider(model), instructions: system }),
  );
  const [research, write, review] = agents.map(({ ask }) => ask);
  const say = async (agent, prompt) => {
    const result = await agent.stream({ prompt });
    let text = "";
    for await (const delta of result.textStream) text += delta;
    return text;
  };
  return {
    async run() {
      const notes = await say(researcher, research(""));
      const draft = await say(writer, write(notes));
      return say(reviewer, review(draft));
    },
  };
}

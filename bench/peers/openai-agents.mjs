// OpenAI Agents: one Runner, three agents run one after the other with stream: true over Chat Completions; tracing off.

import { Agent, OpenAIProvider, Runner } from "@openai/agents";

export const packages = ["@openai/agents", "openai"];
export const does =
  "Runner.run(agent, prompt, { stream: true }) three times over Chat Completions; for await over toTextStream(); tracing off, no session";

/** @param {import("../overhead/contender.ts").Brief} brief */
export async function create({ base, model, agents }) {
  const runner = new Runner({
    modelProvider: new OpenAIProvider({ baseURL: base, apiKey: "x", useResponses: false }),
    tracingDisabled: true,
  });
  const [researcher, writer, reviewer] = agents.map(
    ({ name, system }) => new Agent({ name, instructions: system, model }),
  );
  const [research, write, review] = agents.map(({ ask }) => ask);
  const say = async (agent, prompt) => {
    const result = await runner.run(agent, prompt, { stream: true });
    let text = "";
    for await (const delta of result.toTextStream()) text += delta;
    await result.completed;
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

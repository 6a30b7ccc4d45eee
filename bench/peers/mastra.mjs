// Mastra: a workflow of three steps, each streaming one Agent; logger off, no storage.

import { Agent } from "@mastra/core/agent";
import { Mastra } from "@mastra/core/mastra";
import { createStep, createWorkflow } from "@mastra/core/workflows";
import { z } from "zod";

export const packages = ["@mastra/core"];
export const does =
  "createWorkflow().then() of three steps, each agent.stream() with for await over textStream; model by { id, url }; logger off, no storage";

const Text = z.object({ text: z.string() });

/** @param {import("../overhead/contender.ts").Brief} brief */
export async function create({ base, model, agents }) {
  const steps = agents.map(({ name, system, ask }) => {
    const agent = new Agent({
      id: name,
      name,
      instructions: system,
      model: { id: `canned/${model}`, url: base, apiKey: "x" },
    });
    return createStep({
      id: `${name}-step`,
      inputSchema: Text,
      outputSchema: Text,
      async execute({ inputData }) {
        const output = await agent.stream(ask(inputData.text));
        let text = "";
        for await (const delta of output.textStream) text += delta;
        return { text };
      },
    });
  });
  const workflow = createWorkflow({ id: "crew", inputSchema: Text, outputSchema: Text })
    .then(steps[0])
    .then(steps[1])
    .then(steps[2])
    .commit();
  const mastra = new Mastra({ workflows: { crew: workflow }, logger: false });
  return {
    async run() {
      const run = await mastra.getWorkflow("crew").createRun();
      const result = await run.start({ inputData: { text: "" } });
      if (result.status !== "success") throw new Error(`mastra: ${JSON.stringify(result)}`);
      return result.result.text;
    },
  };
}

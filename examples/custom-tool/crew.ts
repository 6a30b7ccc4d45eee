// Custom tool: a function that the model may call. Its arguments are checked by its schema before it runs.
//   Run:          npm exec -- node src/cli/main.ts run examples/custom-tool
//   Ask:          npm exec -- node src/cli/main.ts run examples/custom-tool --input gpu=L40S
//   With a model: npm exec -- node src/cli/main.ts run examples/custom-tool --model http://localhost:8000/v1
// An error that the tool throws goes back to the model as text that it can act on; it does not end the run.

import { agent, crew, task, tool } from "bosun";
import { z } from "zod";

/** Memory of one card in GB and its bandwidth in GB/s. Source: NVIDIA data sheets. */
const CARDS: Readonly<
  Record<string, { readonly memoryGb: number; readonly bandwidthGbps: number }>
> = {
  "RTX-4090": { memoryGb: 24, bandwidthGbps: 1_008 },
  L40S: { memoryGb: 48, bandwidthGbps: 864 },
  "H100-SXM": { memoryGb: 80, bandwidthGbps: 3_350 },
  "H200-SXM": { memoryGb: 141, bandwidthGbps: 4_800 },
};

const lookUpGpu = tool({
  name: "look_up_gpu",
  description: "Looks up the memory and the bandwidth of a GPU by its name, such as L40S.",
  parameters: z.object({ gpu: z.string().describe("The GPU's name") }),
  run({ gpu }) {
    const card = CARDS[gpu];
    if (!card) throw new Error(`no card is called ${gpu}. Known: ${Object.keys(CARDS).join(", ")}`);
    const { memoryGb, bandwidthGbps } = card;
    return {
      source: "data sheet",
      text: `The ${gpu} has ${memoryGb} GB of memory and a bandwidth of ${bandwidthGbps} GB/s.`,
    };
  },
});

const engineer = agent({
  role: "GPU engineer",
  goal: "Say what a GPU has to offer",
  tools: [lookUpGpu],
  maxIterations: 3,
});

const look = task({
  name: "look",
  description: 'Look up the memory and the bandwidth of the GPU "{gpu}".',
  expectedOutput: "One sentence with both numbers",
  agent: engineer,
});

export const inputs = { gpu: "H100-SXM" };

export default crew({ name: "custom-tool", tasks: [look] });

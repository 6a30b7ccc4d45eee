// Asks a model for JSON of a shape, beside the work of agents: a judge's verdict, a plan. What does not fit is mended once.

import { BosunError } from "../../error.ts";
import type { OutputSpec } from "../../inference/model/message.ts";
import type { Durable } from "../durable/durable.ts";
import { askModel } from "./call.ts";
import type { Ask } from "./model-ask.ts";
import { checkOutput } from "./output.ts";
import { repairText } from "./prompt.ts";
import type { World } from "./world.ts";

/** Most times that a model is asked. */
export const ASK_TRIES = 2;

/** The JSON text that fits. @throws BosunError `task/output-invalid` with what the model said instead, or the model's own error. */
export async function askForJson(
  d: Durable,
  world: World,
  ask: Omit<Ask, "tools" | "output"> & { readonly output: OutputSpec },
): Promise<string> {
  const { output } = ask;
  let { conversation } = ask;
  for (let turn = 1; ; turn++) {
    const path = [...ask.path, `turn:${turn}`];
    const reply = await askModel(d, world, { ...ask, path, conversation, tools: [] });
    const key = [...path, "check"].join("/");
    const check = await d.step(key, () => checkOutput(reply.text, output.schema));
    if (check.type === "valid") return check.raw;
    if (turn === ASK_TRIES)
      throw new BosunError(
        "task/output-invalid",
        `${reply.model} gave no ${output.name.replace(/^bosun_/, "")} that can be read but said: ${JSON.stringify(reply.text.slice(0, SHOWN))}`,
      );
    const turns = [
      { role: "assistant", content: reply.text },
      { role: "user", content: repairText(check.issues) },
    ] as const;
    conversation = { ...conversation, turns };
  }
}

/** Most characters of a wrong answer that the error shows. */
const SHOWN = 200;

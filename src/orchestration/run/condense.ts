// The fit of one call as steps, and what it costs: cuts alone, or summaries of long sections by a model, and then the cuts that are left.
//
// A section is summarised once in a piece of work; its later turns see the summary, or the cut where the model failed. Each trim is an event.

import type { Durable } from "../durable/durable.ts";
import type { RunFact } from "./event.ts";
import { withoutText } from "./failure.ts";
import { applyFit, type Cut, sectionOf } from "./fit.ts";
import type { Ask, AskFunction } from "./model-ask.ts";
import type { Conversation } from "./prompt.ts";
import { type Fit, fitAsk } from "./room.ts";
import { summarize, type Summary } from "./summary.ts";
import type { World } from "./world.ts";

/** A conversation that fits, and by which fit. */
export type Fitted = { readonly fit: Fit; readonly conversation: Conversation };

/** Fits a call's conversation. @param call Makes the calls that summaries need. @throws BosunError `model/context-length`. */
export async function fitConversation(
  d: Durable,
  world: World,
  ask: Ask,
  call: AskFunction,
): Promise<Fitted> {
  const { log } = world.runOf(d.runId);
  const { path, summaries = new Map<string, string>() } = ask;
  const key = path.join("/");
  let conversation = withSummaries(ask.conversation, summaries);
  const fitStep = (name: string): Promise<Fit> =>
    d.step(`${key}/${name}`, (step) => fitAsk(world, { ...ask, conversation }, step.signal));
  let fit = await fitStep("fit");
  const long = ask.fit === "summary" ? fit.cuts.filter((cut) => isNew(cut, summaries)) : [];
  for (const cut of long) {
    const name = sectionOf(cut.part) ?? "";
    const text = conversation.sections.find((one) => one.name === name)?.text ?? "";
    const what = `the context section "${name}"`;
    const budgetTokens = cut.tokensAfter;
    const at = { path: [...path, cut.part], what, text, budgetTokens, work: ask.conversation.task };
    const summary = await summarize(
      d,
      world,
      { ...ask, ...at, models: ask.summaryModels ?? ask.models },
      call,
    );
    summaries.set(name, summary.text);
    const { tokens: tokensAfter } = summary;
    log.emit(path, { type: "context-trim", ...cut, tokensAfter, ...trimOf(summary) });
  }
  if (long.length > 0) {
    conversation = withSummaries(ask.conversation, summaries);
    fit = await fitStep("fit-summary");
  }
  for (const cut of fit.cuts) log.emit(path, { type: "context-trim", ...cut, how: "cut" });
  return { fit, conversation: applyFit(conversation, fit.cuts) };
}

/** How a summary shortened its text, as its event tells it. */
export function trimOf({ readCharacters, failure }: Summary): Pick<Trim, "how" | "failure"> {
  const how = readCharacters === undefined ? "cut" : "summary";
  return failure === undefined ? { how } : { how, failure: withoutText(failure) };
}

type Trim = Extract<RunFact, { readonly type: "context-trim" }>;

function isNew({ part }: Cut, summaries: ReadonlyMap<string, string>): boolean {
  const name = sectionOf(part);
  return name !== undefined && !summaries.has(name);
}

function withSummaries(
  conversation: Conversation,
  summaries: ReadonlyMap<string, string>,
): Conversation {
  if (summaries.size === 0) return conversation;
  const sections = conversation.sections.map(({ name, text }) => ({
    name,
    text: summaries.get(name) ?? text,
  }));
  return { ...conversation, sections };
}

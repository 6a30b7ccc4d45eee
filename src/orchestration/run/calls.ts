// The calls of one turn: tools and coworkers, all at once within their bounds, results in the order of the calls.

import type { Message, ToolCall } from "../../inference/model/message.ts";
import type { Durable } from "../durable/durable.ts";
import { afterCall, type AskedCall, beforeCall, type CallOutcome } from "./call-hook.ts";
import { delegateAll, type DelegationFlow, type Ledger } from "./delegation.ts";
import type { AgentJob } from "./job.ts";
import { kindOf } from "./team.ts";
import { callTool } from "./tool-call.ts";
import type { World } from "./world.ts";

/** Most calls of one turn that are made; the model is told about the others. */
const MAX_CALLS_PER_TURN = 16;

/** What the functions of an agent's body share. */
export type AgentBody = {
  readonly d: Durable;
  readonly world: World;
  readonly job: AgentJob;
  readonly flow: DelegationFlow;
  readonly turns: Message[];
  readonly ledger: Ledger;
  /** Of sections that were too long, by name. */
  readonly summaries: Map<string, string>;
};

/** Makes a turn's calls and adds their results to the conversation. Returns the answer when a tool's result is it. */
export async function runCalls(
  body: AgentBody,
  turn: number,
  calls: readonly ToolCall[],
): Promise<string | undefined> {
  const { d, world, job, turns } = body;
  const asked = calls.slice(0, MAX_CALLS_PER_TURN).map((call, index): AskedCall => ({
    call,
    path: [...job.path, `turn:${turn}`, `tool:${index}`],
    agent: job.agent.name,
    task: job.task.name,
  }));
  // All hooks before any call: what one of them blocks must not depend on how long another call takes.
  const hooked = await Promise.all(asked.map((one) => beforeCall(d, world, one)));
  const outcomes: (CallOutcome | undefined)[] = asked.map(() => undefined);
  const made: { readonly index: number; readonly one: AskedCall }[] = [];
  for (const [index, one] of hooked.entries()) {
    const place = asked[index];
    if (one.type === "blocked") outcomes[index] = { type: "failed", content: one.content };
    else if (place) made.push({ index, one: { ...place, call: one.call } });
  }
  const isTeams = ({ one }: (typeof made)[number]): boolean =>
    kindOf(one.call.tool, job.team) !== undefined;
  const [toTeam, own] = [made.filter(isTeams), made.filter((call) => !isTeams(call))];
  await Promise.all([
    giveAway(
      body,
      turn,
      toTeam.map(({ one }) => one),
    ).then((brought) => toTeam.forEach(({ index }, at) => (outcomes[index] = brought[at]))),
    ...own.map(async ({ index, one }) => {
      outcomes[index] = await callTool(d, world, {
        ...one,
        tools: job.tools,
        reading: job.reading,
      });
    }),
  ]);
  for (const [index, call] of calls.entries()) {
    const content =
      outcomes[index]?.content ??
      `Not run: at most ${MAX_CALLS_PER_TURN} tools are run in one turn. Call it again if you still need it.`;
    turns.push({ role: "tool", callId: call.id, tool: call.tool, content });
  }
  return answerIn(job, calls, outcomes);
}

/** Gives work to coworkers, as many at once as may be. */
async function giveAway(
  { d, world, job, flow, ledger }: AgentBody,
  turn: number,
  asked: readonly AskedCall[],
): Promise<readonly CallOutcome[]> {
  const { team } = job;
  if (!team || asked.length === 0) return [];
  const calls = asked.map(({ call: { tool, arguments: args }, path }) => ({
    tool,
    arguments: args,
    path,
  }));
  const key = [...job.path, `turn:${turn}`].join("/");
  const brought = await delegateAll({ d, world, job, ledger, flow, key }, team, calls);
  return Promise.all(
    asked.map((one, at) =>
      afterCall(d, world, one, brought[at] ?? { type: "failed", content: "" }),
    ),
  );
}

/** The result that is the answer. Its content was cut for the prompt; the answer is whole. */
function answerIn(
  { tools }: AgentJob,
  calls: readonly ToolCall[],
  outcomes: readonly (CallOutcome | undefined)[],
): string | undefined {
  const answered = outcomes.find(
    (outcome, index) =>
      outcome?.type === "done" &&
      tools.some((tool) => tool.name === calls[index]?.tool && tool.resultAsAnswer),
  );
  return answered && (answered.answer ?? answered.content);
}

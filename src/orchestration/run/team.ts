// Team: whom an agent may ask and give work to, and the tools with which it does so. Pure; delegation.ts acts on what is asked.

import type { ToolSpec } from "../../inference/model/message.ts";
import type { JsonObject } from "../../json.ts";
import type { Agent } from "../crew/agent.ts";
import { fillPlaceholders } from "../crew/input.ts";
import type { DelegationKind } from "./event.ts";
import type { InputDocuments } from "./input-document.ts";
import { nameOfAgent, type RunContext } from "./world.ts";

/** One who can be asked, as the asking agent sees it. */
export type Member = { readonly name: string; readonly goal: string; readonly spec: Agent };

/** An agent's coworkers. */
export type Team = {
  readonly members: readonly Member[];
  /** The asking agent leads: it may also send results back. */
  readonly isLed: boolean;
  /** Who gave the work to whom, up to the asking agent. None of them can be asked: they wait. */
  readonly chain: readonly string[];
  readonly maxDelegations: number;
  readonly maxAtOnce: number;
};

/**
 * The team of an agent; undefined when it has none: it may not delegate, everybody else is waiting for it, or the work has been
 * passed on as deep as it may be (`maxDelegationDepth`).
 */
export function teamOf(
  {
    crew,
    inputs,
    documents,
  }: Pick<RunContext, "crew" | "inputs"> & { readonly documents: Pick<InputDocuments, "brief"> },
  spec: Agent,
  chain: readonly string[],
): Team | undefined {
  const isLed = spec === crew.manager;
  const mayDelegate = isLed || spec.allowDelegation;
  if (!mayDelegate || chain.length > crew.maxDelegationDepth) return undefined;
  const members = crew.agents
    .map((one): Member => {
      const name = nameOfAgent(one, inputs);
      return {
        name,
        goal: fillPlaceholders(one.goal, documents.brief, `agent "${name}"`),
        spec: one,
      };
    })
    .filter(({ name, spec: one }) => one !== spec && !chain.includes(name));
  if (members.length === 0) return undefined;
  const { maxDelegations, maxParallelDelegations: maxAtOnce } = crew;
  return { members, isLed, chain, maxDelegations, maxAtOnce };
}

const KINDS: Readonly<Record<string, DelegationKind>> = {
  delegate_work: "delegate",
  ask_coworker: "ask",
  send_back: "send-back",
};

/** What a call of a team's tool asks for; undefined for every other tool. */
export function kindOf(tool: string, team: Team | undefined): DelegationKind | undefined {
  const kind = team && Object.hasOwn(KINDS, tool) ? KINDS[tool] : undefined;
  return kind === "send-back" && !team?.isLed ? undefined : kind;
}

/** The tools of a team, as a model sees them. */
export function teamTools({ members, isLed }: Team): readonly ToolSpec[] {
  const coworker: JsonObject = {
    type: "string",
    enum: members.map(({ name }) => name),
    description: "Who",
  };
  const context = text("Everything they need to know: they see nothing else");
  const tools = [
    toolOf("delegate_work", "Give a piece of work to a coworker, who does it and answers.", {
      coworker,
      task: text("What to do, and what to bring"),
      context,
    }),
    toolOf("ask_coworker", "Ask a coworker a question.", {
      coworker,
      question: text("The question"),
      context,
    }),
  ];
  if (!isLed) return tools;
  const back = toolOf("send_back", "Send a result back to whoever brought it, to be done again.", {
    id: text("The result's id, such as d1"),
    reasons: text("What is wrong or missing"),
  });
  return [...tools, back];
}

function text(description: string): JsonObject {
  return { type: "string", description };
}

function toolOf(
  name: string,
  description: string,
  properties: Readonly<Record<string, JsonObject>>,
): ToolSpec {
  const required = Object.keys(properties);
  return {
    name,
    description,
    parameters: { type: "object", properties, required, additionalProperties: false },
  };
}

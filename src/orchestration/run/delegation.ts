// Delegation: what an agent's calls of its team's tools come to. Each piece is a child run of its own (delegate.ts).
//
// Bounds: `maxDelegations` pieces in one execution of the asking agent, `maxParallelDelegations` at once, and the chain of those who
// wait: nobody in it can be asked, and it is at most `maxDelegationDepth` long (team.ts). What cannot be done is an error that the
// asking model reads; it never fails the task.

import { BosunError, toBosunError } from "../../error.ts";
import type { Json } from "../../json.ts";
import type { Path } from "../../inference/model/model.ts";
import type { Child, Durable, Flow } from "../durable/durable.ts";
import { readObject } from "../tool/arguments.ts";
import { cutText } from "../tool/text.ts";
import type { DelegationKind } from "./event.ts";
import { isFatal, isFinal, isOverBudget, textOf, withoutText } from "./failure.ts";
import type { AgentJob, Answer } from "./job.ts";
import { resultText } from "./prompt.ts";
import { kindOf, type Member, type Team } from "./team.ts";
import type { World } from "./world.ts";

/** A piece of work, as JSON: the input of its child run. */
export type DelegationInput = {
  /** The agent's name in the crew's definition. */
  readonly agent: string;
  readonly path: Path;
  /** Who waits for it: from the task's own agent to the one who gives it away. */
  readonly givers: readonly string[];
  /** The task that all of this is for, and who asks. */
  readonly task: string;
  readonly from: string;
  readonly kind: DelegationKind;
  readonly text: string;
  readonly context: string;
  readonly earlier?: string | undefined;
  readonly reasons?: string | undefined;
};

/** The flow of a piece of work. */
export type DelegationFlow = Flow<DelegationInput, Answer>;

/** What one execution of an agent has given away so far. */
export type Ledger = { count: number; readonly results: Map<string, Given> };

type Given = Pick<DelegationInput, "text" | "context" | "kind"> & {
  readonly member: Member;
  readonly raw: string;
};

export function createLedger(): Ledger {
  return { count: 0, results: new Map() };
}

/** One call of a team's tool, and where it stands. */
export type TeamCall = { readonly tool: string; readonly arguments: string; readonly path: Path };

/** What a call came to, as its agent reads it. */
export type TeamOutcome = { readonly type: "done" | "failed"; readonly content: string };

/** What those calls share. */
export type Delegating = {
  readonly d: Durable;
  readonly world: World;
  readonly job: AgentJob;
  readonly ledger: Ledger;
  readonly flow: DelegationFlow;
  /** Unique for these calls: the key of their races. */
  readonly key: string;
};

/** Does the calls of one turn, as many at once as may be. Outcomes in call order. Rejects only when the run is aborted. */
export async function delegateAll(
  delegating: Delegating,
  team: Team,
  calls: readonly TeamCall[],
): Promise<readonly TeamOutcome[]> {
  const { d, ledger, key } = delegating;
  const planned = calls.map((call) => planDelegation(team, ledger, call)); // in call order: ids are counted
  const outcomes: TeamOutcome[] = [];
  const running = new Map<string, Started>();
  const waiting = [...planned.entries()];
  for (let round = 0; waiting.length > 0 || running.size > 0; round++) {
    while (running.size < team.maxAtOnce) {
      const [index, plan] = waiting.shift() ?? [];
      if (index === undefined || plan === undefined) break;
      if (plan.type === "refused") outcomes[index] = refusal(plan.why);
      else running.set(String(index), start(delegating, team, plan));
    }
    if (running.size === 0) continue;
    const pending = Object.fromEntries([...running].map(([at, one]) => [at, one.child.result]));
    const won = await d.race(`${key}/round:${round}`, pending).catch(async (error: unknown) => {
      // An abort: each of them is told to have ended, when it has.
      await Promise.allSettled([...running.values()].map((one) => finish(delegating, one)));
      throw error;
    });
    const started = running.get(won);
    if (!started) continue;
    running.delete(won);
    outcomes[Number(won)] = await finish(delegating, started).catch(async (error: unknown) => {
      // The run's budget is used up: calls of the others that are under way are paid for, and end by themselves.
      if (isOverBudget(error))
        await Promise.allSettled([...running.values()].map((one) => finish(delegating, one)));
      throw error;
    });
  }
  return outcomes;
}

type Plan =
  | { readonly type: "refused"; readonly why: string }
  | (Omit<Given, "raw"> & {
      readonly type: "start";
      readonly id: string;
      readonly path: Path;
      readonly earlier?: string;
      readonly reasons?: string;
    });

/** What a call asks for, or why it cannot be. Counts it in the ledger. */
function planDelegation(team: Team, ledger: Ledger, call: TeamCall): Plan {
  const read = readObject(call.arguments);
  if (read.type === "wrong") return refused(read.what);
  const field = (name: string): string => wordsOf(read.value[name]);
  if (ledger.count >= team.maxDelegations)
    return refused(`all ${team.maxDelegations} delegations are used up. Answer from what you have`);
  const kind = kindOf(call.tool, team) ?? "delegate";
  const id = `d${ledger.count + 1}`;
  if (kind === "send-back") {
    const given = ledger.results.get(field("id").trim());
    if (!given) return refused(`there is no result "${field("id")}" ${knownIds(ledger)}`);
    if (field("reasons").trim() === "") return refused("say in words what is wrong or missing");
    ledger.count++;
    const { raw: earlier, ...rest } = given;
    return { ...rest, type: "start", id, path: call.path, earlier, reasons: field("reasons") };
  }
  const text = field(kind === "ask" ? "question" : "task");
  if (text.trim() === "")
    return refused(`say ${kind === "ask" ? "the question" : "the task"} in words`);
  const member = memberNamed(team, field("coworker"));
  if (!member) return refused(whoCanBeAsked(team, field("coworker")));
  ledger.count++;
  return { type: "start", id, path: call.path, kind, member, text, context: field("context") };
}

function refused(why: string): Plan {
  return { type: "refused", why };
}

/** Models write objects where a text is meant. */
function wordsOf(value: Json | undefined): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Models write names with other case, spaces and quotes, or the role alone. */
function memberNamed({ members }: Team, asked: string): Member | undefined {
  const same = members.find(({ name }) => plain(name) === plain(asked));
  return same ?? members.find(({ spec }) => plain(spec.role) === plain(asked));
}

function plain(name: string): string {
  return name
    .toLowerCase()
    .replace(/["'`\s]+/g, " ")
    .trim();
}

function whoCanBeAsked({ members, chain }: Team, asked: string): string {
  const names = members.map(({ name }) => name).join(", ");
  const isWaiting = chain.some((name) => name.toLowerCase() === asked.trim().toLowerCase());
  const why = isWaiting ? "is waiting for this very work" : "is none of your coworkers";
  return `"${asked}" ${why}. You can ask: ${names}`;
}

function knownIds({ results }: Ledger): string {
  const ids = [...results.keys()].join(", ");
  return ids === "" ? "to send back: nothing has come back yet" : `to send back. There are: ${ids}`;
}

type Started = {
  readonly plan: Extract<Plan, { readonly type: "start" }>;
  readonly child: Child<Answer>;
};

function start(
  { d, world, job, flow }: Delegating,
  { chain }: Team,
  plan: Extract<Plan, { readonly type: "start" }>,
): Started {
  const { id, member, kind, text, context, earlier, reasons } = plan;
  const { log } = world.runOf(d.runId);
  const path = [...plan.path, `agent:${member.name.replaceAll("/", "%2F")}`];
  const { name: agent } = job.agent;
  const told =
    earlier === undefined ? { kind, text } : { kind: "send-back" as const, text: reasons ?? "" };
  log.emit(plan.path, { type: "delegation-start", agent, to: member.name, id, ...told });
  const input: DelegationInput = {
    agent: member.spec.name,
    path,
    givers: chain,
    task: job.task.name,
    from: agent,
    kind,
    text,
    context,
    earlier,
    reasons,
  };
  const { timeoutMs } = member.spec;
  const timeoutError = (): BosunError =>
    new BosunError(
      "task/timed-out",
      `agent "${member.name}" did not end its piece of task "${job.task.name}" within ${timeoutMs} ms`,
    );
  return { plan, child: d.child(path.join("/"), flow, input, { timeoutMs, timeoutError }) };
}

async function finish(
  { d, world, job, ledger }: Delegating,
  { plan, child }: Started,
): Promise<TeamOutcome> {
  const { id, member, kind, text, context } = plan;
  const { log } = world.runOf(d.runId);
  const end = { type: "delegation-end", agent: job.agent.name, to: member.name, id } as const;
  try {
    const { raw } = await child.result;
    ledger.results.set(id, { member, kind, text, context, raw });
    log.emit(plan.path, { ...end, status: "done", raw });
    return { type: "done", content: resultText(id, member.name, cutTo(raw, MAX_RESULT)) };
  } catch (error) {
    const failure = toBosunError(error, "run/failed", `agent "${member.name}"`);
    const raw = textOf(error);
    const status = d.signal.aborted ? "cancelled" : "failed";
    log.emit(plan.path, { ...end, status, raw, error: withoutText(failure) });
    if (isFatal(d, error) || isFinal(error)) throw error;
    const written = raw === "" ? "" : `. They had written: ${cutTo(raw, MAX_PARTIAL)}`;
    const advice =
      "Give it away again with more context, to them or to somebody else, or go on without it";
    return refusal(`${member.name} could not do it: ${failure.message}${written}. ${advice}`);
  }
}

/** Most characters of a result, of a text that did not come to its end, and of reasons, that the asking model reads. */
const MAX_RESULT = 64_000;
const MAX_PARTIAL = 4_000;

function cutTo(text: string, length: number): string {
  return cutText(text, (some) => some.length <= length);
}

function refusal(why: string): TeamOutcome {
  return { type: "failed", content: `Error: ${why}.` };
}

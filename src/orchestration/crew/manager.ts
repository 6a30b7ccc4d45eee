// The manager of a hierarchical crew: who it is, and what bounds its delegations. run/delegation.ts lets it work.

import type { ModelRef } from "../../inference/model/endpoint.ts";
import { BosunError } from "../../error.ts";
import { type Agent, agent } from "./agent.ts";

/** Who leads a hierarchical crew. */
export type ManagerOptions = {
  /** An agent of your own that leads. It must not be one of the crew's workers. Default: one that Bosun makes. */
  readonly manager?: Agent | undefined;
  /** The model of the manager that Bosun makes. Default: the run's. */
  readonly managerModel?: ModelRef | undefined;
};

/** Bounds of delegation, by a manager or between agents that may delegate. */
export type DelegationLimits = {
  /** Pieces of work that one agent may give away while it does one task, those sent back included. Default 10. */
  readonly maxDelegations: number;
  /** Of those, at once. Default 4. */
  readonly maxParallelDelegations: number;
  /** How deep work is passed on: 1 = whoever gets it must do it. Default 2. */
  readonly maxDelegationDepth: number;
};

export const DEFAULT_DELEGATION: DelegationLimits = {
  maxDelegations: 10,
  maxParallelDelegations: 4,
  maxDelegationDepth: 2,
};

/**
 * The manager of a crew; undefined for a crew that has none.
 * @throws BosunError `crew/invalid` for options that would be ignored, and for a manager that is a worker too.
 */
export function managerOf(
  where: string,
  { manager, managerModel }: ManagerOptions,
  {
    isHierarchical,
    workers,
  }: { readonly isHierarchical: boolean; readonly workers: readonly Agent[] },
): Agent | undefined {
  const refuse = (message: string): BosunError =>
    new BosunError("crew/invalid", `${where}: ${message}`);
  if (!isHierarchical) {
    if (manager === undefined && managerModel === undefined) return undefined;
    const name = manager === undefined ? "managerModel" : "manager";
    throw refuse(`${name} counts only with process: "hierarchical". Set that, or leave it out`);
  }
  if (manager !== undefined && managerModel !== undefined)
    throw refuse(
      "managerModel is for the manager that Bosun makes. Give the manager its own model",
    );
  if (manager !== undefined && workers.includes(manager))
    throw refuse(
      `"${manager.name}" is its manager and one of its workers. Make another agent the manager, or leave it out of agents and tasks`,
    );
  if (workers.length === 0)
    throw new BosunError(
      "crew/no-agent",
      `${where} is hierarchical and has nobody to delegate to. List its workers: agents: [ … ]`,
    );
  return manager ?? defaultManager(managerModel);
}

function defaultManager(model: ModelRef | undefined): Agent {
  return agent({
    name: "Crew manager",
    role: "Manager of a crew",
    goal: "Get each task done well, by the right people, with as few steps as it takes",
    backstory: "You know what your people can do, brief them precisely, and check what they bring.",
    model,
  });
}

/** @throws BosunError `crew/invalid` for a bound of delegations in a crew where nobody delegates. */
export function limitsOf(
  where: string,
  options: Partial<DelegationLimits>,
  isUsed: boolean,
): DelegationLimits {
  const { maxDelegations, maxParallelDelegations, maxDelegationDepth } = options;
  const given = { maxDelegations, maxParallelDelegations, maxDelegationDepth };
  const [set] = Object.entries(given).flatMap(([key, value]) => (value === undefined ? [] : [key]));
  if (set !== undefined && !isUsed) {
    const message = `${where}: ${set} counts only with process: "hierarchical" or an agent with allowDelegation: true`;
    throw new BosunError("crew/invalid", message);
  }
  return {
    maxDelegations: maxDelegations ?? DEFAULT_DELEGATION.maxDelegations,
    maxParallelDelegations: maxParallelDelegations ?? DEFAULT_DELEGATION.maxParallelDelegations,
    maxDelegationDepth: maxDelegationDepth ?? DEFAULT_DELEGATION.maxDelegationDepth,
  };
}

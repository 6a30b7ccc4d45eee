// The model of the environment as a project's default: agents that name none use it, as in CrewAI.

import type { CrewDefinition } from "./definition.ts";
import { type Environment, modelVariable } from "./environment.ts";
import { type ModelUse, readModel } from "./model-value.ts";
import type { NoteBook, Place } from "./place.ts";
import { createScope } from "./python-scope.ts";

/**
 * The definition with that model where none is named; notes it when that is anywhere.
 * @param from what is named as the place of a model that is not in the project's .env.
 */
export function withDefaultModel(
  definition: CrewDefinition,
  environment: Environment,
  { book, from }: { readonly book: NoteBook; readonly from: Place },
): CrewDefinition {
  const found = modelVariable(environment);
  if (!found || !isOpen(definition)) return definition;
  const { name, model } = found;
  const own = environment.placeOf(name);
  const place = own ?? from;
  const before = book.all.length;
  const note = book.note.bind(undefined, place, name);
  const use = readModel(
    { type: "scalar", value: model, place },
    { key: name, place, root: "", scope: createScope(undefined), note, tools: () => [] },
  ).model;
  if (use) {
    const where = own ? "the project's .env" : "the environment";
    note("note", `${where} names ${model}: agents that name no model use it`);
  }
  const notes = [...definition.notes, ...book.all.slice(before)];
  return { ...(use ? fill(definition, use) : definition), notes };
}

function isOpen({ agents }: CrewDefinition): boolean {
  return agents.some(({ model }) => model === undefined);
}

function fill(definition: CrewDefinition, use: ModelUse): CrewDefinition {
  const { agents, planning, planningModel, process, manager, managerModel } = definition;
  const isLed = process === "hierarchical" && manager === undefined;
  return {
    ...definition,
    agents: agents.map((agent) => ({ ...agent, model: agent.model ?? use })),
    planningModel: planningModel ?? (planning ? use : undefined),
    managerModel: managerModel ?? (isLed ? use : undefined),
  };
}

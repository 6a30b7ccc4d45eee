// What is said to a model and what it may call. Plain data; only wire.ts knows how a server spells it.

import type { JsonObject } from "../../json.ts";

/** A call that a model asks for. `arguments` is the model's own text: not parsed, perhaps not even JSON. */
export type ToolCall = { readonly id: string; readonly tool: string; readonly arguments: string };

/** One message of a conversation. */
export type Message =
  | { readonly role: "system"; readonly content: string }
  | { readonly role: "user"; readonly content: string }
  | { readonly role: "assistant"; readonly content: string; readonly calls?: readonly ToolCall[] }
  | {
      readonly role: "tool";
      readonly content: string;
      readonly callId: string;
      readonly tool: string;
    };

/** Most characters of a tool's name, or of a call's id, that are read. */
export const MAX_NAME = 256;

/** A tool as a model sees it. `parameters` is JSON Schema of an object. */
export type ToolSpec = {
  readonly name: string;
  readonly description: string;
  readonly parameters: JsonObject;
};

/** Whether the model may, must not or must call a tool. */
export type ToolChoice = "auto" | "none" | "required";

/** The shape that an answer must have. `schema` is JSON Schema. */
export type OutputSpec = { readonly name: string; readonly schema: JsonObject };

/** Names of outputs that nobody can give by quoting: a judge's verdict, and a plan. */
export const VERDICT_OUTPUT = "bosun_verdict";
export const PLAN_OUTPUT = "bosun_plan";

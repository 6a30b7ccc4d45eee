// What a router has returned, as the labels that it emits.

import { BosunError } from "../../error.ts";
import { isJson, isObject, type Json, notJsonIn } from "../../json.ts";

/** A label, and what listens to it gets. Plain JSON. */
export type Emitted = { readonly label: string; readonly value: Json };

/**
 * @param input What a label gets that brings no value.
 * @throws BosunError `flow/label` for what is none of the router's labels.
 */
export function emissionsOf(
  where: string,
  returned: unknown,
  { labels, input }: { readonly labels: readonly string[]; readonly input: Json },
): readonly Emitted[] {
  if (returned === undefined || returned === null) return [];
  const all: readonly unknown[] = Array.isArray(returned) ? returned : [returned];
  return all.map((one) => {
    const emitted = isObject(one) ? one : { label: one };
    const { label, value = input } = emitted;
    if (typeof label === "string" && labels.includes(label) && isJson(value))
      return { label, value };
    throw new BosunError(
      "flow/label",
      `${where}: it returned ${show(one)}. A router returns one of its labels (${labels.join(", ")}), { label, value } with a JSON value, a list of them, or nothing`,
    );
  });
}

function show(value: unknown): string {
  if (!isJson(value)) return `what is no JSON: ${notJsonIn(value)}`;
  return (JSON.stringify(value) ?? `a ${typeof value}`).slice(0, 200);
}

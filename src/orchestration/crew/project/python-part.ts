// `Agent(…)` and `Task(…)` of a crew.py as parts of a project: the keywords over the YAML that `config=` names.

import { errorAt, type Place } from "./place.ts";
import type { Method } from "./python-file.ts";
import type { PythonScope } from "./python-scope.ts";
import { entriesIn, overlay, type RawPart } from "./raw.ts";
import type { Entry, Located } from "./value.ts";

/** The part that a method makes. @throws BosunError `crew/invalid` for a key that the YAML does not have. */
export function methodPart(
  method: Pick<Method, "name" | "result" | "place">,
  parts: readonly RawPart[],
  scope: PythonScope,
): RawPart {
  const { name, result, place } = method;
  const call = result?.type === "python" ? result.call : undefined;
  if (!call)
    return {
      ...(parts.find(({ id }) => id === name) ?? { entries: [], place }),
      id: name,
      aliases: [],
    };
  const config = call.keywords.find(({ key }) => key === "config");
  const base = config && configOf(config, parts, scope);
  const own = call.keywords.filter(({ key }) => key !== "config");
  return {
    id: name,
    aliases: base?.id === undefined || base.id === name ? [] : [base.id],
    entries: [...overlay(own, base?.entries ?? []), ...typeEntry(call.name, place)],
    place: base?.place ?? place,
  };
}

type Config = Pick<RawPart, "entries" | "place"> & { readonly id?: string };

/** What `config=` names: a key of the YAML, or an object in place. */
function configOf({ value, place }: Entry, parts: readonly RawPart[], scope: PythonScope): Config {
  const key = configKeyOf(value);
  if (key === undefined) return { entries: entriesIn(scope.resolve(value)), place };
  const base = parts.find(({ id }) => id === key);
  if (base) return base;
  const names = parts.map(({ id }) => id).join(", ");
  throw errorAt(place, `"${key}" is in none of the YAML file's keys: ${names}`);
}

/** `ConditionalTask(…)` is what "type" says in JSON. */
function typeEntry(name: string | undefined, place: Place): readonly Entry[] {
  if (name !== "ConditionalTask") return [];
  return [{ key: "type", value: { type: "scalar", value: name, place }, place }];
}

/** `name` of `self.agents_config["name"]`. */
export function configKeyOf(value: Located): string | undefined {
  return value.type === "python"
    ? /^self\.\w+(?:\.get\(|\[)\s*["']([^"']+)["']\s*[\])]/.exec(value.text)?.[1]
    : undefined;
}

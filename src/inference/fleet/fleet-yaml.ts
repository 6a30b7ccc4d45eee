// YAML of a fleet file as plain data that knows its places. Loads the YAML library when there is such a file, and at once: a Bosun
// is made without waiting.
//
// Y1 A text over MAX_CHARS, or aliases that stand for more than MAX_ALIASES values, are refused.

import { createRequire } from "node:module";
import type * as Library from "yaml";
import type { Document, LineCounter, Node } from "yaml";
import { messageOf } from "../../error.ts";
import { fleetError, type FleetPlace } from "./fleet-place.ts";
import type { DataPath, ShapeFault } from "./fleet-shape.ts";

const MAX_CHARS = 1_048_576;
const MAX_ALIASES = 100;

/** Data and where each part of it stands. */
export type PlacedData = {
  readonly value: unknown;
  readonly placeOf: (fault: Pick<ShapeFault, "path" | "isKey">) => FleetPlace;
};

/** @throws BosunError `config/invalid` with the place for text that is no YAML, is empty or over the bounds (Y1). */
export function readPlacedYaml(file: string, text: string): PlacedData {
  const start = { file, line: 1, column: 1 };
  if (text.length > MAX_CHARS) throw fleetError(start, `the file is over ${MAX_CHARS} characters`);
  const yaml = loadYaml();
  const lines = new yaml.LineCounter();
  const document = parse(yaml, { file, text }, lines);
  const [fault] = document.errors;
  if (fault) {
    const { line, col } = lines.linePos(fault.pos[0]);
    throw fleetError(
      { file, line: Math.max(1, line), column: Math.max(1, col) },
      `this is not valid YAML: ${fault.message}`,
    );
  }
  if (document.contents === null) throw fleetError(start, "the file is empty: it needs models");
  const placeOf: PlacedData["placeOf"] = (at) => {
    const { line, col } = lines.linePos(offsetOf(yaml, document, at));
    return { file, line: Math.max(1, line), column: Math.max(1, col) };
  };
  return { value: toValue(document, start), placeOf };
}

function loadYaml(): typeof Library {
  // `as`: require() has no types; it gives this package.
  return createRequire(import.meta.url)("yaml") as typeof Library;
}

function parse(
  { parseDocument }: typeof Library,
  { file, text }: { readonly file: string; readonly text: string },
  lineCounter: LineCounter,
): Document {
  try {
    return parseDocument(text, { lineCounter, prettyErrors: false, merge: true });
  } catch (cause) {
    const message = `this is not valid YAML: ${messageOf(cause)}`; // brackets that overflow the parser's stack
    throw fleetError({ file, line: 1, column: 1 }, message, { cause });
  }
}

function toValue(document: Document, start: FleetPlace): unknown {
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (cause) {
    throw fleetError(start, `this YAML cannot be read: ${messageOf(cause)}`, { cause });
  }
}

/** Where a key or its value begins; what an alias stands for begins where its nearest ancestor in the text does. */
function offsetOf(
  yaml: typeof Library,
  document: Document,
  { path, isKey }: Pick<ShapeFault, "path" | "isKey">,
): number {
  for (let length = path.length; length > 0; length--) {
    const at = path.slice(0, length);
    const value = isKey && length === path.length ? undefined : nodeAt(yaml, document, at);
    const offset = (value ?? keyAt(yaml, document, at))?.range?.[0];
    if (offset !== undefined) return offset;
  }
  return document.contents?.range?.[0] ?? 0;
}

function nodeAt({ isNode }: typeof Library, document: Document, path: DataPath): Node | undefined {
  const node: unknown = path.length === 0 ? document.contents : document.getIn(path, true);
  return isNode(node) ? node : undefined;
}

function keyAt(yaml: typeof Library, document: Document, path: DataPath): Node | undefined {
  const { isMap, isScalar } = yaml;
  const parent = nodeAt(yaml, document, path.slice(0, -1));
  const name = path.at(-1);
  const pair = isMap(parent)
    ? parent.items.find(({ key }) => isScalar(key) && key.value === name)
    : undefined;
  return isScalar(pair?.key) ? pair.key : undefined;
}

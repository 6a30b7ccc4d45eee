// The inputs of a definition as the text of `export const inputs`. Pure.

import type { CrewDefinition } from "./definition.ts";
import type { InputSource } from "./input-source.ts";
import { timeCode, timesAsked } from "./python-clock.ts";
import { keyCode, toLiteral } from "./typescript.ts";

/** The export; "" for a project that gives no inputs. */
export function renderInputs({ inputs }: CrewDefinition): string {
  if (inputs.length === 0) return "";
  const asked = inputs.map(([, one]) => (one.type === "clock" ? timesAsked(one.use) : 0));
  const isOften = asked.reduce((sum, count) => sum + count, 0) > 1;
  const fields = inputs.map(([name, source]) =>
    inputCode(name, source, isOften ? "now" : "new Date()"),
  );
  const line = fields.join(", ");
  const isShort = line.length <= MAX_INPUTS && !line.includes("\n");
  const body = isShort ? ` ${line} ` : `\n${fields.map((field) => `  ${field},\n`).join("")}`;
  const now = isOften ? "const now = new Date();\n" : "";
  return `${now}/** What is used when the command line gives no --input. */\nexport const inputs = {${body}};\n`;
}

const MAX_INPUTS = 80;

/** A variable of the environment is looked up when the file is loaded, as Python does. */
function inputCode(name: string, source: InputSource, now: string): string {
  const key = keyCode(name);
  switch (source.type) {
    case "value":
      return `${key}: ${toLiteral(source.value, 1)}`;
    case "clock":
      return `${key}: ${timeCode(source.use, now)}`;
    case "variable": {
      const variable = `process.env[${toLiteral(source.name)}]`;
      return source.fallback === undefined
        ? `...(${variable} === undefined ? {} : { ${key}: ${variable} })`
        : `${key}: ${variable} ?? ${toLiteral(source.fallback, 1)}`;
    }
    default:
      return source satisfies never;
  }
}

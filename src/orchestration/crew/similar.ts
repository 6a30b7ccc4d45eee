// What somebody meant who wrote a name that is not known.

import { ownValue } from "../../json.ts";

/** CrewAI's names that are another word here. */
const MEANT: Readonly<Record<string, string>> = {
  llm: "model",
  maxiter: "maxIterations",
  maxexecutiontime: "timeoutMs",
  outputpydantic: "output",
  outputjson: "output",
  asyncexecution: "async",
  guardrails: "guardrail",
  managerllm: "managerModel",
  manageragent: "manager",
  planningllm: "planningModel",
  maxretrylimit: "retries",
  guardrailmaxretries: "guardrailRetries",
  condition: "when",
};

/** The known name that somebody meant, by CrewAI's words, by case, or by a letter or two. */
export function similarTo(name: string, known: readonly string[]): string | undefined {
  const plain = plainName(name);
  const meant = ownValue(MEANT, plain);
  if (meant !== undefined && known.includes(meant)) return meant;
  const most = plain.length < 5 ? 1 : 2;
  return (
    known
      // Of two that are equally near the one that begins alike: hardly anybody mistypes a first letter.
      .map((one) => ({
        one,
        far: distance(plain, plainName(one), most) + (plainName(one)[0] === plain[0] ? 0 : 0.5),
      }))
      .filter(({ far }) => far <= most)
      .toSorted((a, b) => a.far - b.far)[0]?.one
  );
}

function plainName(name: string): string {
  return name.slice(0, 40).toLowerCase().replace(/[_-]/g, "");
}

/** Letters to change, add or take away (Levenshtein); anything over `most` when lengths differ by more. */
function distance(a: string, b: string, most: number): number {
  if (Math.abs(a.length - b.length) > most) return most + 1;
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const change = (row[j] ?? 0) + (a[i] === b[j] ? 0 : 1);
      next.push(Math.min(change, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? most + 1;
}

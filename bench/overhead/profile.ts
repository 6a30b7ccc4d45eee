// Top functions of a CPU profile by self time: node bench/overhead/profile.ts FILE.cpuprofile [TOP]. See --cpu-prof of main.ts.

import { readFileSync } from "node:fs";
import { formatSection } from "./report.ts";

type Frame = { readonly functionName: string; readonly url: string; readonly lineNumber: number };
type Profile = {
  readonly nodes: readonly { readonly id: number; readonly callFrame: Frame }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
};

const [file, top = "40"] = process.argv.slice(2);
if (file === undefined)
  throw new Error("usage: node bench/overhead/profile.ts FILE.cpuprofile [TOP]");
const profile = JSON.parse(readFileSync(file, "utf8")) as Profile; // `as`: Node's own format

const selfUs = new Map<string, number>();
const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, placeOf(callFrame)]));
for (const [index, id] of profile.samples.entries()) {
  const place = frames.get(id) ?? "?";
  selfUs.set(place, (selfUs.get(place) ?? 0) + (profile.timeDeltas[index] ?? 0));
}
const busy = [...selfUs].filter(([place]) => !/^\((idle|root)\)/.test(place));
const totalUs = busy.reduce((sum, [, us]) => sum + us, 0);
const rows = busy
  .toSorted(([, a], [, b]) => b - a)
  .slice(0, Number(top))
  .map(([place, us]) => ({
    function: place,
    "self ms": (us / 1_000).toFixed(0),
    share: `${((us / totalUs) * 100).toFixed(1)} %`,
  }));
const title = `Self time, ${(totalUs / 1_000).toFixed(0)} ms busy`;
console.log(formatSection({ title, note: "", rows, data: undefined }));

/** The function and where it stands, without the way to the checkout. */
function placeOf({ functionName, url, lineNumber }: Frame): string {
  const name = functionName || "(anonymous)";
  if (url === "") return name;
  const path = url.replace(/^.*\/(src|dist|bench|node_modules)\//, "$1/");
  return `${name} ${path}:${lineNumber + 1}`;
}

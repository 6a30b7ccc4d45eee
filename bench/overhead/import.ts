// What `import "bosun"` costs: processor time, wall time, memory and packages, against Node starting with nothing.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { bosunUrl } from "./bosun.ts";
import { arePeersInstalled, PEERS, peerUrl } from "./contender.ts";
import { formatNumber, type Section } from "./report.ts";
import type { Scale } from "./scale.ts";
import { rotate, summarize } from "./statistics.ts";

const run = promisify(execFile);

type Target = { readonly name: string; readonly url: string | undefined };
type Cost = { readonly cpuMs: number; readonly wallMs: number; readonly rssMb: number };
type Loaded = { readonly packages: readonly string[]; readonly modules: number };

// Plain JavaScript: TypeScript here would make Node load its type stripper for the bare start too.
const TIMED = `if (process.argv[1]) await import(process.argv[1]);
const { user, system } = process.cpuUsage();
const wallMs = performance.now();
console.log(JSON.stringify({ cpuMs: (user + system) / 1000, wallMs, rssMb: process.memoryUsage.rss() / 2 ** 20 }));
process.exit();`;

const COUNTED = `import { registerHooks } from "node:module";
const urls = new Set();
registerHooks({ load(url, context, next) { urls.add(url); return next(url, context); } });
if (process.argv[1]) await import(process.argv[1]);
console.log(JSON.stringify([...urls].filter((url) => url.startsWith("file:"))));
process.exit();`;

export async function measureImport(scale: Scale): Promise<Section> {
  const targets = targetsOf(scale);
  const costs = new Map<string, Cost[]>(targets.map(({ name }) => [name, []]));
  for (const target of targets) await timed(target); // warms the page cache
  for (let round = 0; round < scale.import.rounds; round++)
    for (const target of rotate(targets, round)) costs.get(target.name)?.push(await timed(target));
  const bare = costs.get(BARE) ?? [];
  const bareCpu = summarize(bare.map(({ cpuMs }) => cpuMs)).median;
  const rows: Record<string, string>[] = [];
  const data: unknown[] = [];
  for (const target of targets) {
    const own = costs.get(target.name) ?? [];
    const [cpuMs, wallMs, rssMb] = [
      summarize(own.map((cost) => cost.cpuMs)),
      summarize(own.map((cost) => cost.wallMs)),
      summarize(own.map((cost) => cost.rssMb)),
    ];
    const loaded = await counted(target);
    rows.push({
      import: target.name,
      "cpu ms": formatNumber(cpuMs.median),
      p90: formatNumber(cpuMs.p90),
      spread: `${Math.round(cpuMs.spread * 100)} %`,
      "over bare": target.name === BARE ? "" : formatNumber(cpuMs.median - bareCpu),
      "wall ms": formatNumber(wallMs.median),
      "RSS MB": formatNumber(rssMb.median),
      packages: String(loaded.packages.length),
      modules: String(loaded.modules),
    });
    data.push({ name: target.name, cpuMs, wallMs, rssMb, ...loaded });
  }
  const note = `${scale.import.rounds} fresh processes each, interleaved, page cache warm. "cpu ms" is the whole process, Node's start included; "over bare" is without it. Packages: distinct ones whose files were loaded, Bosun itself included.`;
  return { title: 'import "bosun"', note, rows, data };
}

const BARE = "node, nothing";

function targetsOf(scale: Scale): readonly Target[] {
  const dist = bosunUrl("dist");
  const peers = scale.import.peers && arePeersInstalled() ? PEERS : [];
  return [
    { name: BARE, url: undefined },
    { name: "bosun (src)", url: bosunUrl("src") },
    ...(dist === undefined ? [] : [{ name: "bosun (dist)", url: dist }]),
    ...peers.map((peer) => ({ name: `${peer} (as its contender)`, url: peerUrl(peer) })),
  ];
}

async function timed(target: Target): Promise<Cost> {
  return JSON.parse(await evaluate(TIMED, target)) as Cost; // `as`: TIMED printed it
}

async function counted(target: Target): Promise<Loaded> {
  const urls = JSON.parse(await evaluate(COUNTED, target)) as string[]; // `as`: COUNTED printed it
  return { packages: [...new Set(urls.map(packageOf))].toSorted(), modules: urls.length };
}

async function evaluate(code: string, { url }: Target): Promise<string> {
  const args = ["--input-type=module", "-e", code, ...(url === undefined ? [] : [url])];
  const { stdout } = await run(process.execPath, args, {
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"] },
  });
  return stdout;
}

/** The package of a file: what follows its last node_modules, else this one. */
function packageOf(url: string): string {
  const inside = url.split("/node_modules/").slice(1).at(-1);
  if (inside === undefined) return url.includes("/bench/peers/") ? "(contender)" : "bosun";
  const [scope = "", name = ""] = inside.split("/");
  return scope.startsWith("@") ? `${scope}/${name}` : scope;
}

// Which layer of a picture each node stands in, and which links lead back (loops). Pure; loops, not recursion, so that a chain of
// thousands of nodes is no matter of the stack. O(nodes + links).

/** An arrow between two nodes. */
export type Link = {
  readonly from: string;
  readonly to: string;
  /** Of the router that emits it. A labelled link spans two layers at least: its text stands in the one between. */
  readonly label: string | undefined;
};

/** Layers from 0, and the links that close a loop. */
type Ranks = {
  readonly layers: ReadonlyMap<string, number>;
  readonly back: ReadonlySet<Link>;
};

/**
 * Each node as far down as its longest path from a node that nothing leads to. A link back counts the other way round: it ends above.
 * @param ids In the order in which loops are looked for: starts first.
 */
export function rankNodes(ids: readonly string[], links: readonly Link[]): Ranks {
  const back = linksBack(ids, links);
  const down = links
    .filter(({ from, to }) => from !== to)
    .map((link) => (back.has(link) ? { ...link, from: link.to, to: link.from } : link));
  return { layers: longestPaths(ids, down), back };
}

function linksBack(ids: readonly string[], links: readonly Link[]): ReadonlySet<Link> {
  const out = Map.groupBy(links, ({ from }) => from);
  const seen = new Map<string, "open" | "closed">();
  const back = new Set<Link>();
  for (const root of ids) {
    if (seen.has(root)) continue;
    seen.set(root, "open");
    const stack = [{ id: root, next: 0 }];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const link = out.get(top.id)?.[top.next];
      top.next += 1;
      if (link === undefined) {
        seen.set(top.id, "closed");
        stack.pop();
      } else if (seen.get(link.to) === "open") {
        back.add(link);
      } else if (!seen.has(link.to)) {
        seen.set(link.to, "open");
        stack.push({ id: link.to, next: 0 });
      }
    }
  }
  return back;
}

/** @param down Without loops. */
function longestPaths(ids: readonly string[], down: readonly Link[]): ReadonlyMap<string, number> {
  const out = Map.groupBy(down, ({ from }) => from);
  const layers = new Map(ids.map((id) => [id, 0]));
  const waiting = new Map(ids.map((id) => [id, 0]));
  for (const { to } of down) waiting.set(to, (waiting.get(to) ?? 0) + 1);
  const due = ids.filter((id) => waiting.get(id) === 0);
  // `due` grows while it is walked: each node once, after all that lead to it.
  for (const id of due) {
    const layer = layers.get(id) ?? 0;
    for (const { to, label } of out.get(id) ?? []) {
      layers.set(to, Math.max(layers.get(to) ?? 0, layer + (label === undefined ? 1 : 2)));
      const left = (waiting.get(to) ?? 0) - 1;
      waiting.set(to, left);
      if (left === 0) due.push(to);
    }
  }
  return layers;
}

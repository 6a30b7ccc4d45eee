// Names on the server: a flow of one version is one service there, so that a run goes on only with the version that it began with.

/** Of all services of this engine. */
const PREFIX = "bosun.";

/** The object that bounds queues. */
export const QUEUE_SERVICE: string = "bosun-queue";

/** A name that Restate takes: letters, digits, `-`, `_` and dots. */
export function serviceOf(flow: { readonly name: string; readonly version: string }): string {
  return `${PREFIX}${escaped(flow.name)}.${escaped(flow.version)}`;
}

/** The flow of a service; undefined for a service of somebody else. */
export function flowOf(
  service: string,
): { readonly name: string; readonly version: string } | undefined {
  const [name, version, ...more] = service.startsWith(PREFIX)
    ? service.slice(PREFIX.length).split(".")
    : [];
  if (name === undefined || version === undefined || more.length > 0) return undefined;
  return { name: unescaped(name), version: unescaped(version) };
}

function escaped(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9-]/gu, (char) => `_${char.codePointAt(0)?.toString(16)}_`);
}

function unescaped(text: string): string {
  return text.replaceAll(/_([0-9a-f]+)_/g, (_, hex: string) =>
    String.fromCodePoint(Number.parseInt(hex, 16)),
  );
}

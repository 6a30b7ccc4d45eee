// Names as people, drivers and hubs write them: compared by letters and digits alone.

/** Longest name that is looked at, in characters. */
const MAX_NAME = 200;

/**
 * The first item one of whose names is `text`, whatever the case and the signs between. The whole name has to match: what has one
 * word more is another thing.
 * @param ignored words that are left out of both sides.
 */
export function findByName<T>(
  items: readonly T[],
  text: string,
  namesOf: (item: T) => readonly string[],
  ignored: ReadonlySet<string> = new Set(),
): T | undefined {
  const key = toKey(text, ignored);
  return key === ""
    ? undefined
    : items.find((item) => namesOf(item).some((name) => toKey(name, ignored) === key));
}

function toKey(text: string, ignored: ReadonlySet<string>): string {
  return text
    .slice(0, MAX_NAME)
    .toLowerCase()
    .split(/[^a-z0-9.]+/)
    .filter((word) => !ignored.has(word))
    .join("");
}

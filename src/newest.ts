// Maps that keep their newest entries: the bound of caches by key.

/** Puts a value at the end of a map, also one that it has; beyond `most` entries, the one that was longest not put goes. */
export function putNewest<Key, Value>(
  map: Map<Key, Value>,
  [key, value]: readonly [Key, Value],
  most: number,
): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= most) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}

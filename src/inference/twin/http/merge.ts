// Several sources as one, in the order in which they have something.

/**
 * The values of all sources, each with its source's place. At most one value of each source is waited for at a time. When the reader
 * leaves or a source fails, `onLeave` is called first, which must end what the others wait for.
 */
export async function* merge<T>(
  sources: readonly AsyncGenerator<T>[],
  onLeave: () => void,
): AsyncGenerator<readonly [place: number, value: T]> {
  type Came = { readonly place: number; readonly result: IteratorResult<T> };
  const waiting = new Map<number, Promise<Came>>();
  const pull = (source: AsyncGenerator<T>, place: number): void => {
    const next = source.next().then((result) => ({ place, result }));
    next.catch(() => undefined); // it is awaited in a race; one that loses and fails later is left by then
    waiting.set(place, next);
  };
  for (const [place, source] of sources.entries()) pull(source, place);
  try {
    while (waiting.size > 0) {
      const { place, result } = await Promise.race(waiting.values());
      waiting.delete(place);
      if (result.done) continue;
      yield [place, result.value];
      const source = sources[place];
      if (source) pull(source, place);
    }
  } finally {
    if (waiting.size > 0) onLeave();
    await Promise.allSettled(sources.map((source) => source.return(undefined)));
  }
}

// The known name that somebody meant who wrote another one. Pure.

/** The known name that differs from `name` by case, by a sign or by a letter or two; undefined when none does. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const plain = plainName(name);
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

/** A name by its letters alone: `max_iter` and `maxIter` are one. At most 40 characters are looked at. */
export function plainName(name: string): string {
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

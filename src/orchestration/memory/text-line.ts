// The lines of a text: its own, of which one that is longer than MAX_LINE is wrapped between words, so that a text without line breaks
// can be read and cut too. They cover the text without a gap.

/** Most characters of a line; longer ones are wrapped. */
const MAX_LINE = 400;

/** Where each line begins, in characters; the first at 0. O(length). */
export function lineStarts(text: string): readonly number[] {
  const starts: number[] = [];
  let at = 0;
  do {
    starts.push(at);
    const end = text.indexOf("\n", at);
    const next = end < 0 ? text.length : end + 1;
    at = next - at <= MAX_LINE ? next : wrapAt(text, at);
  } while (at < text.length);
  return starts;
}

/** Where a long line is wrapped: after a space, or amid a word that is longer than a line; never amid a character. */
function wrapAt(text: string, start: number): number {
  const space = text.lastIndexOf(" ", start + MAX_LINE - 1);
  if (space > start + MAX_LINE / 2) return space + 1;
  const at = start + MAX_LINE;
  const code = text.charCodeAt(at);
  return code >= 0xdc00 && code <= 0xdfff ? at - 1 : at;
}

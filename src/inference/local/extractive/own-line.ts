// The lines that this model writes about itself, so that it knows them again in a later agent's context.

/** First line of every text answer. */
export const MARKER = "*model: extractive (no neural network)*";

/** Heading over the statements that a review took out. */
export const REMOVED_HEADING = "Statements without a source";

/** Last line of a review. */
export function checkedLine(supported: number, unsupported: number): string {
  const total = supported + unsupported;
  return `Checked ${total} statement${total === 1 ? "" : "s"}: ${supported} supported, ${unsupported} without a source.`;
}

/** What an agent says that found nothing; group 1 is the subject. */
export const NOTHING_FOUND: RegExp =
  /^Nothing was found about "([^"\n]{1,300})" in the sources given\.$/m;

/** True for a line that is about an answer, not part of it. */
export function isOwnLine(line: string): boolean {
  const text = line.trim();
  return (
    text === MARKER ||
    NOTHING_FOUND.test(text) ||
    /^Checked \d+ statements?: \d+ supported, \d+ without a source\./.test(text)
  );
}

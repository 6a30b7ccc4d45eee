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

/** What an agent says that found nothing; one of the groups is the subject. */
const NOTHING_FOUND =
  /^Nothing was found (?:about "([^"\n]{1,300})" in the sources given|for "([^"\n]{1,300})"(?:, "[^"\n]{1,300}")*)\.$/m;

/** The subject that an agent found nothing about. */
export function subjectNotFound(text: string): string | undefined {
  const [, subject, query] = NOTHING_FOUND.exec(text) ?? [];
  return subject ?? query;
}

/** Says that a tool was left alone. */
export function notCalledLine(tool: string, missing: readonly string[]): string {
  return `${tool} was not called: the task does not say ${missing.join(", ")}.`;
}

/** Says which required values no source holds. */
export function gapsLine(missing: readonly string[]): string {
  return `Nothing in the sources fills: ${missing.join(", ") || "the answer"}.`;
}

/** True for a line that is about an answer, not part of it. */
export function isOwnLine(line: string): boolean {
  const text = line.trim();
  return (
    text === MARKER ||
    NOTHING_FOUND.test(text) ||
    /^Nothing in the sources fills: \S/.test(text) ||
    /^\S+ was not called: the task does not say \S/.test(text) ||
    /^Checked \d+ statements?: \d+ supported, \d+ without a source\./.test(text)
  );
}

// Yes or no, as a sentence says it.
//
// Reads clause by clause, with English words only. A question, a condition or a guess says neither.

import { coverage, termsOf } from "./term.ts";

/** true when a clause of the text states the terms, false when it denies them, undefined when the text does neither. */
export function statedIn(text: string, wanted: ReadonlySet<string>): boolean | undefined {
  if (wanted.size === 0 || text.trimEnd().endsWith("?") || !STATING.test(text)) return undefined;
  for (const clause of text.split(CLAUSE_END)) {
    if (UNSURE.test(clause)) continue;
    const terms = new Set(termsOf(clause));
    if (coverage(wanted, terms) === 1) return !isDenied(clause);
    if (coverage(wanted, new Set([...terms].map(undenied))) === 1) return isDenied(clause);
  }
  return undefined;
}

/** The truth value of a word: yes, no, true, false. */
export function truthOf(text: string): boolean | undefined {
  if (/^(?:yes|true)\b/i.test(text.trim())) return true;
  return /^(?:no|false|none)\b/i.test(text.trim()) ? false : undefined;
}

/** True for a text with a word of denial. */
export function isDenied(text: string): boolean {
  return DENIAL.test(text);
}

/** "invalid" denies what "valid" states. */
function undenied(term: string): string {
  return term.replace(/^(?:in|un|non|im)(?=\p{L}{4})/u, "");
}

const CLAUSE_END = /[,;:.!]\s+|\s(?:but|while|whereas|although|though)\s/i;
const UNSURE = /\b(?:if|unless|whether|when|may|might|could|should|perhaps|possibly|would)\b/i;
const DENIAL = /\b(?:not|no|never|cannot|without|neither|nor|none)\b|n['’]t\b/i;
/** A name alone states nothing: there must be a verb of being, having or doing. */
const STATING =
  /\b(?:is|are|was|were|be|been|has|have|had|can|cannot|does|do|did|will)\b|n['’]t\b|\b(?:support|include|contain|need|require|allow|use|pass|fail|provide|offer|run|work|keep)s?\b/i;

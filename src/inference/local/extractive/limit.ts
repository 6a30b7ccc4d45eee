// How long an answer may be and which shape it has, as a task says it in words.

/** Bounds that a text states. Absent = not stated. */
export type Limits = {
  /** Most words of the whole answer. */
  readonly words: number | undefined;
  /** True when the words are a goal ("write 500 words"), not only a bound ("at most 500 words"). */
  readonly isTarget: boolean;
  readonly sentences: number | undefined;
  readonly paragraphs: number | undefined;
  readonly bullets: number | undefined;
  /** True for an answer that is asked for as a list, with or without a number. */
  readonly isList: boolean;
};

/** The limits of the texts; a later text wins over an earlier one, field by field. */
export function readLimits(texts: readonly string[]): Limits {
  const read = texts.map((text) => text.slice(0, MAX_READ));
  const last = (pattern: RegExp): number | undefined => lastCount(read, pattern);
  const bound = last(BOUND_WORDS);
  const target = lastCount(
    read.map((text) => text.replace(BOUND_WORDS, "")),
    TARGET_WORDS,
  );
  const sentences = last(SENTENCES);
  const paragraphs = last(PARAGRAPHS);
  // A text of so many words or paragraphs may be made "from five facts": then they are no form of the answer.
  const isText = [target, sentences, paragraphs].some((count) => count !== undefined);
  const bullets = last(BULLETS) ?? (isText ? undefined : last(ITEMS));
  return {
    words: bound === undefined ? target : Math.min(bound, target ?? bound),
    isTarget: target !== undefined,
    sentences,
    paragraphs,
    bullets,
    isList: bullets !== undefined || (!isText && read.some((text) => LIST.test(text))),
  };
}

/** Most characters of a text that are searched. */
const MAX_READ = 8_000;

function lastCount(texts: readonly string[], pattern: RegExp): number | undefined {
  return texts.map((text) => largest(text, pattern)).findLast((count) => count !== undefined);
}

/** 300, 1,000, three, 3-5, three to five. Group 1: the number, or the upper end of a range. "A sentence" in passing is no limit. */
const COUNT = String.raw`(?:(?:\d[\d,]*|one|two|three|four|five|six|seven|eight|nine|ten)\s?(?:-|–|to|or)\s?)?(\d[\d,]*|one|two|three|four|five|six|seven|eight|nine|ten|twelve|fifteen|twenty)`;
const BOUND = String.raw`(?:at most|no more than|not more than|up to|under|below|max(?:imum)?(?: of)?\.?|within|fewer than|less than|limit(?:ed)?(?: of| to)?:?|not exceed(?:ing)?)`;

const BOUND_WORDS = new RegExp(
  `\\b${BOUND} ${COUNT} words?\\b|\\b${COUNT} words? (?:or (?:less|fewer)|at most|max(?:imum)?)\\b|\\bwords?:? ${BOUND} ${COUNT}\\b`,
  "gi",
);
const TARGET_WORDS = new RegExp(`\\b${COUNT}[\\s-]words?\\b`, "gi");
const SENTENCES = new RegExp(`\\b${COUNT}[\\s-](?:\\w+ )?sentences?\\b`, "gi");
const PARAGRAPHS = new RegExp(`\\b${COUNT}[\\s-](?:\\w+ )?paragraphs?\\b`, "gi");
const BULLETS = new RegExp(`\\b${COUNT}[\\s-](?:\\w+ )?(?:bullets?|bullet points?)\\b`, "gi");
const ITEMS = new RegExp(
  `\\b${COUNT}[\\s-](?:[\\w-]+ ){0,2}(?:points?|facts|findings|items|takeaways|statements|claims)\\b`,
  "gi",
);
/** A list is asked for, not worked from: "Facts with sources", "the key findings", not "from the facts". */
const LIST =
  /\bbullet(?:s|ed)?\b|\blist (?:of|the)\b|\b(?:key|main) (?:facts|findings|takeaways|points)\b|^(?:[\w-]+ ){0,2}(?:facts|findings|takeaways)\b/i;

const NUMBER_WORDS: Readonly<Record<string, number>> = {
  one: 1,
  two: 2,
  three: 3,
  four: 4,
  five: 5,
  six: 6,
  seven: 7,
  eight: 8,
  nine: 9,
  ten: 10,
  twelve: 12,
  fifteen: 15,
  twenty: 20,
};

/** The largest number that the pattern finds, or undefined. */
function largest(text: string, pattern: RegExp): number | undefined {
  let most: number | undefined;
  for (const match of text.matchAll(pattern)) {
    const said = match.slice(1).find((group) => group !== undefined) ?? "";
    const count = NUMBER_WORDS[said.toLowerCase()] ?? Number(said.replaceAll(",", ""));
    if (Number.isInteger(count) && count > 0) most = Math.max(most ?? 0, count);
  }
  return most;
}

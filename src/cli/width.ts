// How many columns a text takes on a terminal, and texts cut and padded to a number of columns. Pure.

/** Columns that a text takes: 2 for wide characters and emoji, 0 for combining marks. The text holds no control characters. */
export function displayWidth(text: string): number {
  if (ASCII.test(text)) return text.length;
  let width = 0;
  for (const { segment } of SEGMENTER.segment(text)) width += segmentWidth(segment);
  return width;
}

/** The text, cut to at most `columns` columns; what was cut shows as "…". */
export function cutTo(text: string, columns: number): string {
  if (displayWidth(text) <= columns) return text;
  if (columns < 1) return "";
  let kept = "";
  let width = 0;
  for (const { segment } of SEGMENTER.segment(text)) {
    const next = segmentWidth(segment);
    if (width + next > columns - 1) break;
    kept += segment;
    width += next;
  }
  return `${kept}…`;
}

/** The text in exactly `columns` columns. */
export function padTo(text: string, columns: number, align: "left" | "right" = "left"): string {
  const cut = cutTo(text, columns);
  const space = " ".repeat(Math.max(0, columns - displayWidth(cut)));
  return align === "left" ? cut + space : space + cut;
}

/**
 * Text of models, tools and users that may be written to a terminal: without escape sequences and other control characters, which
 * could move the cursor or forge lines. Keeps line ends and tabs.
 */
export function printable(text: string): string {
  return text.replace(ESCAPES, "").replace(CONTROLS, "");
}

/** The same on one line: runs of white space become one space. */
export function oneLine(text: string): string {
  return printable(text).replace(/\s+/g, " ").trim();
}

const SEGMENTER = new Intl.Segmenter("en");
const ASCII = /^[\x20-\x7e]*$/;
/** CSI and OSC sequences. */
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const ESCAPES = /\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?/g;
/** C0 without tab and line feed, DEL, C1, and the marks that turn the direction of text. */
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const CONTROLS = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g;

const ZERO = /^[\p{Mark}\p{Cf}\p{Cc}]/u;
const EMOJI = /\p{Emoji_Presentation}|\ufe0f/u;

function segmentWidth(segment: string): number {
  if (ZERO.test(segment)) return 0;
  if (EMOJI.test(segment)) return 2;
  return isWide(segment.codePointAt(0) ?? 0) ? 2 : 1;
}

/** Wide and full-width ranges. Source: Unicode 16, EastAsianWidth.txt, classes W and F, neighbours joined. */
const WIDE: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2329, 0x232a],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0xa4cf],
  [0xa960, 0xa97c],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6f],
  [0xff01, 0xff60],
  [0xffe0, 0xffe6],
  [0x16fe0, 0x1b2ff],
  [0x1f200, 0x1f265],
  [0x20000, 0x3fffd],
];

function isWide(code: number): boolean {
  return code >= 0x1100 && WIDE.some(([first, last]) => code >= first && code <= last);
}

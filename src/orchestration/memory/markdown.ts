// Markdown as blocks under headings. Reads what documents have: headings, paragraphs, lists, tables, code; the rest is prose.
// One pass over the lines; plain text is the case without any of these. Every expression takes linear time on any line, or sees
// only a text of bounded length: a file of one line of a megabyte takes linear time, whatever stands in it.

/** A part of a document between blank lines, without its inline marks. */
export type Block =
  | { readonly type: "prose"; readonly text: string }
  | { readonly type: "list"; readonly items: readonly string[] }
  /** A table or code, as it is written. */
  | { readonly type: "whole"; readonly text: string };

/** A block and the headings above it, outermost first. */
export type PlacedBlock = { readonly headings: readonly string[]; readonly block: Block };

/** The blocks of a document, in its order. Sections that only list links are left out. */
export function toBlocks(document: string): readonly PlacedBlock[] {
  const reader: Reader = {
    headings: [],
    placed: [],
    open: undefined,
    isSkipping: false,
    isAfterBlank: false,
  };
  for (const line of withoutFrontMatter(document).split(/\r?\n/)) {
    readLine(reader, line);
    reader.isAfterBlank = line.trim() === "";
  }
  closeBlock(reader);
  return reader.placed;
}

type Open =
  | { readonly type: "prose" | "table"; readonly lines: string[] }
  | { readonly type: "list"; readonly items: string[][] }
  | { readonly type: "code"; readonly fence: string; readonly lines: string[] };

type Reader = {
  headings: readonly Heading[];
  readonly placed: PlacedBlock[];
  open: Open | undefined;
  /** True below a heading such as "Sources". */
  isSkipping: boolean;
  /** True when the line before was empty. */
  isAfterBlank: boolean;
};

type Heading = { readonly level: number; readonly text: string };

/** Most characters of a heading, which is repeated with every passage below it; more is cut. */
const MAX_HEADING = 300;

// With the s flag, because `.` without it stops at U+2028: each way to share the spaces before would be tried up to there.
const HEADING = /^ {0,3}(#{1,6})\s+(.*)$/s;
const FENCE = /^\s*(`{3,}|~{3,})/;
const ITEM = /^\s*(?:[-*+]|\d{1,3}[.)])\s+(.*)$/s;
const LINK_SECTION =
  /^(?:sources|references|links|see also|further reading|bibliography|footnotes|citations)\b[^a-z]*$/i;

function readLine(reader: Reader, line: string): void {
  const { open } = reader;
  if (open?.type === "code") {
    const isEnd = line.trim().startsWith(open.fence) && /^(?:`+|~+)$/.test(line.trim());
    if (isEnd) closeBlock(reader);
    else open.lines.push(line);
  } else if (line.trim() === "") {
    if (open?.type !== "list") closeBlock(reader); // the items of a list may stand apart
  } else readText(reader, line);
}

function readText(reader: Reader, line: string): void {
  const [, fence] = FENCE.exec(line) ?? [];
  const [, marks, heading] = HEADING.exec(line) ?? [];
  const [, item] = ITEM.exec(line) ?? [];
  if (fence !== undefined) startBlock(reader, { type: "code", fence, lines: [] });
  else if (marks !== undefined) startSection(reader, marks.length, heading ?? "");
  else if (/^\s*\|/.test(line)) continueTable(reader, line);
  else if (item !== undefined) continueList(reader, item);
  else continueProse(reader, line);
}

function startSection(reader: Reader, level: number, text: string): void {
  closeBlock(reader);
  reader.headings = [
    ...reader.headings.filter((heading) => heading.level < level),
    { level, text: headingText(text.trim()) },
  ];
  // Not for a title: a document named "References" is about something.
  reader.isSkipping = reader.headings.some(
    (heading) => heading.level > 1 && LINK_SECTION.test(heading.text),
  );
}

/** Without the marks that may end it, and never half a character. */
function headingText(text: string): string {
  const bounded = text.slice(0, MAX_HEADING).replace(/[\ud800-\udbff]$/, "");
  return plainText(bounded.replace(/#+$/, ""));
}

function startBlock(reader: Reader, open: Open): void {
  closeBlock(reader);
  reader.open = open;
}

function continueTable(reader: Reader, line: string): void {
  if (reader.open?.type !== "table") startBlock(reader, { type: "table", lines: [] });
  if (reader.open?.type === "table") reader.open.lines.push(line.trim());
}

function continueList(reader: Reader, item: string): void {
  if (reader.open?.type !== "list") startBlock(reader, { type: "list", items: [] });
  if (reader.open?.type === "list") reader.open.items.push([item]);
}

function continueProse(reader: Reader, line: string): void {
  const { open } = reader;
  if (open?.type === "list" && (!reader.isAfterBlank || /^\s/.test(line))) {
    open.items.at(-1)?.push(line.trim());
  } else if (open?.type !== "prose") startBlock(reader, { type: "prose", lines: [line] });
  else if (/^\s*(?:=+|-{2,})\s*$/.test(line) && open.lines.length === 1) {
    reader.open = undefined; // the line above was a heading, underlined
    startSection(reader, line.includes("=") ? 1 : 2, open.lines[0] ?? "");
  } else open.lines.push(line);
}

function closeBlock(reader: Reader): void {
  const { open } = reader;
  reader.open = undefined;
  const block = open && toBlock(open);
  if (!block || reader.isSkipping) return;
  reader.placed.push({ headings: reader.headings.map(({ text }) => text), block });
}

/** Undefined for what has no words. */
function toBlock(open: Open): Block | undefined {
  switch (open.type) {
    case "code":
      return open.lines.join("").trim() === ""
        ? undefined
        : { type: "whole", text: open.lines.join("\n") };
    case "table":
      return { type: "whole", text: open.lines.map(plainText).join("\n") };
    case "list": {
      const items = open.items.map((lines) => lines.join(" ")).filter((item) => !isLink(item));
      return items.length === 0 ? undefined : { type: "list", items: items.map(plainText) };
    }
    case "prose": {
      const text = plainText(open.lines.map((line) => line.trim().replace(/^>\s?/, "")).join(" "));
      return /[\p{L}\p{N}]/u.test(text) ? { type: "prose", text } : undefined;
    }
    default:
      return open satisfies never;
  }
}

/** A list item that is a link and nothing else: it names a source and says nothing. */
function isLink(item: string): boolean {
  return /^(?:\[[^\]]*\]\([^)]*\)|<?https?:\/\/\S+)[.,;]?$/.test(item.trim());
}

/** A line without the marks of links, pictures, emphasis and code. */
function plainText(text: string): string {
  return text
    .replace(/!?\[([^\][]*)\]\([^()]*\)/g, "$1")
    .replace(/\[\^[^\][]*\]/g, "")
    .split(/(`+[^`]*`+)/)
    .map((part) => (part.startsWith("`") ? part.replaceAll("`", "") : withoutMarks(part)))
    .join("")
    .replace(/\s+/g, " ")
    .trim();
}

/** Of text that is not code. Underscores stay: technical names have them. */
function withoutMarks(text: string): string {
  return text
    .replace(/<(https?:[^<>\s]*)>/g, "$1")
    .replace(/<!--[^<>]*-->|<\/?[a-zA-Z][^<>]*>/g, "")
    .replace(/\*\*/g, "")
    .replace(/(^|[\s(])\*(\S[^*]*)\*/g, "$1$2");
}

/** Facts about the file in YAML, between two lines of dashes at its head. */
function withoutFrontMatter(document: string): string {
  const text = document.replace(/^\ufeff/, "");
  if (!/^---\r?\n/.test(text)) return text;
  const end = /\n---\r?\n/.exec(text);
  return end ? text.slice(end.index + end[0].length) : text;
}

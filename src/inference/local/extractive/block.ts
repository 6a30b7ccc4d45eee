// Markdown as blocks: headings, paragraphs and list items. Code, tables, rules and front matter say nothing in sentences and fall away.

import { isOwnLine, REMOVED_HEADING } from "./own-line.ts";

/** One block of a text, on one line. */
export type Block =
  | { readonly type: "heading"; readonly level: number; readonly text: string }
  | { readonly type: "paragraph"; readonly text: string }
  /** `marker` is "-" or "1.", as it is written. */
  | { readonly type: "item"; readonly marker: string; readonly text: string };

/** Most blocks that are read of one text. */
const MAX_BLOCKS = 4_000;
/** Longest line that is a heading, in characters. */
const LONGEST_HEADING = 300;

/** The blocks of a markdown or plain text. Lines that are wrapped are one block. */
export function parseBlocks(text: string): Block[] {
  const blocks: Block[] = [];
  let fence: string | undefined;
  let isAfterGap = false;
  let isOpen = false;
  for (const raw of withoutFrontMatter(text).split(/\r?\n/)) {
    if (blocks.length >= MAX_BLOCKS) break;
    const line = readLine(raw);
    if (fence !== undefined || line.type === "fence") {
      isOpen = false;
      fence = nextFence(fence, line);
    } else if (line.type === "heading" || line.type === "item") {
      isOpen = line.type === "item";
      blocks.push(line);
    } else if (line.type === "text") {
      const said = isAfterGap ? `…${line.text}` : line.text;
      const before = isOpen ? blocks.at(-1) : undefined;
      // Lines of "Label: value" are lines of their own, not one wrapped sentence.
      const last = before && !(isLabelled(said) && isEnded(before.text)) ? blocks.pop() : undefined;
      blocks.push(
        last ? { ...last, text: `${last.text} ${said}` } : { type: "paragraph", text: said },
      );
      isOpen = true;
      isAfterGap = false;
    } else {
      isOpen = false;
      isAfterGap = line.type === "gap" || isAfterGap;
    }
  }
  return withoutRemoved(blocks);
}

type Line =
  | { readonly type: "heading"; readonly level: number; readonly text: string }
  | { readonly type: "item"; readonly marker: string; readonly text: string }
  | { readonly type: "fence"; readonly mark: string }
  | { readonly type: "text"; readonly text: string }
  /** Where a text was cut to fit a context: what follows begins amid a sentence. */
  | { readonly type: "gap" }
  | { readonly type: "nothing" };

function readLine(raw: string): Line {
  const line = raw.replace(/^\s*(?:>\s?)+/, "").trimEnd();
  const text = line.trim();
  if (!text || isOwnLine(text) || isDecoration(text)) return { type: "nothing" };
  if (/^\[…[^\]]*…\]$/.test(text)) return { type: "gap" };
  if (/^(?:```|~~~)/.test(text)) return { type: "fence", mark: text.slice(0, 3) };
  const heading = text.length <= LONGEST_HEADING ? /^(#{1,6})\s+(.+)$/.exec(text) : null;
  if (heading) {
    return { type: "heading", level: heading[1]?.length ?? 1, text: plain(heading[2] ?? "") };
  }
  const bold = /^\*\*([^*]{2,80}[^*.:!?])\*\*:?$/.exec(text);
  if (bold) return { type: "heading", level: 6, text: plain(bold[1] ?? "") };
  const item = /^([-*+•]|\d{1,3}[.)])\s+(?:\[[ xX]\]\s+)?(.+)$/.exec(text);
  return item ? toItem(item[1], item[2]) : { type: "text", text };
}

function isLabelled(text: string): boolean {
  return /^(?:\*\*)?\p{Lu}[\p{L}\d()-]*(?: [\p{L}\d()-]+){0,2}(?:\*\*)?:(?:\*\*)?\s+\S/u.test(text);
}

function isEnded(text: string): boolean {
  return isLabelled(text) || /[.!?:]["'”’)*]*$/.test(text);
}

function toItem(marker = "-", text = ""): Line {
  return { type: "item", marker: /^\d/.test(marker) ? marker : "-", text };
}

/** Tables, rules, HTML and comments. */
function isDecoration(text: string): boolean {
  return (
    text.startsWith("|") ||
    /^[-*_=\s]{3,}$/.test(text) ||
    /^<[!/a-z][^>]*>$/i.test(text) ||
    /^[^|]*\|[^|]*\|/.test(text.replace(/`[^`]*`/g, ""))
  );
}

function nextFence(fence: string | undefined, line: Line): string | undefined {
  if (line.type !== "fence") return fence;
  if (fence === undefined) return line.mark;
  return line.mark === fence ? undefined : fence;
}

function withoutFrontMatter(text: string): string {
  return text.replace(/^---\r?\n[\s\S]{0,4000}?\n---\r?\n/, "");
}

/** A review lists what it took out; that is no material for whoever reads the review. */
function withoutRemoved(blocks: readonly Block[]): Block[] {
  let isRemoved = false;
  return blocks.filter((block) => {
    if (block.type === "heading") isRemoved = block.text === REMOVED_HEADING;
    return !isRemoved;
  });
}

/** A heading without emphasis and link syntax. */
function plain(text: string): string {
  return text
    .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/\*{1,3}|`| #+$/g, "")
    .trim();
}

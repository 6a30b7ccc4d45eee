// HTML as a reader sees it, in Markdown's notation for headings, lists, tables and code. Small on purpose: no styles, no scripts.
//
// One pass, linear in the length also for hostile pages: no expression here backtracks, and every search for an end goes on
// from where it stopped.

/** A page's text. */
export type HtmlText = { readonly title: string | undefined; readonly text: string };

/** The text of a page, or of a part of one. Never throws: what is not closed ends with the text. */
export function htmlToText(html: string): HtmlText {
  const page: Page = { out: [], title: undefined, isPre: false };
  let at = 0;
  while (at < html.length) {
    const open = html.indexOf("<", at);
    writeText(page, html.slice(at, open < 0 ? html.length : open));
    if (open < 0) break;
    at = readTag(page, html, open);
  }
  return { title: page.title, text: tidy(page.out.join("")) };
}

type Page = { readonly out: string[]; title: string | undefined; isPre: boolean };

/** What a reader does not see, or what is not about the page. */
const SKIPPED: ReadonlySet<string> = new Set([
  "script",
  "style",
  "noscript",
  "template",
  "svg",
  "iframe",
  "object",
  "nav",
  "select",
]);

/** What stands before an element's text. Elements that are not named here stand inside a line. */
const BEFORE: ReadonlyMap<string, string> = new Map([
  ...[1, 2, 3, 4, 5, 6].map((level): [string, string] => [
    `h${level}`,
    `\n\n${"#".repeat(level)} `,
  ]),
  ...[
    "p",
    "div",
    "section",
    "article",
    "main",
    "header",
    "footer",
    "aside",
    "ul",
    "ol",
    "dl",
    "blockquote",
    "table",
    "figure",
    "form",
  ].map((name): [string, string] => [name, "\n\n"]),
  ...["br", "dt", "dd", "tr", "figcaption", "option", "hr"].map((name): [string, string] => [
    name,
    "\n",
  ]),
  ["li", "\n- "],
  ["td", " | "],
  ["th", " | "],
]);

/** What stands after an element's text. */
const AFTER: ReadonlyMap<string, string> = new Map(
  [...BEFORE.keys()]
    .filter((name) => !["br", "td", "th", "li", "dt", "hr"].includes(name))
    .map((name) => [name, name === "tr" ? " |" : "\n\n"]),
);

/** Handles what starts with "<" and returns where the text goes on. */
function readTag(page: Page, html: string, open: number): number {
  if (html.startsWith("<!--", open)) return endAfter(html, "-->", open + 4);
  if (html[open + 1] === "!" || html[open + 1] === "?") return endAfter(html, ">", open + 2);
  TAG.lastIndex = open;
  const [whole = "", slash, rawName = ""] = TAG.exec(html) ?? [];
  if (whole === "") {
    writeText(page, "<"); // "a < b" in a page that does not escape it
    return open + 1;
  }
  const name = rawName.toLowerCase();
  const end = endOfTag(html, open + whole.length);
  if (slash === "/") closeTag(page, name);
  else if (SKIPPED.has(name)) return endOfElement(html, name, end);
  else if (name === "title") return readTitle(page, html, end);
  else openTag(page, name);
  return end;
}

const TAG = /<(\/?)([a-zA-Z][a-zA-Z0-9-]*)/y;

function openTag(page: Page, name: string): void {
  if (name === "pre") {
    page.isPre = true;
    page.out.push("\n\n```\n");
  } else page.out.push(BEFORE.get(name) ?? "");
}

function closeTag(page: Page, name: string): void {
  if (name === "pre" && page.isPre) {
    page.isPre = false;
    page.out.push("\n```\n\n");
  } else page.out.push(AFTER.get(name) ?? "");
}

/** The first title counts; the pictures of a page have titles too. */
function readTitle(page: Page, html: string, start: number): number {
  const close = indexOfClose(html, "title", start);
  page.title ??= decodeEntities(html.slice(start, close)).replace(/\s+/g, " ").trim() || undefined;
  return endOfElement(html, "title", start);
}

/** Longest attributes that are looked through for the tag's end; quotes that are not closed must not swallow the page. */
const MAX_ATTRIBUTES = 10_000;

function endOfTag(html: string, start: number): number {
  let quote = "";
  const limit = Math.min(html.length, start + MAX_ATTRIBUTES);
  for (let at = start; at < limit; at++) {
    const mark = html[at] ?? "";
    if (quote !== "") quote = mark === quote ? "" : quote;
    else if (mark === ">") return at + 1;
    else if (mark === '"' || mark === "'") quote = mark;
  }
  return endAfter(html, ">", start);
}

function endOfElement(html: string, name: string, start: number): number {
  const close = indexOfClose(html, name, start);
  return close === html.length ? close : endAfter(html, ">", close);
}

/** Where `</name` stands, in either case; the end of the page when it is missing. */
function indexOfClose(html: string, name: string, start: number): number {
  for (let at = html.indexOf("</", start); at >= 0; at = html.indexOf("</", at + 2)) {
    if (html.slice(at + 2, at + 2 + name.length).toLowerCase() === name) return at;
  }
  return html.length;
}

function endAfter(html: string, mark: string, start: number): number {
  const at = html.indexOf(mark, start);
  return at < 0 ? html.length : at + mark.length;
}

function writeText(page: Page, text: string): void {
  const decoded = decodeEntities(text);
  page.out.push(page.isPre ? decoded : decoded.replace(/\s+/g, " "));
}

/** The entities that prose has; others stay as they are written. */
const ENTITIES: ReadonlyMap<string, string> = new Map([
  ["amp", "&"],
  ["lt", "<"],
  ["gt", ">"],
  ["quot", '"'],
  ["apos", "'"],
  ["nbsp", " "],
  ["ndash", "–"],
  ["mdash", "—"],
  ["hellip", "…"],
  ["lsquo", "‘"],
  ["rsquo", "’"],
  ["ldquo", "“"],
  ["rdquo", "”"],
  ["times", "×"],
  ["middot", "·"],
  ["bull", "•"],
  ["copy", "©"],
  ["euro", "€"],
  ["deg", "°"],
]);

function decodeEntities(text: string): string {
  return text.replace(
    /&(?:#(\d{1,7})|#[xX]([\da-fA-F]{1,6})|([a-zA-Z]{2,8}));/g,
    (whole, decimal?: string, hex?: string, name?: string) => {
      if (name !== undefined) return ENTITIES.get(name) ?? whole;
      const point = decimal === undefined ? Number.parseInt(hex ?? "", 16) : Number(decimal);
      return point > 0 && point <= 0x10ffff ? String.fromCodePoint(point) : whole;
    },
  );
}

function tidy(text: string): string {
  const lines = text.split("\n");
  let isPre = false;
  const tidied = lines.map((line) => {
    if (line.trim() === "```") isPre = !isPre;
    return isPre ? line.trimEnd() : line.trim();
  });
  return tidied
    .join("\n")
    .replace(/\n{3,}/g, "\n\n")
    .trim();
}

// The few Python expressions that ask for the time, as main.py of a scaffold has them: read, worked out for a moment, and written as
// TypeScript. A closed list: datetime.now() and date.today() with one field or strftime(…), isoformat(), and str(…) around them.
//
// C1 What `timeOf` gives for a moment is what the code of `timeCode` gives then.

/** A field of a moment, or a text made of several. Local time, as in Python. */
export type ClockUse =
  | { readonly type: "field"; readonly field: Field; readonly isText: boolean }
  | { readonly type: "format"; readonly pieces: readonly Piece[] };

type Field = "year" | "month" | "day" | "hour" | "minute" | "second";
type Piece =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "part"; readonly part: string };

/** What a part is at a moment, and the code that says so of `now`. */
type Part = { readonly of: (now: Date) => string; readonly code: string };

const NOW = String.raw`(?:datetime\.)?(datetime|date)\.(?:now|today)\(\s*\)(\.date\(\s*\))?`;
const FIELD = new RegExp(String.raw`^${NOW}\.(year|month|day|hour|minute|second)$`);
const FORMATTED = new RegExp(String.raw`^(?:${NOW}|time)\.strftime\(\s*(["'])([^"'\\]*)\3\s*\)$`);
const ISO = new RegExp(String.raw`^${NOW}\.isoformat\(\s*\)$`);
const PLAIN = new RegExp(`^${NOW}$`);
const STR = /^str\(\s*([\s\S]*?)\s*\)$/;

const DAY = "%Y-%m-%d";

/** The time that an expression asks for; undefined for any other expression. */
export function toClockUse(text: string): ClockUse | undefined {
  const inner = STR.exec(text)?.[1];
  const asked = inner ?? text;
  const [, , , field] = FIELD.exec(asked) ?? [];
  if (isField(field)) return { type: "field", field, isText: inner !== undefined };
  const format = formatOf(asked, inner !== undefined);
  const pieces = format === undefined ? undefined : toPieces(format);
  return pieces && { type: "format", pieces };
}

function formatOf(text: string, isText: boolean): string | undefined {
  const formatted = FORMATTED.exec(text);
  if (formatted) return formatted[4];
  const iso = ISO.exec(text);
  const found = iso ?? (isText ? PLAIN.exec(text) : null);
  if (!found) return undefined;
  const isDay = found[1] === "date" || found[2] !== undefined;
  return isDay ? DAY : `${DAY}${iso ? "T" : " "}%H:%M:%S.%f`;
}

/** The pieces of a format; undefined for one with a directive that is not known here. */
function toPieces(format: string): readonly Piece[] | undefined {
  const pieces = [...format.matchAll(/%-?[\s\S]|[^%]+|%/g)].map(([piece]): Piece => {
    if (!piece.startsWith("%")) return { type: "text", text: piece };
    return piece === "%%" ? { type: "text", text: "%" } : { type: "part", part: piece.slice(1) };
  });
  const isKnown = pieces.every((piece) => piece.type === "text" || PARTS.has(piece.part));
  return isKnown && pieces.length > 0 ? pieces : undefined;
}

/** The value of a use at a moment, in milliseconds since 1970. */
export function timeOf(use: ClockUse, nowMs: number): string | number {
  const now = new Date(nowMs);
  if (use.type === "format")
    return use.pieces
      .map((piece) => (piece.type === "text" ? piece.text : (PARTS.get(piece.part)?.of(now) ?? "")))
      .join("");
  const value = FIELDS[use.field].of(now);
  return use.isText ? String(value) : value;
}

/** The same as TypeScript. @param now the code of a Date: a name, or `new Date()` where it is asked once. */
export function timeCode(use: ClockUse, now: string): string {
  const withNow = (code: string): string => code.replaceAll("now.", `${now}.`);
  if (use.type === "field") {
    const code = withNow(FIELDS[use.field].code);
    return use.isText ? `String(${code})` : code;
  }
  const body = use.pieces.map((piece) =>
    piece.type === "text"
      ? piece.text.replaceAll(/[\\`]|\$(?=\{)/g, "\\$&")
      : `\${${withNow(PARTS.get(piece.part)?.code ?? "")}}`,
  );
  return `\`${body.join("")}\``;
}

/** How often the code of a use asks for the time. */
export function timesAsked(use: ClockUse): number {
  return use.type === "field" ? 1 : use.pieces.filter(({ type }) => type === "part").length;
}

const FIELDS: Readonly<
  Record<Field, { readonly of: (now: Date) => number; readonly code: string }>
> = {
  year: { of: (now) => now.getFullYear(), code: "now.getFullYear()" },
  month: { of: (now) => now.getMonth() + 1, code: "now.getMonth() + 1" },
  day: { of: (now) => now.getDate(), code: "now.getDate()" },
  hour: { of: (now) => now.getHours(), code: "now.getHours()" },
  minute: { of: (now) => now.getMinutes(), code: "now.getMinutes()" },
  second: { of: (now) => now.getSeconds(), code: "now.getSeconds()" },
};

function isField(name: string | undefined): name is Field {
  return name !== undefined && Object.hasOwn(FIELDS, name);
}

/** Directives of strftime, without "%". English names, as in Python's own locale. */
const PARTS: ReadonlyMap<string, Part> = new Map([
  ["Y", plain("year")],
  ["m", padded("month")],
  ["-m", plain("month")],
  ["d", padded("day")],
  ["-d", plain("day")],
  ["H", padded("hour")],
  ["M", padded("minute")],
  ["S", padded("second")],
  ["B", named("month", "long")],
  ["b", named("month", "short")],
  ["A", named("weekday", "long")],
  ["a", named("weekday", "short")],
  [
    "f",
    {
      of: (now) => String(now.getMilliseconds() * 1_000).padStart(6, "0"),
      code: 'String(now.getMilliseconds() * 1_000).padStart(6, "0")',
    },
  ],
]);

function plain(field: Field): Part {
  return { of: (now) => String(FIELDS[field].of(now)), code: FIELDS[field].code };
}

function padded(field: Field): Part {
  const { of, code } = FIELDS[field];
  return {
    of: (now) => String(of(now)).padStart(2, "0"),
    code: `String(${code}).padStart(2, "0")`,
  };
}

function named(what: "month" | "weekday", length: "long" | "short"): Part {
  return {
    of: (now) => now.toLocaleString("en-US", { [what]: length }),
    code: `now.toLocaleString("en-US", { ${what}: "${length}" })`,
  };
}

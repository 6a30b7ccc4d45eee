// Results as tables for people and as one JSON object for programs.

import { cpus, loadavg, release, totalmem } from "node:os";

/** One table: rows of texts to read, `data` with every figure. */
export type Section = {
  readonly title: string;
  readonly note: string;
  readonly rows: readonly Readonly<Record<string, string>>[];
  readonly data: unknown;
};

/** What the figures were measured on. */
export type Machine = {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly os: string;
  readonly node: string;
};

export function readMachine(): Machine {
  const list = cpus();
  return {
    cpu: list[0]?.model ?? "unknown",
    cores: list.length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    os: `${process.platform} ${release()}`,
    node: process.version,
  };
}

/** The load average of the last minute: above what this program makes itself (1 to 2), others are at work. */
export function readLoad(): number {
  return Math.round((loadavg()[0] ?? 0) * 100) / 100;
}

/** Three significant digits, thousands with commas. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return "-";
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString("en-US");
  return Number(value.toPrecision(3)).toString();
}

/** A title, a Markdown table with aligned columns, and a note. */
export function formatSection({ title, note, rows }: Section): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const widths = columns.map((column) =>
    Math.max(column.length, ...rows.map((row) => (row[column] ?? "").length)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, index) => (index === 0 ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0))).join(" | ")} |`;
  const rule = `|${widths.map((width, index) => (index === 0 ? "-".repeat(width + 2) : `${"-".repeat(width + 1)}:`)).join("|")}|`;
  const body = rows.map((row) => line(columns.map((column) => row[column] ?? "")));
  // Blank lines: a note that follows its table at once is a row of it.
  const after = note === "" ? [] : ["", note];
  return [`## ${title}`, "", line(columns), rule, ...body, ...after].join("\n");
}

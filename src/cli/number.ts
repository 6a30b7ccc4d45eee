// Numbers as people read them: tokens, times, shares. Pure.

import type { CostSum } from "../inference/model/price.ts";
import type { Usage } from "../inference/model/usage.ts";

/** 1234567 → "1,234,567". */
export function count(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

/** 1 → "1 task", 3 → "3 tasks". */
export function several(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
}

/** Tokens; estimated ones are marked with "~". */
export function tokens(value: number, source: Usage["source"]): string {
  return source === "estimated" ? `~${count(value)}` : count(value);
}

/** A cost in US dollars: "$0.0024", "~$0.0024" for estimated tokens; "unknown" when calls had no price. */
export function cost({ amount, unpriced }: CostSum, source: Usage["source"]): string {
  const shown = `${source === "estimated" ? "~" : ""}${usd(amount)}`;
  if (unpriced === 0) return shown;
  return amount > 0 ? `over ${shown}` : "unknown";
}

/** 12.345 → "$12.35", 0.00241 → "$0.0024", 0 → "$0". */
export function usd(amount: number): string {
  if (amount === 0) return "$0";
  return amount >= 1 ? `$${amount.toFixed(2)}` : `$${Number(amount.toPrecision(2))}`;
}

/** 850 → "850 ms", 12345 → "12.3 s", 75000 → "1m 15s", 3 h → "3h 00m"; "–" when it is not known. */
export function duration(ms: number | undefined): string {
  if (ms === undefined || !Number.isFinite(ms)) return "–";
  return ms < 1_000 ? `${Math.round(ms)} ms` : elapsed(ms);
}

/** The same without milliseconds, for a time that is shown while it grows: "0.3 s". */
export function elapsed(ms: number): string {
  if (ms < 59_950) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 3_600) return `${Math.floor(seconds / 60)}m ${two(seconds % 60)}s`;
  return `${Math.floor(seconds / 3_600)}h ${two(Math.floor((seconds % 3_600) / 60))}m`;
}

/** 0.256 → "26 %", 0.001 → "<1 %", 0 → "0 %"; "–" of nothing. */
export function share(part: number, whole: number): string {
  if (!(whole > 0)) return "–";
  const percent = Math.round((part / whole) * 100);
  return percent === 0 && part > 0 ? "<1 %" : `${percent} %`;
}

/** 45.3 → "45 tok/s". Below 10 with one decimal. */
export function speed(tokensPerSecond: number): string {
  return `${tokensPerSecond < 10 ? tokensPerSecond.toFixed(1) : count(tokensPerSecond)} tok/s`;
}

/** Local date and time of a moment in ms since 1970: "2026-11-20 11:56:40". */
export function moment(at: number): string {
  const date = new Date(at);
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join("-");
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
  return `${day} ${time}`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}

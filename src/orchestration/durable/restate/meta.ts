// What the server knows of a run beside its input: it travels as a header of the call that starts it, so that a list of runs need not
// read their inputs.

import type { Json } from "../../../json.ts";

/** The header, whose value ends with `;`. */
export const META_HEADER: string = "x-bosun-run";

export type Meta = {
  readonly queue?: string | undefined;
  readonly priority?: number | undefined;
  readonly tenant?: string | undefined;
  readonly timeoutMs?: number | undefined;
  /** The error of its time limit. */
  readonly timeoutError?: Json | undefined;
  /** It begins only when it is resumed: a fork. */
  readonly isHeld?: boolean | undefined;
};

export function toHeader(meta: Meta): string {
  return `${encodeURIComponent(JSON.stringify(meta))};`;
}

/** @param text The header's value, or bytes in which it stands. */
export function fromHeader(text: string): Meta {
  const value = /%7B[\w%.!~*'()-]*%7D(?=;)/.exec(text)?.[0];
  return value === undefined ? {} : (JSON.parse(decodeURIComponent(value)) as Meta); // `as`: toHeader made it
}

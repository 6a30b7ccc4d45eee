// Faults on demand: by header or by configuration, with a probability that a seed makes repeatable. Pure: what a fault does is done by
// twin.ts and by the HTTP surface.
//
// A fault is written as in a header: `429; retry-after=2`, `cut; after=5`, `slow; ms=800; p=0.1`.
// Invariant X1  The fault of request number n depends on the seed, the rules and n alone.

import { BosunError } from "../../error.ts";

/** What goes wrong with one request. `after` counts tokens. */
export type Fault =
  | { readonly type: "status"; readonly status: 429 | 500 | 503; readonly retryAfterS: number }
  /** Nothing comes for this long. */
  | { readonly type: "slow"; readonly ms: number }
  /** The connection breaks. */
  | { readonly type: "cut"; readonly after: number }
  /** A chunk that is no JSON; a whole answer that is half of it. */
  | { readonly type: "malformed"; readonly after: number }
  /** An answer that ends as it should but says another reason. */
  | { readonly type: "finish"; readonly reason: string }
  /** Nothing more comes and nothing ends until the client leaves. */
  | { readonly type: "stuck"; readonly after: number }
  /** The engine dies, with all that it serves, and is up again, empty, after `restartMs`; 0: never. */
  | { readonly type: "engine-death"; readonly after: number; readonly restartMs: number }
  /** A share of the KV blocks is gone while the request runs. */
  | { readonly type: "kv-squeeze"; readonly share: number };

/** A fault with the probability that it befalls a request. */
export type FaultRule = { readonly fault: Fault; readonly probability: number };

/** Draws the fault of each request. */
export type Faults = {
  /** The fault of the next request: the header's when it has one, else the first rule that befalls it. */
  next(header?: string): Fault | undefined;
};

const MAX_RULES = 32;

/** Faults by rules. @throws BosunError `config/invalid` for more than 32 rules. */
export function createFaults(rules: readonly FaultRule[] = [], seed = 0): Faults {
  if (rules.length > MAX_RULES)
    throw new BosunError("config/invalid", `at most ${MAX_RULES} faults, got ${rules.length}`);
  let count = 0;
  return {
    next(header) {
      const number = count++;
      const asked = header === undefined ? [] : [parseFault(header)];
      const drawn = [...asked, ...rules].find(
        ({ probability }, index) => chance(seed, number, index) < probability,
      );
      return drawn?.fault;
    },
  };
}

/** A rule from its text. @throws BosunError `config/invalid` with the faults that there are. */
export function parseFault(text: string): FaultRule {
  const [name = "", ...rest] = text.split(";").map((part) => part.trim());
  const given = new Map(
    rest.filter(Boolean).map((part) => {
      const at = part.indexOf("=");
      return [part.slice(0, at).trim(), part.slice(at + 1).trim()] as const;
    }),
  );
  const number = (key: string, absent: number, most = Number.MAX_SAFE_INTEGER): number => {
    const value = Number(given.get(key) ?? absent);
    given.delete(key);
    if (Number.isFinite(value) && value >= 0 && value <= most) return value;
    throw invalid(text, `${key} must be a number from 0 to ${most}`);
  };
  const take = (key: string): string | undefined => {
    const value = given.get(key);
    given.delete(key);
    return value;
  };
  const probability = number("p", 1, 1);
  const fault = faultOf(name, { number, take, text });
  const [unknown] = given.keys();
  if (unknown !== undefined) throw invalid(text, `"${unknown}" says nothing here`);
  return { fault, probability };
}

/** The text that `parseFault` reads. */
export function faultText(fault: Fault): string {
  switch (fault.type) {
    case "status":
      return `${fault.status}; retry-after=${fault.retryAfterS}`;
    case "slow":
      return `slow; ms=${fault.ms}`;
    case "finish":
      return `finish; reason=${fault.reason}`;
    case "kv-squeeze":
      return `kv-squeeze; share=${fault.share}`;
    case "cut":
    case "malformed":
    case "stuck":
      return `${fault.type}; after=${fault.after}`;
    case "engine-death":
      return `engine-death; after=${fault.after}; restart-ms=${fault.restartMs}`;
    default:
      return fault satisfies never;
  }
}

type Given = {
  readonly number: (key: string, absent: number, most?: number) => number;
  readonly take: (key: string) => string | undefined;
  readonly text: string;
};

function faultOf(name: string, { number, take, text }: Given): Fault {
  switch (name) {
    case "429":
      return { type: "status", status: 429, retryAfterS: number("retry-after", 1) };
    case "500":
      return { type: "status", status: 500, retryAfterS: number("retry-after", 0) };
    case "503":
      return { type: "status", status: 503, retryAfterS: number("retry-after", 0) };
    case "slow":
      return { type: "slow", ms: number("ms", 5_000) };
    case "finish":
      return { type: "finish", reason: take("reason") ?? "length" };
    case "kv-squeeze":
      return { type: "kv-squeeze", share: number("share", 0.9, 1) };
    case "cut":
    case "malformed":
    case "stuck":
      return { type: name, after: number("after", 1) };
    case "engine-death":
      return { type: name, after: number("after", 1), restartMs: number("restart-ms", 0) };
    default:
      throw invalid(text, "there is no such fault");
  }
}

function invalid(text: string, why: string): BosunError {
  return new BosunError(
    "config/invalid",
    `fault "${text.slice(0, 80)}": ${why}. Faults: 429, 500, 503 (retry-after), slow (ms), cut, malformed, stuck, engine-death (after, restart-ms), finish (reason), kv-squeeze (share), each with p`,
  );
}

/** 0 to 1, the same for the same numbers. A mixing function of MurmurHash3. */
function chance(seed: number, number: number, index: number): number {
  let mixed = Math.imul(seed ^ 0x9e37_79b9, 0x85eb_ca6b) ^ Math.imul(number + 1, 0xc2b2_ae35);
  mixed = Math.imul(mixed ^ (mixed >>> 16) ^ (index + 1), 0x85eb_ca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
  return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
}

// Sessions: what was asked and answered in the earlier runs of a conversation, cut to a budget.
//
// The store's events are the truth: a turn is a run that ended well. Without a store, turns are kept in this process, bounded.

import { estimateTokens } from "./inference/model/tokens.ts";
import { type Json, type JsonObject, ownValue } from "./json.ts";
import type { RunContext } from "./orchestration/run/world.ts";
import type { RunOptions } from "./run-option.ts";
import type { Store } from "./service/store/store.ts";
import { putNewest } from "./newest.ts";

/** One run of a conversation. */
export type SessionTurn = { readonly inputs: JsonObject; readonly raw: string };

/** The conversations of one Bosun. */
export interface Sessions {
  /** The conversation that a run belongs to, with what was said before. */
  open(session: RunOptions["session"], inputs: JsonObject): Promise<RunContext["session"]>;
  /** Notes a run that ended well, for a Bosun without a store. */
  add(id: string, turn: SessionTurn): void;
}

/** Default of `maxTokens`. */
const DEFAULT_TOKENS = 2_000;
/** Most turns of a conversation that are looked at. */
const MAX_TURNS = 50;
/** Most conversations that a process keeps without a store; the longest unused go first. */
const MAX_SESSIONS = 1_000;

export function createSessions(store: () => Promise<Store | undefined>): Sessions {
  const kept = new Map<string, readonly SessionTurn[]>();
  return {
    async open(session, inputs) {
      if (session === undefined) return undefined;
      const { id, maxTokens = DEFAULT_TOKENS } =
        typeof session === "string" ? { id: session } : session;
      const opened = await store();
      const turns = opened ? opened.session(id, MAX_TURNS) : (kept.get(id) ?? []);
      return { name: id, history: toHistory(turns, maxTokens, inputs) };
    },
    add(id, turn) {
      const turns = [...(kept.get(id) ?? []), turn].slice(-MAX_TURNS);
      putNewest(kept, [id, turns], MAX_SESSIONS);
    },
  };
}

/**
 * The newest turns that fit, oldest first, each whole; the newest one is cut when it alone is too long. Inputs that are now as they
 * were then are left out: this run's prompt has them already.
 */
export function toHistory(
  turns: readonly SessionTurn[],
  maxTokens: number,
  now: JsonObject = {},
): string {
  const kept: string[] = [];
  let left = maxTokens;
  for (const turn of turns.toReversed()) {
    const text = `User: ${asked(turn.inputs, now)}\nAnswer: ${turn.raw}`;
    const tokens = estimateTokens(`${text}\n\n`);
    if (tokens > left) {
      if (kept.length === 0) kept.push(head(text, left));
      break;
    }
    left -= tokens;
    kept.push(text);
  }
  return kept.toReversed().join("\n\n");
}

const CUT = "\n[… cut to fit …]";

/** The beginning of a text with its mark; nothing where not even the mark fits. */
function head(text: string, maxTokens: number): string {
  const room = maxTokens - estimateTokens(CUT);
  let [length, tokens] = [text.length, estimateTokens(text)];
  while (tokens > room && length > 0) {
    length = Math.floor((length * Math.max(room, 0)) / tokens); // again where the text's beginning is denser than its end
    tokens = estimateTokens(text.slice(0, length));
  }
  return length > 0 ? text.slice(0, length) + CUT : "";
}

function asked(inputs: JsonObject, now: JsonObject): string {
  const all = Object.entries(inputs);
  const changed = all.filter(([name, value]) => shown(value) !== shown(ownValue(now, name)));
  const entries = changed.length > 0 ? changed : all;
  const [only] = entries;
  if (only && entries.length === 1) return shown(only[1]);
  return entries.map(([name, value]) => `${name}: ${shown(value)}`).join("; ");
}

function shown(value: Json | undefined): string {
  return typeof value === "string" ? value : JSON.stringify(value ?? null);
}

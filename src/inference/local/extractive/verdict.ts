// What a review says about the slots of a schema: the corrected text, what was taken out, approved or not. Pure.

import type { Json } from "../../../json.ts";
import { correctedText, removedLine, type Review } from "./review.ts";
import { roleOf } from "./slot-role.ts";
import type { Slot } from "./valuer.ts";

/** Answers for the slots that a review is about; undefined for all others. */
export type Verdict = {
  texts(slot: Slot): readonly string[] | undefined;
  number(slot: Slot): number | undefined;
  flag(slot: Slot): boolean | undefined;
  choice(options: readonly Json[]): Json | undefined;
  count(slot: Slot): number | undefined;
};

/** The answers of a review. */
export function toVerdict({ lines, supported, removed }: Review): Verdict {
  const isSound = removed.length === 0;
  return {
    texts(slot) {
      const role = roleOf(slot.name);
      if (role === "long") return [correctedText(lines)];
      return role === "issue"
        ? removed.slice(slot.index, slot.index + 1).map(removedLine)
        : undefined;
    },
    number({ name }) {
      if (/unsupported|removed|issue|problem|without/i.test(name)) return removed.length;
      if (/supported|verified/i.test(name)) return supported;
      return /checked|total|statements/i.test(name) ? supported + removed.length : undefined;
    },
    flag({ name }) {
      if (/reject|fail|wrong|issue|problem|unsupported|invalid|incorrect|needs/i.test(name))
        return !isSound;
      return /approve|accept|pass|valid|^ok$|supported|verified|correct|accurate|sound/i.test(name)
        ? isSound
        : undefined;
    },
    choice: (options) =>
      options.find((option) =>
        (isSound ? GOOD : BAD).test(typeof option === "string" ? option : JSON.stringify(option)),
      ),
    count: (slot) => (roleOf(slot.name) === "issue" ? removed.length : undefined),
  };
}

const GOOD =
  /^(?:approved?|accept(?:ed)?|pass(?:ed)?|valid|ok|yes|supported|verified|correct|good)$/i;
const BAD = /^(?:reject(?:ed)?|fail(?:ed)?|invalid|no|unsupported|revise|incorrect|bad|needs.*)$/i;

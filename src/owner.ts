// Who writes a file that several processes share: the name of this process, and whether that of another one still lives.

import { randomUUID } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** A process's number means something only on its host and among the processes that it can see: containers have numbers of their own. */
const PLACE = `${hostname()}/${namespaceOf()}`;

/** Tells this process from an earlier one of its number: in a container every process has the number 1. A worker thread counts as a process. */
const TOKEN = randomUUID();

/** The name of this process: its number, where that means something, and a token. */
export const OWNER: string = `${process.pid}@${PLACE}#${TOKEN}`;

/** "gone": it has ended. "lives": a process of its number does. "unknown": it is somewhere where this process cannot look. */
export function lookAtOwner(owner: string): "gone" | "lives" | "unknown" {
  if (owner === OWNER) return "lives";
  const [pid, place] = owner.split(/[@#]/);
  if (place !== PLACE && place !== hostname()) return "unknown"; // earlier versions wrote the host alone
  if (Number(pid) === process.pid) return "gone"; // of this number there is only this process
  try {
    process.kill(Number(pid), 0);
    return isZombie(Number(pid)) ? "gone" : "lives";
  } catch (error) {
    const isForeign = error instanceof Error && "code" in error && error.code === "EPERM"; // it belongs to another user
    return isForeign ? "lives" : "gone";
  }
}

/** It has ended and its parent has not noticed, as in containers without an init process. */
function isZombie(pid: number): boolean {
  try {
    return /\) Z/.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return false; // not Linux, or gone just now
  }
}

function namespaceOf(): string {
  try {
    return readlinkSync("/proc/self/ns/pid").replace(/\D/g, "");
  } catch {
    return ""; // not Linux: one namespace
  }
}

/** An owner as a message names it. */
export function shownOwner(owner: string): string {
  return owner.split(/[/#]/)[0] ?? owner;
}

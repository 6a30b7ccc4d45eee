import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openBlobs } from "../src/blob.ts";

function withFolder(work: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "bosun-blob-"));
  try {
    work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe("blobs", () => {
  it("give back what was put, and are one file for equal texts", () =>
    withFolder((folder) => {
      const blobs = openBlobs(folder);

      const names = [blobs.put("größer"), blobs.put("größer"), blobs.put("other")];

      expect(names[0]).toBe(names[1]);
      expect(names.map((name) => blobs.get(name))).toEqual(["größer", "größer", "other"]);
    }));

  it("that are gone or damaged are errors that say so", () =>
    withFolder((folder) => {
      const blobs = openBlobs(folder);
      const [gone, damaged] = [blobs.put("gone"), blobs.put("damaged")];
      blobs.remove(gone);
      blobs.remove(gone);
      writeFileSync(join(folder, damaged.slice(0, 2), damaged), "something else");

      expect(() => blobs.get(gone)).toThrow("cannot read");
      expect(() => blobs.get(damaged)).toThrow("is damaged");
    }));
});

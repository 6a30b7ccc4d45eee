import { describe, expect, it } from "vitest";
import { BlockPool, NONE } from "../../../src/inference/twin/block-pool.ts";
import { seeded } from "../../orchestration/run/scenario.ts";

describe("the block pool", () => {
  it("uses free blocks in the order in which they were freed", () => {
    const pool = new BlockPool(4);
    const blocks = [pool.allocate(), pool.allocate(), pool.allocate(), pool.allocate()];
    for (const block of [2, 0, 3, 1]) pool.release(block);

    expect(blocks).toEqual([0, 1, 2, 3]);
    expect([pool.allocate(), pool.allocate(), pool.allocate(), pool.allocate()]).toEqual([
      2, 0, 3, 1,
    ]);
  });

  it("finds content until its block is used again", () => {
    const pool = new BlockPool(2);
    pool.cache(pool.allocate(), 1, 2);
    pool.release(0);

    expect(pool.find(1, 2)).toBe(0);
    pool.allocate(); // block 1, free for longer
    expect(pool.find(1, 2)).toBe(0);
    pool.allocate();
    expect(pool.find(1, 2)).toBe(NONE);
  });

  it("takes a touched block out of the free queue and evicts another", () => {
    const pool = new BlockPool(3);
    for (let block = 0; block < 3; block++) pool.cache(pool.allocate(), 0, block);
    for (let block = 0; block < 3; block++) pool.release(block);

    pool.touch(0);

    expect(pool.freeBlocks()).toEqual([1, 2]);
    expect(pool.allocate()).toBe(1);
    expect([pool.find(0, 0), pool.find(0, 1)]).toEqual([0, NONE]);
  });

  it("finds the oldest of equal blocks, and the next one when that is gone", () => {
    const pool = new BlockPool(3);
    pool.cache(pool.allocate(), 7, 7);
    pool.cache(pool.allocate(), 7, 7);

    expect(pool.find(7, 7)).toBe(0);
    pool.release(0);
    pool.allocate();
    pool.allocate();
    expect(pool.find(7, 7)).toBe(1);
  });

  it("keeps hashes apart that share a bucket or half of their bits", () => {
    const pool = new BlockPool(4);
    pool.cache(pool.allocate(), 1, 8);
    pool.cache(pool.allocate(), 1, 16);
    pool.cache(pool.allocate(), 2, 8);

    expect([pool.find(1, 8), pool.find(1, 16), pool.find(2, 8), pool.find(2, 16)]).toEqual([
      0,
      1,
      2,
      NONE,
    ]);
  });

  it("does what a list and a map do, in 20,000 random operations", () => {
    const random = seeded(3);
    const pool = new BlockPool(8);
    let free = [0, 1, 2, 3, 4, 5, 6, 7];
    let cached: { readonly block: number; readonly hash: number }[] = [];
    const held: number[] = [];
    const given: number[] = [];
    const due: number[] = [];
    for (let turn = 0; turn < 20_000; turn++) {
      const hash = Math.floor(random() * 6);
      const found = cached.find((entry) => entry.hash === hash);
      expect(pool.find(hash, hash * 16)).toBe(found?.block ?? NONE);
      if (random() < 0.3 && found) {
        pool.touch(found.block);
        held.push(found.block);
        free = free.filter((block) => block !== found.block);
      } else if (random() < 0.5 && free.length > 0) {
        const block = pool.allocate();
        given.push(block);
        due.push(free.shift() ?? NONE);
        cached = cached.filter((entry) => entry.block !== block);
        held.push(block);
        if (random() < 0.7) {
          pool.cache(block, hash, hash * 16);
          cached.push({ block, hash });
        }
      } else if (held.length > 0) {
        const [block = NONE] = held.splice(Math.floor(random() * held.length), 1);
        pool.release(block);
        if (!held.includes(block)) free.push(block);
      }
      expect(pool.freeBlocks()).toEqual(free);
    }

    expect(given).toEqual(due);
  });

  it("refuses to give what it does not have and to take what nobody holds", () => {
    const pool = new BlockPool(1);
    pool.allocate();

    expect(() => pool.allocate()).toThrow("no free block");
    pool.release(0);
    expect(() => pool.release(0)).toThrow("free already");
  });
});

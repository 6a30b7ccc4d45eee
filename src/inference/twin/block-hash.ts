// The hash chain over full blocks: a block's hash covers its tokens and, through its parent's hash, everything before it.
//
// vLLM takes sha256; here two 32-bit lanes are mixed in integer arithmetic, which costs 30 ns a block. 64 bits: among a million
// cached blocks a false hit has a chance of 1 in 10^7, and nothing but a simulated time depends on it.

/** Two words for each block, at 2 · index and 2 · index + 1. */
export type BlockHashes = Int32Array;

/** Where a chain begins: what keeps requests of different salts and adapters from sharing blocks. Two words. */
export function hashRoot(
  seed: number,
  salt: string | undefined,
  lora: string | undefined,
): Int32Array {
  const root = new Int32Array([seed ^ 0x2c1b3c6d, Math.imul(seed, 0x297a2d39) ^ 0x5bd1e995]);
  // Lengths keep ("a", "bc") from ("ab", "c"); undefined differs from "".
  for (const text of [salt, lora]) {
    mix(root, text === undefined ? -1 : text.length);
    for (let at = 0; at < (text?.length ?? 0); at++) mix(root, text?.charCodeAt(at) ?? 0);
  }
  return root;
}

/** The tokens of a sequence: a prompt and an answer that follows it. */
export type Tokens = { readonly promptIds: Int32Array; readonly outputIds: Int32Array };

/** Writes the hash of block `index` from its parent's, or from `root` for the first. Its tokens must all exist. */
export function hashBlock(
  hashes: BlockHashes,
  index: number,
  root: Int32Array,
  { tokens, blockSize }: { readonly tokens: Tokens; readonly blockSize: number },
): void {
  const { promptIds, outputIds } = tokens;
  const promptLength = promptIds.length;
  let high = (index === 0 ? root[0] : hashes[2 * index - 2]) ?? 0;
  let low = (index === 0 ? root[1] : hashes[2 * index - 1]) ?? 0;
  const end = (index + 1) * blockSize;
  for (let at = index * blockSize; at < end; at++) {
    const id = (at < promptLength ? promptIds[at] : outputIds[at - promptLength]) ?? 0;
    high = Math.imul(high ^ id, 0x9e3779b1);
    high ^= high >>> 15;
    low = Math.imul(low + id, 0x85ebca77) ^ high;
    low ^= low >>> 13;
  }
  hashes[2 * index] = Math.imul(high ^ (low >>> 16), 0xc2b2ae3d);
  hashes[2 * index + 1] = low ^ (high >>> 11);
}

function mix(root: Int32Array, word: number): void {
  const high = Math.imul((root[0] ?? 0) ^ word, 0x9e3779b1);
  root[0] = high ^ (high >>> 15);
  const low = Math.imul((root[1] ?? 0) + word, 0x85ebca77) ^ high;
  root[1] = low ^ (low >>> 13);
}

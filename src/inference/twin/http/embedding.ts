// Vectors that no model computed: the same text has the same one, and texts that share words are nearer than texts that do not.

/** Dimensions where nobody asks for others. */
const DIMENSIONS = 384;
/** Dimensions that one token moves. */
const SPREAD = 4;

/** A unit vector from hashed tokens, in single precision. Zero for no tokens. */
export function embeddingOf(ids: Int32Array, dimensions: number = DIMENSIONS): Float32Array {
  const vector = new Float32Array(dimensions);
  for (const id of ids) {
    for (let step = 0; step < SPREAD; step++) {
      const mixed = mix(Math.imul(id, 0x9e37_79b1) ^ Math.imul(step + 1, 0x85eb_ca6b));
      const at = mixed % dimensions;
      vector[at] = (vector[at] ?? 0) + (mixed & 0x4000_0000 ? 1 : -1);
    }
  }
  const length = Math.hypot(...vector);
  return length > 0 ? vector.map((value) => value / length) : vector;
}

/** Little-endian bytes, as clients ask for with encoding_format "base64". */
export function toBase64(vector: Float32Array): string {
  const bytes = Buffer.alloc(vector.length * 4);
  for (const [at, value] of vector.entries()) bytes.writeFloatLE(value, at * 4);
  return bytes.toString("base64");
}

function mix(value: number): number {
  let mixed = value ^ (value >>> 16);
  mixed = Math.imul(mixed, 0xc2b2_ae35);
  return (mixed ^ (mixed >>> 13)) >>> 0;
}

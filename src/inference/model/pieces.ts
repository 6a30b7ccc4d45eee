// A text that grows by tokens and is read at its end: flat, where `+=` keeps a node of 32 bytes for each token until then.

/** Pieces that are joined at once. */
const JOINED = 32;

/** A text in pieces. */
export class Pieces {
  #joined = "";
  #last: string[] | undefined;

  add(piece: string): void {
    const last = (this.#last ??= []);
    last.push(piece);
    if (last.length >= JOINED) this.read();
  }

  read(): string {
    if (this.#last && this.#last.length > 0) {
      this.#joined += this.#last.join("");
      this.#last = undefined;
    }
    return this.#joined;
  }
}

// Requests and tokens per minute: two buckets that fill at a steady rate. What a provider counts per minute may come at once, so a bucket
// holds one minute's worth.

export interface Rate {
  /** When a call of so many tokens may go, in ms; `now` or earlier = at once. */
  readyAt(now: number, tokens: number): number;
  /** A call goes. */
  take(now: number, tokens: number): void;
  /** It took more or fewer tokens than was taken for it. */
  correct(by: number): void;
  /** Bounds per minute; undefined = none. */
  bound(requests: number | undefined, tokens: number | undefined): void;
}

const MINUTE_MS = 60_000;

/** Without bounds, until it gets some. */
export function createRate(): Rate {
  const requests = createBucket();
  const tokens = createBucket();
  return {
    readyAt: (now, count) => Math.max(requests.readyAt(now, 1), tokens.readyAt(now, count)),
    take(now, count) {
      requests.take(now, 1);
      tokens.take(now, count);
    },
    correct: (by) => tokens.give(-by),
    bound(perMinute, tokensPerMinute) {
      requests.bound(perMinute);
      tokens.bound(tokensPerMinute);
    },
  };
}

type Bucket = {
  readyAt(now: number, count: number): number;
  take(now: number, count: number): void;
  give(count: number): void;
  bound(perMinute: number | undefined): void;
};

function createBucket(): Bucket {
  let size: number | undefined;
  let level = 0;
  let filledAt: number | undefined;
  const fill = (now: number): void => {
    if (size === undefined) return;
    if (filledAt !== undefined)
      level = Math.min(size, level + (size * Math.max(0, now - filledAt)) / MINUTE_MS);
    filledAt = now;
  };
  return {
    readyAt(now, count) {
      if (size === undefined) return now;
      fill(now);
      // What is larger than the bucket goes when it is full, or it would never go.
      const missing = Math.min(count, size) - level;
      return missing <= 0 ? now : now + (missing / size) * MINUTE_MS;
    },
    take(now, count) {
      if (size === undefined) return;
      fill(now);
      level -= count;
    },
    give(count) {
      if (size !== undefined) level = Math.min(size, level + count);
    },
    bound(next) {
      if (next === size) return;
      level = next === undefined ? 0 : size === undefined ? next : (level * next) / size;
      size = next;
    },
  };
}

// Prices of GPUs, as a table that users replace: prices change monthly, the arithmetic on them does not.

/** How a GPU is rented. Flex and active are serverless workers: flex is billed while it works, active always. */
export type Rental = "flex" | "active" | "on-demand" | "spot";

/** A price, with where and when it was read. */
export type GpuPrice = {
  /** Id of the GPU in the catalogue. */
  readonly gpu: string;
  readonly rental: Rental;
  readonly usdPerHour: number;
  readonly source: string;
  /** Year and month in which it was read; undefined where the source has no date. */
  readonly readAt: string | undefined;
};

/** Prices that Bosun comes with. Give your own list to `findPrice` where they are wrong. */
export const PRICES: readonly GpuPrice[] = [
  // US dollars a second × 3600.
  ...toPrices("flex", "Runpod Serverless docs, pricing table", "2026-08", {
    L4: 0.684,
    "RTX-4090": 1.116,
    A6000: 1.224,
    L40S: 1.908,
    "A100-80": 2.736,
    "H100-SXM": 4.176,
    H200: 5.58,
    B200: 8.64,
  }),
  // The current page has no active prices and sends to sales; these are of an older one.
  ...toPrices("active", "Runpod Serverless docs, older pricing page", undefined, {
    L4: 0.468,
    "RTX-4090": 0.756,
    A6000: 0.864,
    L40S: 1.332,
    "A100-80": 2.16,
    "H100-SXM": 3.348,
    H200: 4.464,
    B200: 6.84,
  }),
  // Quoted as examples in an article on crews on own GPUs.
  ...toPrices("on-demand", "example in an article on self-hosted crews", undefined, {
    L40S: 0.72,
    "H100-SXM": 3.84,
  }),
  ...toPrices("spot", "example in an article on self-hosted crews", undefined, {
    "H100-SXM": 1.69,
  }),
];

/** The price of a GPU of the catalogue, by its id; undefined where the table has none. */
export function findPrice(
  gpu: string,
  rental: Rental,
  prices: readonly GpuPrice[] = PRICES,
): GpuPrice | undefined {
  return prices.find((price) => price.gpu === gpu && price.rental === rental);
}

function toPrices(
  rental: Rental,
  source: string,
  readAt: string | undefined,
  usdPerHour: Readonly<Record<string, number>>,
): readonly GpuPrice[] {
  return Object.entries(usdPerHour).map(([gpu, usd]) => ({
    gpu,
    rental,
    usdPerHour: usd,
    source,
    readAt,
  }));
}

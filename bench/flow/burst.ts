// One contender in one round: lanes that start a run when their last one has ended, for a while.

/** Activations per second of wall time, and what else the burst came to. */
export type Burst = {
  readonly perSecond: number;
  readonly cpuUsPerActivation: number;
  readonly activations: number;
};

/** @param activations Of one run. */
export async function burst(
  run: () => Promise<void>,
  {
    activations,
    inFlight,
    forMs,
  }: { readonly activations: number; readonly inFlight: number; readonly forMs: number },
): Promise<Burst> {
  const before = process.cpuUsage();
  const startedAt = performance.now();
  let runs = 0;
  const lane = async (): Promise<void> => {
    do {
      await run();
      runs++;
    } while (performance.now() - startedAt < forMs);
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  const seconds = (performance.now() - startedAt) / 1_000;
  const { user, system } = process.cpuUsage(before);
  const all = runs * activations;
  return { perSecond: all / seconds, cpuUsPerActivation: (user + system) / all, activations: all };
}

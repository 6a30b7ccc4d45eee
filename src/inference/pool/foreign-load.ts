// Foreign load: whether an endpoint runs more than this process has sent there, told now and then. Pure.
//
// One reading says little: calls come and go while it is on its way. Three in a row are no accident.

/** An endpoint that others use too. */
export type ForeignNotice = {
  readonly endpoint: string;
  /** What it runs, with what waits in its own queue. */
  readonly running: number;
  /** What this process has in flight there. */
  readonly sent: number;
};

/** What an endpoint showed at one time. */
export type LoadReading = {
  readonly endpoint: string;
  /** Clock.now() in ms. */
  readonly at: number;
  readonly running: number;
  readonly waiting: number;
  /** In flight from here: the most of just before and just after the reading, because both may be the one that it shows. */
  readonly sent: number;
  /** What others may run there: their share. Default 0. */
  readonly others?: number | undefined;
};

/** What is remembered of one endpoint. */
export type ForeignLoad = {
  /** Readings in a row that showed more. */
  readonly inARow: number;
  /** When it was told last; undefined before the first time. */
  readonly toldAt: number | undefined;
};

export const NO_FOREIGN_LOAD: ForeignLoad = { inARow: 0, toldAt: undefined };

const READINGS = 3;
/** A notice of one endpoint comes once in so long. */
const EVERY_MS = 60_000;

/** What a reading adds, and the notice that is due. */
export function noteReading(
  { inARow, toldAt }: ForeignLoad,
  reading: LoadReading,
): { readonly load: ForeignLoad; readonly notice: ForeignNotice | undefined } {
  const { endpoint, at, waiting, sent, others = 0 } = reading;
  const running = reading.running + waiting;
  if (running <= sent + others) return { load: { inARow: 0, toldAt }, notice: undefined };
  const count = Math.min(READINGS, inARow + 1);
  const isDue = toldAt === undefined || at - toldAt >= EVERY_MS;
  if (count < READINGS || !isDue) return { load: { inARow: count, toldAt }, notice: undefined };
  return { load: { inARow: count, toldAt: at }, notice: { endpoint, running, sent } };
}

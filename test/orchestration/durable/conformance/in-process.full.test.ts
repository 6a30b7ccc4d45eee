import { afterAll, describe } from "vitest";
import { allCases } from "./cases.ts";
import { ENGINES, stopShared } from "./harness.ts";

afterAll(stopShared);

/** The others are tested in virtual time (in-process.test.ts), and by processes.full.test.ts in real time. */
const REAL = ENGINES.filter(({ takesClock }) => !takesClock);

describe.each(REAL)("on $name in real time:", (kind) => {
  allCases({ kind, time: "real" });
});

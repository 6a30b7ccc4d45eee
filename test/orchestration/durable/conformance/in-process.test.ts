import { describe } from "vitest";
import { allCases } from "./cases.ts";
import { ENGINES } from "./harness.ts";

/** Those that can be tested in virtual time. */
const VIRTUAL = ENGINES.filter(({ takesClock }) => takesClock);

describe.each(VIRTUAL)("on $name in virtual time:", (kind) => {
  allCases({ kind, time: "virtual" });
});

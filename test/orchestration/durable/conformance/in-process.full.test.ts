import { describe } from "vitest";
import { allCases } from "./cases.ts";
import { ENGINES } from "./harness.ts";

describe.each(ENGINES)("on $name in real time:", (kind) => {
  allCases({ kind, time: "real" });
});

// What this engine says to the server, and hears from it, without one.

import { readFileSync } from "node:fs";
import * as sdk from "@restatedev/restate-sdk";
import { describe, expect, it } from "vitest";
import { BosunError } from "../../../../src/error.ts";
import type { Json } from "../../../../src/json.ts";
import { fromHeader, toHeader } from "../../../../src/orchestration/durable/restate/meta.ts";
import { flowOf, serviceOf } from "../../../../src/orchestration/durable/restate/name.ts";
import { loadSdk, TESTED_VERSIONS } from "../../../../src/orchestration/durable/restate/sdk.ts";
import {
  fromTerminal,
  readFailure,
  toTerminal,
} from "../../../../src/orchestration/durable/restate/terminal.ts";

function told(error: unknown): Error {
  const terminal = toTerminal(error, sdk);
  if (!(terminal instanceof sdk.TerminalError)) throw terminal;
  const { message, metadata = {} } = terminal;
  return fromTerminal({ code: 500, message, metadata, source: "invocation" }, "r");
}

describe("the SDK", () => {
  it("that is not installed is an error that names the command", async () => {
    const missing = loadSdk(() => Promise.reject(new Error("Cannot find package")));

    await expect(missing).rejects.toMatchObject({
      code: "config/invalid",
      message: expect.stringContaining(
        `npm install @restatedev/restate-sdk@${TESTED_VERSIONS.sdk}`,
      ),
    });
  });

  it("and the server are tested in the versions that the table names", () => {
    const text = readFileSync(new URL("../../../../package.json", import.meta.url), "utf8");
    const { devDependencies, peerDependencies } = JSON.parse(text) as Record<
      string,
      Record<string, string>
    >; // `as`: npm's own format

    expect(devDependencies?.["@restatedev/restate-sdk"]).toBe(TESTED_VERSIONS.sdk);
    expect(peerDependencies?.["@restatedev/restate-sdk"]).toBe(TESTED_VERSIONS.sdk);
    expect(devDependencies?.["@restatedev/restate-server"]).toBe(TESTED_VERSIONS.server);
  });
});

describe("a flow's name on the server", () => {
  it.each([
    ["crew", "1"],
    ["crew/Überblick 😀", "2.0.1-beta"],
    ["a.b_c", "sha_f00"],
    ["_2e_", "_"],
  ])("is one that it takes, and tells the flow again: %s@%s", (name, version) => {
    const service = serviceOf({ name, version });

    expect(service).toMatch(/^[A-Za-z][\w.-]*$/);
    expect(flowOf(service)).toEqual({ name, version });
  });

  it("is told from those of others", () => {
    expect(flowOf("bosun-queue")).toBeUndefined();
    expect(flowOf("greeter")).toBeUndefined();
    expect(flowOf("bosun.a.b.c")).toBeUndefined();
  });
});

describe("what a run is started with", () => {
  it("comes out of its header, also where that stands among other bytes", () => {
    const meta = { queue: "größte; %7B", priority: -3, tenant: "a'b(c)", isHeld: true };

    expect(fromHeader(toHeader(meta))).toEqual(meta);
    expect(fromHeader(`\u0001x-bosun-run\u0012é${toHeader(meta)}\n{"a":1};`)).toEqual(meta);
    expect(fromHeader("nothing")).toEqual({});
  });
});

describe("a run's error", () => {
  it("keeps its code, message, details and whether it may be tried again", () => {
    const error = new BosunError("tool/limit", "enough", { retryable: true, details: { n: 1 } });

    expect(told(error)).toMatchObject({
      code: "tool/limit",
      message: "enough",
      retryable: true,
      details: { n: 1 },
    });
    expect(told(new TypeError("no function"))).toMatchObject({
      name: "TypeError",
      message: "no function",
    });
  });

  it("that is too large for the server loses its details, not its code", () => {
    const details: { text: Json } = { text: "x".repeat(300_000) };

    const error = told(new BosunError("tool/failed", "y".repeat(10_000), { details }));

    expect(error).toMatchObject({ code: "tool/failed", message: "y".repeat(4_096) });
    expect(error).toMatchObject({ details: undefined });
  });

  it("is read from a list, as is a cancel by the server itself", () => {
    expect(readFailure("[500] tool/failed: no: way")).toEqual({
      isCancelled: false,
      message: "no: way",
    });
    expect(readFailure("[500] run/cancelled: enough")).toEqual({
      isCancelled: true,
      message: "enough",
    });
    expect(readFailure("[409] killed").isCancelled).toBe(true);
    expect(fromTerminal({ code: 409, message: "killed" }, "r")).toMatchObject({
      code: "run/cancelled",
    });
  });
});

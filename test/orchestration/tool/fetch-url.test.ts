import { describe, expect, it } from "vitest";
import { fetchUrl, type FetchUrlOptions } from "../../../src/orchestration/tool/fetch-url.ts";
import type { ToolOutcome } from "../../../src/orchestration/tool/run.ts";
import { contextOf, runForReal } from "./probe.ts";

/** No test of this file opens a connection: everything is refused before. */
function fetchOnce(url: string, options: FetchUrlOptions = {}): Promise<ToolOutcome> {
  return runForReal(fetchUrl({ resolve: neverResolved, ...options }), JSON.stringify({ url }));
}

function neverResolved(): Promise<readonly string[]> {
  return expect.unreachable("a name was resolved");
}

describe("fetchUrl", () => {
  it.each([
    "http://127.0.0.1/",
    "http://127.1/",
    "http://2130706433/",
    "http://0x7f.0.0.1/",
    "http://017700000001/",
    "http://0/",
    "http://10.0.0.1:8080/admin",
    "http://169.254.169.254/latest/meta-data/",
    "http://100.100.100.200/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[fd00:ec2::254]/",
    "http://[fe80::1]/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    "https://192.168.1.1/",
    "http://１２７.0.0.1/",
  ])("refuses the address %s in any spelling", async (url) => {
    expect(await fetchOnce(url)).toMatchObject({
      type: "failed",
      code: "tool/refused",
      message: expect.stringContaining("not a public address"),
    });
  });

  it.each([
    [["127.0.0.1"]],
    [["93.184.215.14", "10.0.0.1"]],
    [["::1"]],
    [["::ffff:192.168.0.1"]],
    [["not an address"]],
  ])("refuses a name that resolves to %j", async (addresses) => {
    expect(
      await fetchOnce("https://innocent.example/", { resolve: () => Promise.resolve(addresses) }),
    ).toMatchObject({ code: "tool/refused" });
  });

  it.each([
    "file:///etc/passwd",
    "ftp://example.org/",
    "data:text/plain,hello",
    "javascript:alert(1)",
    "gopher://example.org/",
  ])("refuses the protocol of %s", async (url) => {
    expect(await fetchOnce(url)).toMatchObject({
      code: "tool/refused",
      message: expect.stringContaining("only http and https"),
    });
  });

  it("refuses a URL with a password, and does not repeat it", async () => {
    const outcome = await fetchOnce("https://user:hunter2@example.org/");

    expect(outcome).toMatchObject({ code: "tool/refused" });
    expect(outcome.content).not.toContain("hunter2");
  });

  it.each(["example.org/page", "", "http://", "not a url"])(
    "says that %j is no URL",
    async (url) => {
      expect(await fetchOnce(url)).toMatchObject({ code: "tool/arguments" });
    },
  );

  it("says that a name cannot be resolved, or has no address", async () => {
    const failing = await fetchOnce("https://none.example/", {
      resolve: () => Promise.reject(new Error("ENOTFOUND")),
    });
    const empty = await fetchOnce("https://none.example/", { resolve: () => Promise.resolve([]) });

    expect(failing).toMatchObject({
      code: "tool/failed",
      message: "the name none.example cannot be resolved: ENOTFOUND",
    });
    expect(empty).toMatchObject({ code: "tool/failed", message: "none.example has no address" });
  });

  it("ends at once when the run is aborted while a name is resolved", async () => {
    const controller = new AbortController();
    const reason = new Error("left");
    const tool = fetchUrl({ resolve: () => new Promise(() => undefined) });

    const call = Reflect.apply(tool.run, undefined, [
      { url: "https://slow.example/" },
      contextOf(controller.signal),
    ]);
    controller.abort(reason);

    await expect(call).rejects.toBe(reason);
  });
});

import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { createVirtualClock, type VirtualClock } from "../../../src/clock.ts";
import type { BosunError } from "../../../src/error.ts";
import type { Fleet } from "../../../src/inference/fleet/fleet.ts";
import { createFleetWatch, type FleetWatch } from "../../../src/inference/pool/fleet-watch.ts";
import type { Lookup } from "../../../src/inference/pool/replica.ts";

type Scene = {
  readonly clock: VirtualClock;
  readonly watch: FleetWatch;
  readonly problems: BosunError[];
  readonly folder: string;
  /** Puts another text in the file's place, as editors do. */
  readonly write: (file: string, text: string) => void;
  /** What the pool would call now. */
  readonly urls: (alias?: string) => readonly string[] | undefined;
};

function sceneOf(
  files: Readonly<Record<string, string>>,
  { lookup, file = "bosun.fleet.yaml" }: { readonly lookup?: Lookup; readonly file?: string } = {},
): Scene {
  const folder = mkdtempSync(join(tmpdir(), "bosun-fleet-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const write = (name: string, text: string): void => {
    writeFileSync(join(folder, `${name}.new`), text);
    renameSync(join(folder, `${name}.new`), join(folder, name));
  };
  for (const [name, text] of Object.entries(files)) write(name, text);
  const clock = createVirtualClock({ auto: false });
  const problems: BosunError[] = [];
  const onProblem = (error: BosunError): void => void problems.push(error);
  const watch = createFleetWatch({ source: join(folder, file), clock, env: {}, onProblem, lookup });
  const urls = (alias = "a"): readonly string[] | undefined =>
    watch.deployment(alias)?.endpoints.map(({ at }) => ("url" in at ? at.url : "a model"));
  return { clock, watch, problems, folder, write, urls };
}

const fleetAt = (url: string, more = ""): string =>
  `models:\n  a: { endpoints: [ { url: "${url}"${more} } ] }\n`;
const FILE = "bosun.fleet.yaml";

describe("a fleet's file", () => {
  it("is read again when it has changed, and not before a second is over", async () => {
    const { clock, write, urls } = sceneOf({ [FILE]: fleetAt("http://one/v1") });

    write(FILE, fleetAt("http://two/v1"));
    const at0 = urls();
    await clock.advance(1_000);

    expect([at0, urls()]).toEqual([["http://one/v1"], ["http://two/v1"]]);
  });

  it("means the same object until something changes", async () => {
    const { clock, write, watch } = sceneOf({ [FILE]: fleetAt("http://one/v1") });
    const first = watch.deployment("a");

    write(FILE, `# a comment\n${fleetAt("http://one/v1")}`);
    await clock.advance(1_000);
    const second = watch.deployment("a");
    write(FILE, fleetAt("http://two/v1"));
    await clock.advance(1_000);

    expect(second).toBe(first);
    expect(watch.deployment("a")).not.toBe(first);
  });

  it("goes on as it was when its new version is wrong, and says so once", async () => {
    const { clock, write, urls, watch, problems } = sceneOf({ [FILE]: fleetAt("http://one/v1") });

    write(FILE, fleetAt("no url"));
    await clock.advance(1_000);
    const wrong = urls();
    await clock.advance(5_000);
    urls();

    expect(wrong).toEqual(["http://one/v1"]);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ code: "config/invalid", details: { line: 2, column: 28 } });
    expect(watch.problem()).toBe(problems[0]);
    write(FILE, fleetAt("http://three/v1"));
    await clock.advance(1_000);
    expect(urls()).toEqual(["http://three/v1"]);
    expect(watch.problem()).toBeUndefined();
  });

  it("goes on as it was when it is gone", async () => {
    const { clock, folder, urls, problems } = sceneOf({ [FILE]: fleetAt("http://one/v1") });

    rmSync(join(folder, FILE));
    await clock.advance(1_000);
    urls();
    await clock.advance(1_000);

    expect(urls()).toEqual(["http://one/v1"]);
    expect(problems.map(({ message }) => message)).toEqual([
      expect.stringContaining("cannot be read"),
    ]);
  });

  it("forgets a model that left it", async () => {
    const { clock, write, urls } = sceneOf({ [FILE]: fleetAt("http://one/v1") });

    write(FILE, "models: { b: { provider: openai } }");
    await clock.advance(1_000);

    expect([urls("a"), urls("b")]).toEqual([undefined, ["https://api.openai.com/v1"]]);
  });

  it("must be right the first time", () => {
    expect(() => sceneOf({ [FILE]: "models: {}" })).toThrow(
      expect.objectContaining({ code: "config/invalid" }),
    );
    expect(() => sceneOf({})).toThrow(/bosun\.fleet\.yaml cannot be read: ENOENT/);
  });

  it("may be a module that exports the fleet", () => {
    const text =
      'export const fleet = { models: { a: { endpoints: [{ url: "http://one/v1" }] } } };\n';
    const file = "bosun.config.mts";

    expect(sceneOf({ [file]: text }, { file }).urls()).toEqual(["http://one/v1"]);
    expect(() => sceneOf({ [file]: "export const fleet = { models: 1 };" }, { file })).toThrow(
      /bosun\.config\.mts: fleet: models: models must be an object/,
    );
    expect(() => sceneOf({ [file]: "export const" }, { file })).toThrow(/cannot be loaded/);
  });
});

describe("replicas from a file", () => {
  const FLEET = fleetAt("http://gpu/v1", ", replicas: { file: gpus.txt }");

  it("are one URL a line, in the folder of the fleet's file, and change with it", async () => {
    const { clock, write, urls } = sceneOf({
      [FILE]: FLEET,
      "gpus.txt": "http://b:8000/v1\n# spare\n\nhttp://a:8000/v1/ # first\n",
    });
    const before = urls();

    write("gpus.txt", "http://b:8000/v1\n");
    await clock.advance(1_000);

    expect(before).toEqual(["http://a:8000/v1", "http://b:8000/v1"]);
    expect(urls()).toEqual(["http://b:8000/v1"]);
  });

  it.each([
    ["a line that is no URL", "http://a/v1\ngpu-2\n", /gpus\.txt:2:1: .*is not an http\(s\) URL/],
    ["no line", "# all gone\n", /gpus\.txt:1:1: it names no replica/],
  ])("stay when the file has %s", async (_what, text, message) => {
    const { clock, write, urls, problems } = sceneOf({
      [FILE]: FLEET,
      "gpus.txt": "http://a/v1\n",
    });

    write("gpus.txt", text);
    await clock.advance(1_000);

    expect(urls()).toEqual(["http://a/v1"]);
    expect(problems.map((one) => one.message)).toEqual([expect.stringMatching(message)]);
  });

  it("must be there at first", () => {
    expect(() => sceneOf({ [FILE]: FLEET })).toThrow(/gpus\.txt cannot be read/);
  });
});

describe("replicas from DNS", () => {
  const FLEET = fleetAt("http://gpu:8000/v1", ', replicas: { dns: "gpu:8000" }');

  it("are asked for again every half minute; until the first answer the name itself serves", async () => {
    const answers = [
      ["10.0.0.2", "10.0.0.1"],
      ["10.0.0.1", "fd00::1"],
    ];
    const hosts: string[] = [];
    const lookup: Lookup = async (host) => {
      hosts.push(host);
      return answers.shift() ?? [];
    };
    const { clock, urls } = sceneOf({ [FILE]: FLEET }, { lookup });

    const atFirst = urls();
    await clock.advance(1_000);
    const known = urls();
    await clock.advance(28_000);
    urls();
    const askedBefore = hosts.length;
    await clock.advance(1_000);
    urls();
    await clock.advance(1_000);

    expect(atFirst).toEqual(["http://gpu:8000/v1"]);
    expect(known).toEqual(["http://10.0.0.1:8000/v1", "http://10.0.0.2:8000/v1"]);
    expect(urls()).toEqual(["http://10.0.0.1:8000/v1", "http://[fd00::1]:8000/v1"]);
    expect([askedBefore, hosts]).toEqual([1, ["gpu", "gpu"]]);
  });

  it("stay when the name cannot be looked up, which is said once", async () => {
    let isDown = false;
    const lookup: Lookup = async () => {
      if (isDown) throw new Error("SERVFAIL");
      return ["10.0.0.1"];
    };
    const { clock, urls, problems } = sceneOf({ [FILE]: FLEET }, { lookup });
    await clock.advance(1_000);
    isDown = true;

    for (let round = 0; round < 3; round++) {
      await clock.advance(30_000);
      urls();
      await clock.advance(1_000);
    }

    expect(urls()).toEqual(["http://10.0.0.1:8000/v1"]);
    expect(problems.map(({ message }) => message)).toEqual([expect.stringContaining("SERVFAIL")]);
  });
});

describe("the fleet of a gateway", () => {
  it("has its endpoints, whatever gateway it names, and stays the same until it changes", () => {
    const clock = createVirtualClock({ auto: false });
    const source: Fleet = {
      gateway: "http://gateway/v1",
      models: { a: { endpoints: [{ url: "http://gpu/v1" }] } },
    };
    const watch = createFleetWatch({ source, clock, env: {}, isGateway: true });

    const at = watch.deployment("a")?.endpoints[0].at;

    expect(at).toMatchObject({ url: "http://gpu/v1" });
    expect(watch.deployment("a")).toBe(watch.deployment("a"));
    expect(watch.fleet()).toBe(watch.fleet());
  });
});

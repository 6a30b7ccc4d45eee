import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { createVirtualClock } from "../../../src/clock.ts";
import {
  createDocumentIndex,
  type DocumentIndex,
  type DocumentIndexOptions,
} from "../../../src/orchestration/memory/document-index.ts";
import { failureOf } from "../tool/failure.ts";

const DOCUMENTS = join(import.meta.dirname, "documents");
const { signal } = new AbortController();

describe("a search over a small set of technical documents", () => {
  const index = createDocumentIndex({ folders: [DOCUMENTS] });
  afterAll(() => index[Symbol.dispose]());

  it.each([
    ["In which order are jobs handed out?", "Order of jobs", "priority first and by age second"],
    ["What happens when a worker stops sending heartbeats?", "Leases", "goes back to the queue"],
    ["How often is a failed job tried again?", "Retries", "pause that doubles"],
    ["Why do I get status 429?", "Back-pressure", "full lane"],
    ["How do I back up a running server?", "Backups", "harbour backup"],
    [
      "The database file does not get smaller when jobs are removed",
      "Disk space",
      "harbour compact",
    ],
    ["Can I lose jobs when the power fails?", "Losing power", "loses power"],
    ["How many jobs per second does strict sync reach?", "Losing power", "1,400"],
    ["My worker was killed: out of memory?", "Out of memory", "kernel kills"],
    ["How much RAM or memory does one worker need?", "How much memory a worker needs", "80 MB"],
    ["what does max parallel jobs do", "maxParallelJobs", "how many jobs one worker runs"],
    ["How do I rotate keys?", "Rotating keys", "Two keys may be valid"],
    [
      "How do I reach the server from another machine?",
      "Network",
      "reverse proxy with TLS & a certificate",
    ],
    ["Which port does the server use?", "server", "port: 7400"],
    ["pausing a lane", "", "harbour lane pause"],
  ])("answers %j from the section %j", async (question, section, text) => {
    const { hits } = await index.search(question, { signal });

    expect(hits[0]).toMatchObject({ section });
    expect(hits[0]?.text).toContain(text);
  });

  it("names each file relative to the folder's parent", async () => {
    const { hits } = await index.search("jobs keys memory backups lanes server", {
      limit: 20,
      signal,
    });

    expect(new Set(hits.map(({ source }) => source))).toEqual(
      new Set([
        "documents/queue.md",
        "documents/operations/storage.md",
        "documents/operations/memory.md",
        "documents/security.html",
        "documents/settings.json",
        "documents/changes.txt",
      ]),
    );
  });

  it("gives the best first, as many as asked for, and says how many more there are", async () => {
    const two = await index.search("jobs of a lane", { limit: 2, signal });
    const all = await index.search("jobs of a lane", { limit: 1_000, signal });

    expect(two.hits).toEqual(all.hits.slice(0, 2));
    expect(two.more).toBe(all.hits.length - 2);
    expect(all.hits.map(({ score }) => score)).toEqual(
      all.hits.map(({ score }) => score).toSorted((a, b) => b - a),
    );
  });

  it("finds words in other forms: porter's stems, accents, names in one word or two", async () => {
    expect(await firstSection(index, "retried")).toBe("Retries");
    expect(await firstSection(index, "bäckups")).toBe("Backups");
    expect(await firstSection(index, "backpressure")).toBe("Back-pressure");
    expect(await firstSection(index, "max-parallel jobs")).toBe("maxParallelJobs");
  });

  it("does not find menus, scripts, front matter and lists of sources", async () => {
    for (const question of ["leaked", "Home", "Leases in distributed systems example org"]) {
      const { hits } = await index.search(question, { signal });
      expect(hits.map(({ text }) => text).join()).not.toMatch(/leaked|Home|distributed/);
    }
  });

  it.each([
    '"',
    "* OR )(",
    "self:",
    "NEAR(a b)",
    "'; DROP TABLE word; --",
    "jobs AND NOT",
    "{}",
    "\0",
    "a".repeat(100_000),
    "^jobs*",
    "\ud800",
  ])("takes any text for a question: %j", async (question) => {
    await expect(index.search(question, { signal })).resolves.toBeDefined();
  });

  it("finds nothing for a question without words", async () => {
    expect(await index.search("?!", { signal })).toEqual({ hits: [], more: 0 });
  });
});

describe("createDocumentIndex", () => {
  let folder = "";
  let opened: DocumentIndex[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "bosun-documents-"));
  });
  afterEach(() => {
    for (const index of opened) index[Symbol.dispose]();
    opened = [];
    rmSync(folder, { recursive: true, force: true });
  });

  function indexOf(options: Partial<DocumentIndexOptions> = {}): DocumentIndex {
    const index = createDocumentIndex({ folders: [folder], refreshMs: 0, ...options });
    opened.push(index);
    return index;
  }
  function write(path: string, text: string | Uint8Array): void {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  it("reads nothing before the first search", async () => {
    rmSync(folder, { recursive: true });
    const index = indexOf();
    mkdirSync(folder);
    write("a.md", "Made after the index was.");

    expect(await found(index, "made")).toEqual(["a.md"]);
  });

  it("follows files that are added, changed and removed", async () => {
    write("a.md", "The first text about turbines.");
    write("b.md", "Another text about turbines.");
    const index = indexOf();
    expect(await found(index, "turbines")).toEqual(["a.md", "b.md"]);

    write("a.md", "Now about propellers.");
    utimesSync(join(folder, "a.md"), 1, 1);
    rmSync(join(folder, "b.md"));
    write("c.md", "Turbines again.");

    expect(await found(index, "turbines")).toEqual(["c.md"]);
    expect(await found(index, "propellers")).toEqual(["a.md"]);
  });

  it("looks at the files again only after refreshMs", async () => {
    const clock = createVirtualClock({ auto: false });
    const index = indexOf({ refreshMs: 1_000, clock });
    write("a.md", "About turbines.");
    await index.search("turbines", { signal });
    write("b.md", "About turbines too.");

    const early = await found(index, "turbines");
    await clock.advance(1_000);
    const late = await found(index, "turbines");

    expect(early).toEqual(["a.md"]);
    expect(late).toEqual(["a.md", "b.md"]);
  });

  it("does not go into hidden folders, node_modules, links and files that are no documents", async () => {
    const outside = mkdtempSync(join(tmpdir(), "bosun-outside-"));
    writeFileSync(join(outside, "secret.md"), "The secret turbine.");
    write("a.md", "A turbine.");
    write(".hidden.md", "A hidden turbine.");
    write(".git/b.md", "A hidden turbine.");
    write("node_modules/x/readme.md", "A package's turbine.");
    write("code.ts", "const turbine = 1;");
    symlinkSync(outside, join(folder, "linked"));
    symlinkSync(join(outside, "secret.md"), join(folder, "secret.md"));
    symlinkSync(folder, join(folder, "loop"));

    expect(await found(indexOf(), "turbine")).toEqual(["a.md"]);
    rmSync(outside, { recursive: true });
  });

  it("skips what is binary, too large, too deep or too many, and counts it", async () => {
    write("binary.md", Buffer.from("turbine \0 turbine"));
    write("large.md", `turbine ${"x".repeat(1_000)}`);
    write("a/b/deep.md", "turbine");
    write("a/1.md", "turbine one");
    write("a/2.md", "turbine two");
    write("a/3.md", "turbine three");
    const index = indexOf({ maxFileBytes: 500, maxDepth: 1, maxFiles: 3 });

    const size = await index.refresh(signal);

    expect(await found(index, "turbine")).toEqual(["a/1.md", "a/2.md"]);
    expect(size).toEqual({ files: 2, passages: 2, skipped: 3 }); // binary, large, 3.md; what is too deep is never seen
  });

  it("keeps all files together within maxTotalBytes", async () => {
    for (const name of ["a.md", "b.md", "c.md"]) write(name, `turbine ${"x".repeat(90)}`);

    expect(await indexOf({ maxTotalBytes: 250 }).refresh(signal)).toMatchObject({
      files: 2,
      skipped: 1,
    });
  });

  it("reads JSON that is broken as text, and JSON of any depth", async () => {
    write("broken.json", '{"turbine": ');
    write("deep.json", `{"turbine": 1, "deep": ${"[".repeat(50_000)}${"]".repeat(50_000)}}`);
    write("list.json", JSON.stringify([{ name: "turbine", parts: ["blade", { name: "shaft" }] }]));

    expect(await found(indexOf(), "turbine")).toEqual(["broken.json", "deep.json", "list.json"]);
    expect(await found(indexOf(), "shaft")).toEqual(["list.json"]);
  });

  it("searches several folders", async () => {
    write("one/a.md", "turbine");
    write("two/b.md", "turbine");

    const index = indexOf({ folders: [join(folder, "one"), join(folder, "two")] });

    const { hits } = await index.search("turbine", { signal });
    expect(hits.map(({ source }) => source)).toEqual(["one/a.md", "two/b.md"]);
  });

  it("shares one look at the files among searches at the same time", async () => {
    write("a.md", "turbine");
    const index = indexOf();

    const results = await Promise.all(Array.from({ length: 20 }, () => found(index, "turbine")));

    expect(new Set(results.map((result) => result.join()))).toEqual(new Set(["a.md"]));
  });

  it("says that a folder is missing, each time until it is there", async () => {
    const index = indexOf({ folders: [join(folder, "later")], refreshMs: 60_000 });

    const failure = await failureOf(() => index.search("turbine", { signal }));
    expect(failure.code).toBe("config/invalid");
    expect(failure.message).toContain("later");
    expect((await failureOf(() => index.search("turbine", { signal }))).code).toBe(
      "config/invalid",
    );

    write("later/a.md", "turbine");
    expect(await found(index, "turbine")).toEqual(["a.md"]);
  });

  it("says that a folder is a file", async () => {
    write("a.md", "turbine");

    expect(
      (await failureOf(() => indexOf({ folders: [join(folder, "a.md")] }).refresh(signal))).message,
    ).toContain("is not a folder");
  });

  it("rejects with the reason of a signal that is aborted", async () => {
    const reason = new Error("left");

    await expect(indexOf().search("turbine", { signal: AbortSignal.abort(reason) })).rejects.toBe(
      reason,
    );
  });

  it("takes 500 documents into less than 64 MB and leaves no file open", async () => {
    for (let file = 0; file < 500; file++) {
      const sections = Array.from(
        { length: 10 },
        (_, part) =>
          `## Part ${part}\n\n${`Sentence ${file} of part ${part} says something about turbine ${file * part}. `.repeat(5)}`,
      );
      write(
        `folder${file % 10}/document${file}.md`,
        `# Document ${file}\n\n${sections.join("\n\n")}`,
      );
    }
    const index = indexOf();
    const before = { files: openFiles(), bytes: process.memoryUsage.rss() };

    const size = await index.refresh(signal);
    const { hits } = await index.search("turbine 4491", { signal });

    expect(size).toEqual({ files: 500, passages: 10_000, skipped: 0 });
    expect(hits[0]?.text).toContain("turbine 4491");
    expect(openFiles()).toBe(before.files);
    expect(process.memoryUsage.rss() - before.bytes).toBeLessThan(64 * 1_048_576);
  }, 20_000);
});

/** The section of the best hit. */
async function firstSection(index: DocumentIndex, question: string): Promise<string | undefined> {
  return (await index.search(question, { signal })).hits[0]?.section;
}

/** The files that are found, without their folder, sorted. */
async function found(index: DocumentIndex, question: string): Promise<readonly string[]> {
  const { hits } = await index.search(question, { limit: 100, signal });
  return [...new Set(hits.map(({ source }) => source.slice(source.indexOf("/") + 1)))].toSorted();
}

/** How many files this process has open; 0 where the system does not tell. */
function openFiles(): number {
  return existsSync("/proc/self/fd") ? readdirSync("/proc/self/fd").length : 0;
}

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, it } from "vitest";
import { codeOf, type Import, importsOf, isAssertion } from "./source-code.ts";

const ROOT = join(import.meta.dirname, "..");
const SRC = join(ROOT, "src");

/** Folders in layer order (ARCHITECTURE.md): a file imports only from its own folder and from folders above it. */
const LAYERS = [
  ".",
  "inference/fleet",
  "inference/model",
  "inference/pool",
  "inference/facade",
  "inference/gpu",
  "inference/local",
  "inference/twin",
  "orchestration/memory",
  "orchestration/tool",
  "orchestration/durable",
  "orchestration/crew",
  "orchestration/flow",
  "orchestration/plan",
  "orchestration/run",
  "service/store",
  "service/telemetry",
  "service/queue",
  "service/server",
  "service/deploy",
  "capacity",
  "bench",
  "(top)",
  "test",
  "cli",
] as const;

/** Files of src/ itself that stand at the bottom; all others there are the top: what users import. */
const BOTTOM = new Set([
  "error.ts",
  "json.ts",
  "clock.ts",
  "newest.ts",
  "random.ts",
  "owner.ts",
  "schema.ts",
  "sqlite.ts",
  "blob.ts",
]);

type SourceFile = {
  readonly path: string;
  readonly text: string;
  /** The text without comments and contents of texts, line by line. */
  readonly code: string;
  readonly imports: readonly Import[];
};

const files: readonly SourceFile[] = readdirSync(SRC, { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts"))
  .toSorted()
  .map((path) => {
    const text = readFileSync(join(SRC, path), "utf8");
    return { path, text, code: codeOf(text), imports: importsOf(text) };
  });
const byPath = new Map(files.map((file) => [file.path, file]));

/** The path in src/ of a relative import. */
function targetOf(file: string, from: string): string | undefined {
  return from.startsWith(".") ? relative(SRC, join(SRC, dirname(file), from)) : undefined;
}

function layerOf(path: string): number {
  const folder = dirname(path);
  if (folder === ".") return LAYERS.indexOf(BOTTOM.has(path) ? "." : "(top)");
  return LAYERS.findIndex((layer) => folder === layer || folder.startsWith(`${layer}/`));
}

describe("src/", () => {
  it("has files, so that the rules below mean something", () => {
    expect(files.length).toBeGreaterThan(50);
    expect(files.reduce((sum, { imports }) => sum + imports.length, 0)).toBeGreaterThan(200);
  });

  it("has no file outside the folders of the layers", () => {
    expect(files.filter(({ path }) => layerOf(path) < 0).map(({ path }) => path)).toEqual([]);
  });

  it("imports only from a file's own folder and from folders above it, types included", () => {
    const wrong = files.flatMap(({ path, imports }) =>
      imports.flatMap(({ from }) => {
        const target = targetOf(path, from);
        if (target === undefined) return [];
        return layerOf(target) > layerOf(path) ? [`${path} imports ${target}`] : [];
      }),
    );

    expect(wrong).toEqual([]);
  });

  it("imports its own files with their ending, and files that there are", () => {
    const wrong = files.flatMap(({ path, imports }) =>
      imports.flatMap(({ from }) => {
        const target = targetOf(path, from);
        return target !== undefined && !byPath.has(target) ? [`${path} imports ${from}`] : [];
      }),
    );

    expect(wrong).toEqual([]);
  });

  it("has no import cycle, types included", () => {
    const done = new Set<string>();
    const cycles: string[] = [];
    const walk = (path: string, trail: readonly string[]): void => {
      if (trail.includes(path)) {
        cycles.push([...trail.slice(trail.indexOf(path)), path].join(" > "));
        return;
      }
      if (done.has(path)) return;
      for (const { from, isDynamic } of byPath.get(path)?.imports ?? []) {
        const target = targetOf(path, from);
        if (target !== undefined && !isDynamic) walk(target, [...trail, path]);
      }
      done.add(path);
    };
    for (const { path } of files) walk(path, []);

    expect(cycles).toEqual([]);
  });

  it("has no file over 300 lines", () => {
    const long = files
      .map(({ path, text }) => [path, text.trimEnd().split("\n").length] as const)
      .filter(([, lines]) => lines > 300);

    expect(long).toEqual([]);
  });

  it("begins each file with a comment that says what it is", () => {
    expect(
      files.filter(({ text }) => !/^(#!.*\n)?(\/\/|\/\*\*)/.test(text)).map(({ path }) => path),
    ).toEqual([]);
  });

  it("has a README of 5 to 15 lines in each folder with code", () => {
    const folders = [...new Set(files.map(({ path }) => dirname(path)))].filter(
      (folder) => folder !== ".",
    );
    const wrong = folders.flatMap((folder) => {
      try {
        const lines = readFileSync(join(SRC, folder, "README.md"), "utf8")
          .trimEnd()
          .split("\n").length;
        return lines > 15 || lines < 5 ? [`${folder}: ${lines} lines`] : [];
      } catch {
        return [`${folder}: no README.md`];
      }
    });

    expect(wrong).toEqual([]);
  });

  it("says a reason beside each `as` that is no `as const`", () => {
    const wrong = files.flatMap(({ path, text, code }) => {
      const [lines, codeLines] = [text.split("\n"), code.split("\n")];
      return codeLines.flatMap((_line, index) => {
        const hasReason = [lines[index], lines[index - 1]].some((near) =>
          near?.includes("// `as`:"),
        );
        return isAssertion(codeLines, index) && !hasReason
          ? [`${path}:${index + 1} ${lines[index]?.trim()}`]
          : [];
      });
    });

    expect(wrong).toEqual([]);
  });

  it("uses none of any, non-null !, enum, namespace, default exports and parameter properties", () => {
    const patterns: readonly RegExp[] = [
      /(?::\s*|<|\|\s*|\bas\s+)any\b/,
      /^\s*(?:export\s+)?(?:const\s+)?enum\s/,
      /^\s*(?:export\s+)?(?:declare\s+)?namespace\s/,
      /^\s*export\s+default\b/,
      /constructor\([^)]*\b(?:private|public|protected|readonly)\s/,
      /[\w)\]]!(?:[.;,)\]]|$)/,
    ];
    const wrong = files.flatMap(({ path, text, code }) => {
      const lines = text.split("\n");
      return code
        .split("\n")
        .flatMap((line, index) =>
          patterns.some((pattern) => pattern.test(line))
            ? [`${path}:${index + 1} ${lines[index]?.trim()}`]
            : [],
        );
    });

    expect(wrong).toEqual([]);
  });

  it("prints and exits only in cli/", () => {
    const wrong = files.flatMap(({ path, code }) =>
      path.startsWith("cli/") || !/\bconsole\.|\bprocess\.exit\b|process\.std(?:out|err)/.test(code)
        ? []
        : [path],
    );

    expect(wrong).toEqual([]);
  });

  it("takes the time only from clock.ts", () => {
    const timers =
      /\bsetTimeout\b|\bsetInterval\b|\bDate\.now\b|\bperformance\.|AbortSignal\.timeout|new Date\(\)/;
    const wrong = files.filter(
      ({ path, code, imports }) =>
        path !== "clock.ts" &&
        (timers.test(code) || imports.some(({ from }) => /^node:(timers|perf_hooks)/.test(from))),
    );

    expect(wrong.map(({ path }) => path)).toEqual([]);
  });

  it("reads the environment only in bosun.ts and in cli/", () => {
    const wrong = files.filter(
      ({ path, code }) =>
        path !== "bosun.ts" && !path.startsWith("cli/") && /\bprocess\.env\b/.test(code),
    );

    expect(wrong.map(({ path }) => path)).toEqual([]);
  });
});

/** What the module loads at once: imports of types and dynamic imports are not loaded. */
const findLoaded = (): {
  readonly files: ReadonlySet<string>;
  readonly packages: ReadonlySet<string>;
} => {
  const [found, packages] = [new Set<string>(), new Set<string>()];
  const queue = ["index.ts"];
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (found.has(path)) continue;
    found.add(path);
    for (const { from, isType, isDynamic } of byPath.get(path)?.imports ?? []) {
      if (isType || isDynamic || from.startsWith("node:")) continue;
      const target = targetOf(path, from);
      if (target !== undefined) queue.push(target);
      else
        packages.add(
          from
            .split("/")
            .slice(0, from.startsWith("@") ? 2 : 1)
            .join("/"),
        );
    }
  }
  return { files: found, packages };
};

describe('import "bosun/ai-sdk"', () => {
  it("takes types from the AI SDK and loads nothing of it", () => {
    const loading = files.filter(({ imports }) =>
      imports.some(({ from, isType }) => /^(ai$|@ai-sdk\/)/.test(from) && !isType),
    );

    expect(loading.map(({ path }) => path)).toEqual([]);
  });
});

describe('import "bosun"', () => {
  it("loads at most five packages", () => {
    expect([...findLoaded().packages].length).toBeLessThanOrEqual(5);
  });

  it("loads packages that package.json names as dependencies", () => {
    const manifest: unknown = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    expect(manifest).toMatchObject({
      dependencies: Object.fromEntries(
        [...findLoaded().packages].map((name) => [name, expect.any(String)]),
      ),
    });
  });

  it("loads neither SQLite nor the embedded model nor adapters, CrewAI projects or test tools before they are needed", () => {
    const early = [...findLoaded().files].filter((path) =>
      /^(inference\/model\/ai-sdk|sqlite\.ts|service\/store|inference\/local|orchestration\/crew\/project|test\/|cli\/)/.test(
        path,
      ),
    );

    expect(early).toEqual([]);
  });
});

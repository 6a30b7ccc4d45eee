// Completes package-lock.json with the optional platform packages that the registry did not serve when the lock was written.
//
// Why: `npm install` tolerates an optional dependency that cannot be fetched and leaves it out of the lock; `npm ci` in a fresh
// clone then refuses the lock (EUSAGE, "Missing: … from lock file"). npm skips an entry whose os, cpu or libc do not match the
// machine, so an entry made here needs no integrity on the platforms that do not install it.

import { readFileSync, writeFileSync } from "node:fs";

type Entry = {
  version?: string;
  dev?: boolean;
  optional?: boolean;
  os?: string[];
  cpu?: string[];
  libc?: string[];
  optionalDependencies?: Record<string, string>;
};

const OS: Readonly<Record<string, string>> = {
  win: "win32",
  win32: "win32",
  mac: "darwin",
  darwin: "darwin",
  linux: "linux",
  android: "android",
  freebsd: "freebsd",
  openharmony: "openharmony",
};
const CPU: Readonly<Record<string, string>> = {
  arm64: "arm64",
  x64: "x64",
  ia32: "ia32",
  arm: "arm",
  ppc64: "ppc64",
  riscv64: "riscv64",
  s390x: "s390x",
};

const file = process.argv[2] ?? "package-lock.json";
const lock: { packages: Record<string, Entry> } = JSON.parse(readFileSync(file, "utf8")); // npm's own format
const missing = Object.entries(lock.packages).flatMap(([at, entry]) =>
  Object.entries(entry.optionalDependencies ?? {})
    .filter(([name]) => !isLocked(at, name))
    .map(([name, version]) => ({ name, version, dev: entry.dev === true })),
);
for (const { name, version, dev } of missing) {
  lock.packages[`node_modules/${name}`] = {
    version,
    ...platformOf(name),
    ...(dev ? { dev } : {}),
    optional: true,
  };
}
const { "": root, ...rest } = lock.packages;
const sorted = Object.entries(rest).toSorted(([a], [b]) => a.localeCompare(b, "en"));
writeFileSync(
  file,
  `${JSON.stringify({ ...lock, packages: { "": root, ...Object.fromEntries(sorted) } }, null, 2)}\n`,
);
console.log(`${missing.length} entries added`);

function isLocked(at: string, name: string): boolean {
  const parents = at.split("/node_modules/");
  const nested = parents.some(
    (_, depth) =>
      lock.packages[`${parents.slice(0, depth + 1).join("/node_modules/")}/node_modules/${name}`],
  );
  return nested || lock.packages[`node_modules/${name}`] !== undefined;
}

/** The platform that a binding's name tells, as npm writes it. */
function platformOf(name: string): Entry {
  const parts = name.split("/").at(-1)?.replace("binding-", "").split("-") ?? [];
  const os = parts.map((part) => OS[part]).find(Boolean);
  const cpu = parts.map((part) => CPU[part]).find(Boolean);
  if (!os || !cpu)
    throw new Error(`cannot tell the platform of ${name}: add its words to this script`);
  if (os !== "linux") return { os: [os], cpu: [cpu] };
  const isMusl = parts.some((part) => part.startsWith("musl"));
  const isGlibc = parts.some((part) => part.startsWith("gnu"));
  return {
    os: [os],
    cpu: [cpu],
    ...(isMusl ? { libc: ["musl"] } : isGlibc ? { libc: ["glibc"] } : {}),
  };
}

// The addresses of an endpoint's replicas, from a file or from DNS, as they are now. Looked at when somebody asks.
//
// A DNS name is asked in the background: until its first answer the endpoint's own URL serves, and a failed answer changes nothing.

import { lookup as lookupName } from "node:dns/promises";
import { isAbsolute, join } from "node:path";
import type { Clock } from "../../clock.ts";
import { BosunError, messageOf, toBosunError } from "../../error.ts";
import type { FleetEndpoint, FleetReplicas } from "../fleet/fleet.ts";
import { toBaseUrl } from "../model/endpoint-option.ts";
import { createFileVersion } from "./file-version.ts";
import { putNewest } from "../../newest.ts";

/** All addresses of a host name. */
export type Lookup = (host: string) => Promise<readonly string[]>;

/** What replicas are found with. */
export type ReplicaOptions = {
  readonly clock: Clock;
  /** Where relative paths begin. */
  readonly folder: string;
  /** Told of what is wrong, once as long as it stays so. Must not throw. */
  readonly onProblem: (error: BosunError) => void;
  /** Default: the system's resolver. */
  readonly lookup?: Lookup | undefined;
};

export interface Replicas {
  /** Base URLs, sorted; undefined where the endpoint has no replicas, or they are not known yet. @throws BosunError `config/invalid` for a file that cannot be read the first time. */
  urlsOf(endpoint: FleetEndpoint): readonly string[] | undefined;
}

/** Most replicas of one endpoint; further ones are left out. */
const MAX_REPLICAS = 512;
/** How old an answer of DNS may be. */
export const DNS_MS = 30_000;

export function createReplicas(options: ReplicaOptions): Replicas {
  const byEndpoint = new WeakMap<FleetEndpoint, Find>();
  const byText = new Map<string, Find>();
  return {
    urlsOf(endpoint) {
      const { replicas, url } = endpoint;
      if (replicas === undefined) return undefined;
      const known = byEndpoint.get(endpoint);
      if (known) return known();
      // A new version of the file has new objects; what was found out goes on.
      const text = JSON.stringify([url, replicas]);
      const find = byText.get(text) ?? createFind(endpoint.url, replicas, options);
      putNewest(byText, [text, find], MAX_SOURCES);
      byEndpoint.set(endpoint, find);
      return find();
    },
  };
}

type Find = () => readonly string[] | undefined;

/** Most files and names that are remembered over versions of a fleet. */
const MAX_SOURCES = 1_024;

function createFind(url: string, replicas: FleetReplicas, options: ReplicaOptions): Find {
  return "file" in replicas
    ? fromFile(replicas.file, options)
    : fromDns(replicas.dns, url, options);
}

function fromFile(file: string, { clock, folder, onProblem }: ReplicaOptions): Find {
  const path = isAbsolute(file) ? file : join(folder, file);
  const version = createFileVersion(path, clock);
  let urls: readonly string[] | undefined;
  return () => {
    try {
      const text = version.changed();
      if (text !== undefined) urls = readUrls(path, text);
    } catch (error) {
      const problem = toBosunError(error, "config/invalid", path);
      if (urls === undefined) throw problem;
      onProblem(problem); // those that were known go on
    }
    return urls;
  };
}

/** One URL a line; `#` begins a comment. */
function readUrls(path: string, text: string): readonly string[] {
  const urls = text.split("\n").flatMap((line, index) => {
    const url = line.replace(/#.*/, "").trim();
    if (url === "") return [];
    try {
      return [toBaseUrl(url)];
    } catch (cause) {
      const message = `${path}:${index + 1}:1: ${messageOf(cause)}`;
      throw new BosunError("config/invalid", message, {
        cause,
        details: { file: path, line: index + 1, column: 1 },
      });
    }
  });
  if (urls.length === 0)
    throw new BosunError(
      "config/invalid",
      `${path}:1:1: it names no replica: write one URL a line`,
    );
  return [...new Set(urls)].toSorted().slice(0, MAX_REPLICAS);
}

function fromDns(
  name: string,
  url: string,
  { clock, onProblem, lookup = lookupAll }: ReplicaOptions,
): Find {
  const [, host = "", port = ""] = /^(.*):(\d+)$/.exec(name) ?? [];
  let urls: readonly string[] | undefined;
  let askedAt: number | undefined;
  let isAsking = false;
  let hasFailed = false;
  const ask = async (): Promise<void> => {
    try {
      const addresses = await lookup(host);
      const [first, ...others] = [...new Set(addresses)].toSorted();
      if (first === undefined) throw new Error("it has no address");
      urls = [first, ...others].slice(0, MAX_REPLICAS).map((one) => withHost(url, one, port));
      hasFailed = false;
    } catch (cause) {
      const message = `replicas: the name ${host} cannot be looked up: ${messageOf(cause)}`;
      if (!hasFailed) onProblem(new BosunError("config/invalid", message, { cause }));
      hasFailed = true;
    } finally {
      isAsking = false;
    }
  };
  return () => {
    const now = clock.now();
    if (!isAsking && (askedAt === undefined || now - askedAt >= DNS_MS)) {
      askedAt = now;
      isAsking = true;
      void clock.external(ask()); // it cannot reject
    }
    return urls;
  };
}

async function lookupAll(host: string): Promise<readonly string[]> {
  const found = await lookupName(host, { all: true });
  return found.map(({ address }) => address);
}

function withHost(url: string, address: string, port: string): string {
  const { protocol, pathname } = new URL(url);
  const host = address.includes(":") ? `[${address}]` : address;
  return toBaseUrl(`${protocol}//${host}:${port}${pathname}`);
}

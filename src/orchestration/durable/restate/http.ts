// The server's two HTTP surfaces: the ingress, where runs are started, and the admin's, where they are looked at and ended.

import { type Clock, until } from "../../../clock.ts";
import { BosunError, messageOf } from "../../../error.ts";
import { isObject, type Json } from "../../../json.ts";

/** Where a server is. */
export type Addresses = {
  /** Where runs are started: `http://127.0.0.1:8080`. */
  readonly ingressUrl: string;
  /** The admin's: `http://127.0.0.1:9070`. Never open it to others. */
  readonly adminUrl: string;
};

export type Answer = { readonly status: number; readonly body: Json };

export type Http = {
  ingress(path: string, options?: Asked): Promise<Answer>;
  admin(path: string, options?: Asked): Promise<Answer>;
  /** Rows of the server's tables. */
  query(sql: string): Promise<readonly Row[]>;
};

export type Row = { readonly [column: string]: Json | undefined };

export type Asked = {
  readonly method?: "GET" | "POST" | "PATCH" | "DELETE" | undefined;
  readonly body?: Json | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
};

/** How often a server that does not answer is asked: while it is restarted. */
const TRIES = 6;
const PAUSE_MS = 150;
const LIVE = new AbortController().signal;

/** Nothing is asked twice that would then be done twice: runs have ids, and signals are given once. */
export function createHttp({ ingressUrl, adminUrl }: Addresses, clock: Clock): Http {
  const ask =
    (base: string, name: string) =>
    async (path: string, asked: Asked = {}): Promise<Answer> => {
      for (let tried = 1; ; tried++) {
        try {
          return await askOnce(`${base.replace(/\/$/, "")}${path}`, asked);
        } catch (cause) {
          if (asked.signal?.aborted) throw asked.signal.reason;
          if (tried >= TRIES) throw unreachable(name, base, cause);
        }
        await clock.sleep(PAUSE_MS * tried, asked.signal ?? LIVE);
      }
    };
  const admin = ask(adminUrl, "admin");
  return {
    ingress: ask(ingressUrl, "ingress"),
    admin,
    async query(sql) {
      const { status, body } = await admin("/query", { method: "POST", body: { query: sql } });
      if (status === 200 && isObject(body) && Array.isArray(body["rows"]))
        return body["rows"] as readonly Row[]; // `as`: rows are objects
      throw new BosunError(
        "store/failed",
        `the Restate server at ${adminUrl} refuses a query (${status}): ${textOf(body)}`,
      );
    },
  };
}

/** What an answer says, for messages. */
export function textOf(body: Json): string {
  if (isObject(body) && typeof body["message"] === "string") return body["message"];
  return typeof body === "string" ? body : JSON.stringify(body);
}

async function askOnce(url: string, { method, body, headers, signal }: Asked): Promise<Answer> {
  const asked = fetch(url, {
    method: method ?? (body === undefined ? "GET" : "POST"),
    headers: {
      accept: "application/json",
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal ? { signal } : {}),
  });
  const response = await (signal ? until(asked, signal) : asked);
  const text = await response.text();
  return { status: response.status, body: parsed(text) };
}

function parsed(text: string): Json {
  if (text === "") return null;
  try {
    return JSON.parse(text) as Json; // `as`: JSON text
  } catch {
    return text; // a proxy's page: its text goes into a message
  }
}

function unreachable(name: string, url: string, cause: unknown): BosunError {
  const why = cause instanceof Error && cause.cause ? cause.cause : cause;
  return new BosunError(
    "store/failed",
    `the Restate server's ${name} at ${url} does not answer: ${messageOf(why)}. Start it (\`npx @restatedev/restate-server\`) or mend the address`,
    { retryable: true, cause },
  );
}

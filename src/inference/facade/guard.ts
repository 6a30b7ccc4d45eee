// Who may ask at all: checked on the request's headers alone, before anything is read.

import { createHash, timingSafeEqual } from "node:crypto";
import { isIPv4 } from "node:net";
import { BosunError } from "../../error.ts";
import { toWireError } from "./wire-error.ts";

/** A refusal, or undefined when the request may pass. */
export type Guard = (request: Request) => Response | undefined;

/** Paths that a load balancer asks without a token. */
const OPEN_PATHS: ReadonlySet<string> = new Set(["/health"]);

/**
 * The guard of an address.
 * @throws BosunError `config/invalid` for an address that others can reach without a token.
 */
export function createGuard(options: {
  readonly host: string;
  readonly token: string | undefined;
}): Guard {
  const { host, token } = options;
  const isLocal = isLoopback(host);
  if (!isLocal && !token) {
    throw new BosunError(
      "config/invalid",
      `${host} can be reached by others: set a token, or bind 127.0.0.1`,
    );
  }
  return (request) => {
    if (isLocal && !isLoopback(nameIn(request.headers.get("host")))) {
      return refusal(
        new BosunError(
          "server/forbidden",
          "this server answers to local names only: ask http://127.0.0.1",
        ),
      );
    }
    const origin = request.headers.get("origin");
    if (isLocal && origin !== null && !isLoopback(hostOf(origin))) {
      return refusal(
        new BosunError("server/forbidden", "pages of other sites may not ask this server"),
      );
    }
    if (token && !OPEN_PATHS.has(new URL(request.url).pathname) && !hasToken(request, token)) {
      return refusal(
        new BosunError("server/unauthorized", "send the token as Authorization: Bearer"),
      );
    }
    return undefined;
  };
}

/** 127.0.0.0/8, ::1 and localhost. */
export function isLoopback(host: string): boolean {
  const name = host.replace(/^\[|\]$/g, "").toLowerCase();
  return (
    name === "localhost" ||
    name.endsWith(".localhost") ||
    name === "::1" ||
    (isIPv4(name) && name.startsWith("127."))
  );
}

/** The name in a Host header, without its port. */
function nameIn(header: string | null): string {
  return (header ?? "").replace(/:\d*$/, "");
}

function hostOf(origin: string): string {
  return URL.canParse(origin) ? new URL(origin).hostname : "";
}

/** Compared by digests of equal length, in constant time. */
function hasToken(request: Request, token: string): boolean {
  const given = /^Bearer +(.+)$/i.exec(request.headers.get("authorization") ?? "")?.[1] ?? "";
  return timingSafeEqual(digest(given), digest(token));
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

function refusal(error: BosunError): Response {
  const { status, body } = toWireError(error, "");
  const headers = status === 401 ? { "www-authenticate": "Bearer" } : undefined;
  return Response.json(body, { status, ...(headers ? { headers } : {}) });
}

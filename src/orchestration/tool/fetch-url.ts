// fetch_url: pages and texts from the web, never from the network that this process stands in.

import { until } from "../../clock.ts";
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { BosunError, messageOf } from "../../error.ts";
import { isBinary } from "../memory/file.ts";
import { htmlToText } from "../memory/html.ts";
import { isPublicAddress } from "./address.ts";
import { type Answer, httpGet } from "./http-get.ts";
import { checkOptions } from "./option.ts";
import { type OutputLimit, type Tool, tool } from "./tool.ts";

/** Options of `fetchUrl`. */
export type FetchUrlOptions = {
  /** Default "fetch_url". */
  readonly name?: string | undefined;
  /** true allows private and loopback addresses for every name, a list for these host names only. Default false. */
  readonly allowPrivate?: boolean | readonly string[] | undefined;
  /** Most bytes that are read of an answer; the rest is left out and said so. Default 1 MiB. */
  readonly maxBytes?: number | undefined;
  /** For the whole call with its redirects. Default 20,000. */
  readonly timeoutMs?: number | undefined;
  readonly output?: OutputLimit | undefined;
  /** The addresses of a host name. Default: the system's resolver. */
  readonly resolve?: ((hostname: string) => Promise<readonly string[]>) | undefined;
};

const KNOWN = [
  "name",
  "allowPrivate",
  "maxBytes",
  "timeoutMs",
  "output",
  "resolve",
] satisfies (keyof FetchUrlOptions)[];

const MAX_REDIRECTS = 5;

/**
 * A tool that reads a web page as text. Its result is `{"url":"…","title":"…","type":"text/html","text":"…"}` with the URL after
 * redirects, and `"cut":true` when the answer was longer than `maxBytes`. Addresses that are not public, other protocols and
 * binary data are refused with `tool/refused`, also after a redirect.
 * @throws BosunError `tool/invalid` for an option that is not known.
 */
export function fetchUrl(options: FetchUrlOptions = {}): Tool {
  const { name = "fetch_url", timeoutMs = 20_000, output } = options;
  checkOptions(`tool ${name}`, options, KNOWN);
  return tool({
    name,
    description:
      "Reads a public web page or text file and returns its text. Give the full URL with https://.",
    parameters: {
      type: "object",
      properties: {
        url: {
          type: "string",
          minLength: 1,
          maxLength: 4_096,
          description: "Such as https://example.org/page",
        },
      },
      required: ["url"],
      additionalProperties: false,
    },
    timeoutMs,
    output,
    run: async (args, { signal }) => {
      const { url: asked } = args as { url: string }; // `as`: validated by the schema above
      const { url, answer } = await follow(asked, options, signal);
      return toPage(url, answer);
    },
  });
}

/** The answer after at most MAX_REDIRECTS redirects; every hop is checked like the first. */
async function follow(
  asked: string,
  options: FetchUrlOptions,
  signal: AbortSignal,
): Promise<{ readonly url: URL; readonly answer: Answer }> {
  const { maxBytes = 1_048_576 } = options;
  let url = toUrl(asked);
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const address = await addressOf(url, options, signal);
    const answer = await httpGet(url, { address, maxBytes, signal });
    if (answer.location === undefined) return { url, answer };
    url = toUrl(answer.location, url);
  }
  throw new BosunError("tool/failed", `${asked} was redirected more than ${MAX_REDIRECTS} times`);
}

function toUrl(text: string, base?: URL): URL {
  const url = URL.parse(text, base?.href);
  const shown = JSON.stringify(text.slice(0, 200));
  if (!url) {
    throw new BosunError(
      "tool/arguments",
      `${shown} is not a URL. Give the full URL, such as https://example.org/page`,
    );
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new BosunError("tool/refused", `${shown}: only http and https are allowed`);
  }
  if (url.username !== "" || url.password !== "") {
    throw new BosunError(
      "tool/refused",
      `${url.host}: a URL with a user name or password is not allowed`,
    );
  }
  return url;
}

/** The address to connect to. All addresses of a name must be allowed: which of them is used must not be luck. */
async function addressOf(url: URL, options: FetchUrlOptions, signal: AbortSignal): Promise<string> {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const addresses = isIP(host) ? [host] : await resolveName(host, options, signal);
  const { allowPrivate = false } = options;
  const isAllowed = Array.isArray(allowPrivate) ? allowPrivate.includes(host) : allowPrivate;
  if (!isAllowed && !addresses.every(isPublicAddress)) {
    throw new BosunError(
      "tool/refused",
      `${url.host} is not a public address: this tool reads the public web only`,
    );
  }
  const [address] = addresses.toSorted((a, b) => isIP(a) - isIP(b)); // IPv4 first: it works everywhere
  if (address === undefined || isIP(address) === 0) {
    throw new BosunError("tool/failed", `${host} has no address`);
  }
  return address;
}

async function resolveName(
  host: string,
  { resolve = systemResolve }: FetchUrlOptions,
  signal: AbortSignal,
): Promise<readonly string[]> {
  try {
    return await until(resolve(host), signal);
  } catch (cause) {
    signal.throwIfAborted();
    throw new BosunError(
      "tool/failed",
      `the name ${host} cannot be resolved: ${messageOf(cause)}`,
      { cause },
    );
  }
}

async function systemResolve(hostname: string): Promise<readonly string[]> {
  return (await lookup(hostname, { all: true })).map(({ address }) => address);
}

type Page = { url: string; title?: string; type: string; text: string; cut?: true };

/** Types that are text although they do not say so. */
const TEXT_TYPE =
  /^(?:text\/|application\/(?:json|xml|xhtml\+xml|yaml|x-yaml|javascript|toml|[\w.+-]+\+(?:json|xml))$)/;
const HTML_TYPE = /^(?:text\/html|application\/xhtml\+xml)$/;

function toPage(url: URL, { status, type: header, body, isCut }: Answer): Page {
  if (status < 200 || status > 299) {
    throw new BosunError("tool/failed", `${url.href} answered with HTTP status ${status}`);
  }
  const [said = ""] = header.split(";");
  const type = said.trim() || sniff(body);
  if (!TEXT_TYPE.test(type) || isBinary(body)) {
    throw new BosunError("tool/refused", `${url.href} is ${type}, not a text`);
  }
  const raw = decode(body, /charset="?([\w-]+)/.exec(header)?.[1]);
  const { title, text } = HTML_TYPE.test(type) ? htmlToText(raw) : { title: undefined, text: raw };
  return {
    url: url.href,
    ...(title === undefined ? {} : { title }),
    type,
    text,
    ...(isCut ? { cut: true } : {}),
  };
}

/** For a server that does not say what it sends. */
function sniff(body: Buffer): string {
  if (isBinary(body)) return "application/octet-stream";
  return /^\s*<(?:!doctype html|html)/i.test(body.toString("latin1", 0, 512))
    ? "text/html"
    : "text/plain";
}

/** UTF-8 for a charset that nobody knows: the letters of ASCII are the same in nearly all of them. */
function decode(body: Buffer, charset: string = "utf-8"): string {
  try {
    return new TextDecoder(charset).decode(body);
  } catch {
    return new TextDecoder().decode(body);
  }
}

// Where an endpoint is: its URL, taken apart once.

/** A base URL in the parts that a request needs; made once for each endpoint. */
export type Address = {
  readonly isTls: boolean;
  readonly origin: string;
  /** With the port, as events and tables name the endpoint. */
  readonly host: string;
  readonly hostname: string;
  readonly port: string;
  readonly path: string;
};

/** @throws TypeError for a text that is no URL: toBaseUrl has checked it. */
export function addressOf(baseUrl: string): Address {
  const { protocol, origin, host, hostname, port, pathname } = new URL(baseUrl);
  const path = pathname.replace(/\/+$/, "");
  // An IPv6 address stands in brackets in a URL, and without them in a connection.
  return {
    isTls: protocol === "https:",
    origin,
    host,
    hostname: hostname.replace(/^\[(.*)\]$/, "$1"),
    port,
    path,
  };
}

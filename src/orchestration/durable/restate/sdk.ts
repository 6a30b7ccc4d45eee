// The Restate SDK, an optional peer: loaded by whoever opens this engine, and by nobody else.

import type * as Sdk from "@restatedev/restate-sdk";
import { BosunError } from "../../../error.ts";

/** What this engine uses of the SDK. */
export type RestateSdk = Pick<
  typeof Sdk,
  | "CancelledError"
  | "createEndpointHandler"
  | "handlers"
  | "object"
  | "RestatePromise"
  | "TerminalError"
  | "workflow"
>;

/** The pair of versions that the tests run with. Other pairs are not known to work: SDK and server share a protocol. */
export const TESTED_VERSIONS: { readonly sdk: string; readonly server: string } = {
  sdk: "1.17.2",
  server: "1.7.12",
};

/** @throws BosunError `config/invalid` with the command that installs it. */
export async function loadSdk(
  load: () => Promise<RestateSdk> = () => import("@restatedev/restate-sdk"),
): Promise<RestateSdk> {
  try {
    return await load();
  } catch (cause) {
    const message = `the engine "restate" needs a package that is not installed: npm install @restatedev/restate-sdk@${TESTED_VERSIONS.sdk}`;
    throw new BosunError("config/invalid", message, { cause });
  }
}

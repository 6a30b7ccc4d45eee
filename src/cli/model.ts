// placeholder
import type { Terminal } from "./terminal.ts";
export type ServeModelFlags = {
  readonly port?: number | undefined;
  readonly host?: string | undefined;
};
export async function serveModel(
  _name: string,
  _flags: ServeModelFlags,
  _terminal: Terminal,
): Promise<number> {
  return 2;
}

// The context that a server has allocated, where its list of models does not say it: Ollama's /api/ps, llama.cpp's /props.

import { isObject, parseJson } from "../../json.ts";
import type { Dialect } from "./endpoint.ts";
import { askServer, type ServerSource } from "./server-read.ts";

/**
 * Tokens of context for one call; undefined when the server does not tell: Ollama tells it of models that are loaded.
 * Never rejects but for the signal: what is not known is not known.
 */
export async function contextAtServer(
  source: ServerSource,
  of: { readonly dialect: Dialect | undefined; readonly model: string | undefined },
  signal: AbortSignal,
): Promise<number | undefined> {
  const path = of.dialect === undefined ? undefined : PAGES[of.dialect];
  if (path === undefined) return undefined;
  try {
    const { status, body } = await askServer(source, { method: "GET", path, base: "root" }, signal);
    const page = status === 200 ? parseJson(body) : undefined;
    if (!isObject(page)) return undefined;
    return of.dialect === "ollama" ? contextInPs(page, of.model) : contextInProps(page);
  } catch (error) {
    if (signal.aborted) throw error;
    return undefined; // an endpoint that hides this page may still answer calls
  }
}

const PAGES: Readonly<Partial<Record<Dialect, string>>> = {
  ollama: "/api/ps",
  "llama.cpp": "/props",
};

type Page = Readonly<Record<string, unknown>>;

/** Ollama lists the models that are loaded, each with the context that it allocated for one call. */
function contextInPs(page: Page, model: string | undefined): number | undefined {
  const loaded = Array.isArray(page["models"]) ? page["models"].filter(isObject) : [];
  const names = [model, `${model}:latest`];
  const own = loaded.find(({ name, model: id }) =>
    [name, id].some((one) => typeof one === "string" && names.includes(one)),
  );
  return toTokens(own?.["context_length"]);
}

/** llama.cpp: the context of one slot, which is what a call gets. */
function contextInProps(page: Page): number | undefined {
  const settings = page["default_generation_settings"];
  return isObject(settings) ? toTokens(settings["n_ctx"]) : undefined;
}

function toTokens(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && Number(value) > 0 ? Number(value) : undefined;
}

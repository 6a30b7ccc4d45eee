// What an operator asks a server: which models, whether it lives, how busy it is, to sleep and to wake.

import type { Context } from "hono";
import { badRequest } from "../refusal.ts";
import type { Twin } from "../twin.ts";
import type { Env, Server } from "./context.ts";

/** vLLM's version whose surface this is. "+simulated" is what PEP 440 has for a build of one's own. */
const VERSION = "0.28.0+simulated";

/** Adds the routes. */
export function addAdmin(server: Server): void {
  const { app, twin, load } = server;
  const { flags } = twin;
  addModels(server);
  app.get("/version", (c) => c.json({ version: VERSION }));
  app.get("/health", (c) => c.body(null, isAlive(twin) ? 200 : 503));
  app.on(["GET", "POST"], "/ping", (c) => c.body(null, isAlive(twin) ? 200 : 503));
  app.get("/metrics", (c) => c.text(twin.metrics(), 200, { "content-type": METRICS_TYPE }));
  app.get("/load", (c) => c.json({ server_load: flags.enableServerLoadTracking ? load.count : 0 }));
  if (flags.devMode) addSleep(app, twin);
}

/** Which models are served. */
export function addModels({ app, twin }: Pick<Server, "app" | "twin">): void {
  const created = Math.floor(twin.clock.now() / 1_000);
  app.get("/v1/models", (c) => c.json({ object: "list", data: cardsOf(twin, created) }));
}

const METRICS_TYPE = "text/plain; version=1.0.0; charset=utf-8";

const SLEEPING: ReadonlySet<string> = new Set(["weights_offloaded", "discard_all"]);

function addSleep(app: Server["app"], { replicas }: Twin): void {
  app.post("/sleep", (c) => {
    const level = levelOf(c);
    for (const replica of replicas) replica.sleep(level);
    return c.body(null, 200);
  });
  app.post("/wake_up", (c) => {
    for (const replica of replicas) replica.wakeUp();
    return c.body(null, 200);
  });
  app.get("/is_sleeping", (c) => {
    const isSleeping = replicas.some((replica) => SLEEPING.has(replica.stats().state));
    return c.json({ is_sleeping: isSleeping });
  });
}

function levelOf(c: Context<Env>): 1 | 2 {
  const level = c.req.query("level") ?? "1";
  if (level === "1" || level === "2") return level === "1" ? 1 : 2;
  throw badRequest(`level must be 1 or 2, got ${level}`, "level");
}

/** Alive also while it sleeps. */
function isAlive({ replicas }: Twin): boolean {
  return replicas.every((replica) => replica.stats().state !== "dead");
}

function cardsOf({ flags }: Twin, created: number): object[] {
  const { model, servedModelName, loraModules, maxModelLen } = flags;
  const base = { object: "model", created, owned_by: "vllm" };
  const permission = (id: string): object[] => [
    {
      id: `modelperm-${id}`,
      object: "model_permission",
      created,
      allow_create_engine: false,
      allow_sampling: true,
      allow_logprobs: true,
      allow_search_indices: false,
      allow_view: true,
      allow_fine_tuning: false,
      organization: "*",
      group: null,
      is_blocking: false,
    },
  ];
  return [
    ...servedModelName.map((id) => ({
      id,
      ...base,
      root: model,
      parent: null,
      max_model_len: maxModelLen,
      permission: permission(id),
    })),
    ...loraModules.map((id) => ({
      id,
      ...base,
      root: id,
      parent: servedModelName[0],
      max_model_len: null,
      permission: permission(id),
    })),
  ];
}

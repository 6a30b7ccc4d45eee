// What Runpod shows of an endpoint besides vLLM's surface: /v2/ID/health, and the OpenAI routes below /v2/ID/openai. Any ID is right.
//
// Not here: jobs (/run, /status, …). Source: Runpod documentation, endpoint operations, 2026-08-20.

import type { Scaling } from "../served.ts";
import { addModels } from "./admin-route.ts";
import type { Server } from "./context.ts";
import { addGenerating } from "./generate-route.ts";

/** Adds the routes, where a provider scales the twin. */
export function addRunpod(server: Server): void {
  const { app, twin } = server;
  const { scaling } = twin.replicas[0];
  if (!scaling) return;
  app.get("/v2/:endpoint/health", (c) => c.json(toRunpodHealth(scaling.health())));
  // Shares the app's router, its refusals and its load.
  const below = app.basePath("/v2/:endpoint/openai");
  addModels({ app: below, twin });
  addGenerating({ ...server, app: below });
}

/** Runpod's field names. Its documents do not say what `ready` counts: here, workers that take requests at once. */
function toRunpodHealth({ jobs, workers }: ReturnType<Scaling["health"]>): object {
  const { initializing, idle, starting, running, unhealthy } = workers;
  const { completed, failed, inProgress, inQueue, retried } = jobs;
  return {
    jobs: { completed, failed, inProgress, inQueue, retried },
    workers: {
      idle,
      initializing,
      ready: running,
      running: starting + running,
      throttled: 0,
      unhealthy,
    },
  };
}

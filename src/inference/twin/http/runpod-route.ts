// What Runpod shows of an endpoint besides vLLM's surface: /v2/ID/health, and the OpenAI routes below /v2/ID/openai. Any ID is right.
//
// Whatever is asked there is a job for a worker: also the list of models waits for one, and starts one. Not here: jobs by their own
// routes (/run, /status, …). Source: Runpod documentation, endpoint operations, 2026-08-20.

import type { Scaling } from "../served.ts";
import { SPECIAL } from "../text/tokenizer.ts";
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
  below.use("/v1/models", async (c, next) => {
    const id = `models-${c.get("requestId")}`;
    await twin.prefill(id, Int32Array.of(SPECIAL["<|im_end|>"]), c.req.raw.signal);
    await next();
  });
  addModels({ app: below, twin });
  addGenerating({ ...server, app: below });
}

/**
 * Runpod's field names. Its documents do not say what `ready` counts; in their example (JavaScript SDK, read 2026-11) it is as many as
 * `idle`, those that are initialised and scaled down.
 */
function toRunpodHealth({ jobs, workers }: ReturnType<Scaling["health"]>): object {
  const { initializing, idle, starting, running, unhealthy } = workers;
  const { completed, failed, inProgress, inQueue, retried } = jobs;
  return {
    jobs: { completed, failed, inProgress, inQueue, retried },
    workers: {
      idle,
      initializing,
      ready: idle,
      running: starting + running,
      throttled: 0,
      unhealthy,
    },
  };
}

// DBOS on PostgreSQL: a workflow whose steps are DBOS.runStep. Tracing and telemetry off, log level error, a pool of 20 connections.
//
// Recovery at launch looks for this executor's own workflows; the executor's id and the version of the code are given, so that a
// process that comes after a killed one is the same executor.

import { DBOS } from "@dbos-inc/dbos-sdk";
import pg from "pg";

export const does =
  "DBOS.runStep in a registered workflow, pool of 20, PostgreSQL with its default settings (each commit synced)";

/** @param {import("../place.ts").Place} place @param {import("../contender.ts").Work} work */
export async function create({ postgresUrl }, work) {
  DBOS.setConfig({
    name: "bench",
    systemDatabaseUrl: postgresUrl,
    systemDatabasePoolSize: 20,
    enableOTLP: false,
    logLevel: "error",
    applicationVersion: "1",
    executorID: "bench",
  });
  const bench = DBOS.registerWorkflow(
    async (runId, { order, steps }) => {
      const step = (index) => DBOS.runStep(() => work(runId, index), { name: `step:${index}` });
      if (order === "fan")
        return String(
          (await Promise.all(Array.from({ length: steps }, (_, at) => step(at)))).length,
        );
      let last = "";
      for (let index = 0; index < steps; index++) last = await step(index);
      return last.slice(0, 8);
    },
    { name: "bench" },
  );
  await DBOS.launch();
  const client = new pg.Client({ connectionString: postgresUrl });
  await client.connect();
  return {
    async run(runId, shape) {
      const handle = await DBOS.startWorkflow(bench, { workflowID: runId })(runId, shape);
      await handle.getResult();
    },
    async resume(runId) {
      await DBOS.retrieveWorkflow(runId).getResult();
    },
    async bytes() {
      await client.query("CHECKPOINT");
      const { rows } = await client.query("SELECT pg_database_size(current_database()) AS bytes");
      return Number(rows[0].bytes);
    },
    async close() {
      await client.end();
      await DBOS.shutdown();
    },
  };
}

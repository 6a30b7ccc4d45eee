// `bosun doctor`: checks the surroundings, the endpoint, the model and a crew, in this order, and says the next step of each failure.

import { type Bosun, createBosun } from "../bosun.ts";
import { type ModelRef, nameOf } from "../inference/model/endpoint.ts";
import { toEndpoint } from "../inference/model/preset.ts";
import { FLEET_FILE } from "../inference/fleet/fleet-file.ts";
import type { Deployment } from "../inference/pool/deployment.ts";
import { agent } from "../orchestration/crew/agent.ts";
import { defineCrew } from "../orchestration/crew/crew.ts";
import { task } from "../orchestration/crew/task.ts";
import { type Check, type CheckReport, type Finding, runChecks } from "./check.ts";
import { deploymentChecks, endpointChecks } from "./endpoint-check.ts";
import { EXIT } from "./failure.ts";
import { contradictionsOf } from "./fleet-report.ts";
import { modelLabel } from "./live.ts";
import { modelChecks } from "./model-check.ts";
import { checkModelName } from "./model-name.ts";
import { count, duration, several } from "./number.ts";
import type { Paint } from "./paint.ts";
import { type Terminal, writeLines } from "./terminal.ts";
import { displayWidth, oneLine, padTo } from "./width.ts";

/** Flags of `doctor`. */
export type DoctorFlags = {
  readonly model?: string | undefined;
  readonly endpoint?: string | undefined;
  readonly json?: boolean | undefined;
  readonly data?: string | undefined;
};

/** Runs the checks and prints each as it ends. @returns the exit code: 1 when one failed. */
export async function doctorCommand(flags: DoctorFlags, terminal: Terminal): Promise<number> {
  const { out, clock, signal } = terminal;
  const env = terminal.env();
  const keeping = createBosun({ data: flags.data, env, clock });
  const bosun = createBosun({ data: false, env, clock });
  try {
    const ref = resolveModel(flags, bosun, terminal);
    const deployment = typeof ref === "string" ? bosun.fleet?.deployment(ref) : undefined;
    const name = nameOfChecked(ref, deployment);
    if (!flags.json) writeLines(out, [`Checking ${oneLine(name)}`]);
    const reports: CheckReport[] = [];
    const checks = planChecks({ keeping, bosun, ref, deployment, terminal });
    const width = Math.max(...checks.map((check) => displayWidth(check.name)));
    for await (const report of runChecks(checks, { clock, signal })) {
      reports.push(report);
      if (!flags.json) writeLines(out, checkLines(report, { width, paint: out.paint }));
    }
    const ok = reports.every(({ status }) => status !== "failed");
    if (flags.json) out.write(`${JSON.stringify({ ok, model: name, checks: reports })}\n`);
    else
      writeLines(out, [
        ok
          ? "Everything that was checked works."
          : "Something does not work: see the next steps above.",
      ]);
    return ok ? EXIT.done : EXIT.failed;
  } finally {
    await Promise.all([keeping.close(), bosun.close()]);
  }
}

/** @throws BosunError `model/unknown` or `config/invalid`. */
function resolveModel(flags: DoctorFlags, bosun: Bosun, terminal: Terminal): ModelRef {
  const { model, endpoint: url } = flags;
  const env = terminal.env();
  if (url !== undefined)
    return model === undefined ? toEndpoint(url, env) : { ...toEndpoint(url, env), model };
  if (model === undefined || model === "extractive") return model ?? bosun.defaultModel;
  if (bosun.fleet?.deployment(model)) return model;
  checkModelName(model, env, Object.keys(bosun.fleet?.fleet().models ?? {}));
  return toEndpoint(model, env);
}

function nameOfChecked(ref: ModelRef, deployment: Deployment | undefined): string {
  if (deployment) return `${deployment.name} (${several(deployment.endpoints.length, "endpoint")})`;
  return typeof ref === "string" ? modelLabel(`${ref} at embedded`) : nameOf(ref);
}

type Plan = {
  /** Keeps its runs: its data folder is what is checked. */
  readonly keeping: Bosun;
  readonly bosun: Bosun;
  readonly ref: ModelRef;
  /** Of a model of the fleet. */
  readonly deployment: Deployment | undefined;
  readonly terminal: Terminal;
};

function planChecks({ keeping, bosun, ref, deployment, terminal }: Plan): readonly Check[] {
  const { clock } = terminal;
  const hasFleet = bosun.fleet !== undefined || typeof ref === "string"; // who has an endpoint needs no hint
  return [
    { name: "Node", find: async () => findNode() },
    { name: "data folder", find: () => findStore(keeping) },
    ...(hasFleet ? [{ name: "fleet", find: () => findFleet(bosun, deployment, terminal) }] : []),
    ...(deployment
      ? deploymentChecks(deployment, { model: bosun.pool, terminal })
      : endpointChecks({ model: bosun.pool, ref, terminal })),
    ...modelChecks({ model: bosun.pool, ref, clock }),
    {
      name: "a crew of one agent",
      needs: ["one tiny call"],
      find: (signal) => findCrew(bosun, ref, signal),
    },
  ];
}

/** Of package.json, engines. */
const LEAST_NODE = [24, 12] as const;

function findNode(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const isOld = major < LEAST_NODE[0] || (major === LEAST_NODE[0] && minor < LEAST_NODE[1]);
  const detail = process.versions.node;
  return isOld
    ? { status: "failed", detail, next: `install Node ${LEAST_NODE.join(".")} or newer` }
    : { status: "ok", detail };
}

async function findStore(bosun: Bosun): Promise<Finding> {
  const store = await bosun.store();
  return store
    ? { status: "ok", detail: store.path }
    : { status: "skipped", detail: "runs are not kept" };
}

async function findFleet(
  { fleet }: Bosun,
  deployment: Deployment | undefined,
  terminal: Terminal,
): Promise<Finding> {
  if (!fleet)
    return { status: "skipped", detail: `no fleet file: ${FLEET_FILE} would name your endpoints` };
  const found = deployment ? await contradictionsOf(deployment, terminal) : [];
  const [problem] = [...(fleet.problem() ? [fleet.problem()?.message ?? ""] : []), ...found];
  if (problem !== undefined) return { status: "failed", detail: problem };
  const models = several(Object.keys(fleet.fleet().models).length, "model");
  return { status: "ok", detail: `${fleet.path ?? "given by a program"}: ${models}` };
}

async function findCrew(bosun: Bosun, model: ModelRef, signal: AbortSignal): Promise<Finding> {
  const sailor = agent({ role: "Deckhand", goal: "Answer what is asked", maxTokens: 128 });
  const report = task({
    name: "report",
    description: "The ship is in the harbour. Say where the ship is.",
    expectedOutput: "One short sentence",
    agent: sailor,
  });
  const crew = defineCrew({ name: "doctor", tasks: [report] });
  const run = await bosun.start(crew, { inputs: {}, signal, model });
  const { status, usage, error, startedAt = 0, endedAt = 0 } = await run.ended;
  if (status !== "done")
    return { status: "failed", detail: `the run ${status}: [${error?.code}] ${error?.message}` };
  const mark = usage.source === "estimated" ? "~" : "";
  return {
    status: "ok",
    detail: `done in ${duration(endedAt - startedAt)}, ${mark}${count(usage.input.total + usage.output.total)} tokens`,
  };
}

const MARKS = { ok: ["✓", "green"], failed: ["✗", "red"], skipped: ["–", "dim"] } as const;

function checkLines(
  { name, status, detail, next, ms }: CheckReport,
  { width, paint }: { readonly width: number; readonly paint: Paint },
): readonly string[] {
  const [mark, style] = MARKS[status];
  const time = status === "skipped" ? "" : duration(ms);
  const line = `${paint(style, mark)} ${padTo(name, width)}${time.padStart(9)}  ${oneLine(detail)}`;
  return next === undefined ? [line] : [line, `    next: ${oneLine(next)}`];
}

import { describe, expect, it } from "vitest";
import { flowHtml } from "../../src/cli/flow-html.ts";
import { defineFlow } from "../../src/orchestration/flow/flow.ts";
import { listen, start } from "../../src/orchestration/flow/step.ts";
import { EMPTY_RUN } from "../../src/orchestration/run/state.ts";
import { FAILED_RUN, LOOP, longFlow, NESTED, ODD, oddFlow, wideFlow } from "./flow-scene.ts";

/** Tags and attributes that a page is made of. */
function partsOf(page: string): readonly string[] {
  const tags = [...page.matchAll(/<(\/?[!\w]+)((?:\s+[\w:-]+(?:="[^"]*")?)*)\s*\/?>/g)];
  const names = tags.flatMap(([, tag = "", attributes = ""]) => [
    tag.replace("/", ""),
    ...[...attributes.matchAll(/([\w:-]+)="[^"]*"/g)].map(([, name]) => `@${name}`),
  ]);
  return [...new Set(names)].toSorted();
}

/** The group of one step's box. */
function boxOf(page: string, step: string): string {
  const groups = page.match(/<g class="\w+"><title>[\s\S]*?<\/g>/g) ?? [];
  return groups.find((group) => new RegExp(`<title>\\w+ ${step}\\b`).test(group)) ?? "";
}

function rowOf(page: string, step: string): readonly string[] {
  const row = page.match(new RegExp(`<tr><td class="mono">${step}</td>.*?</tr>`))?.[0] ?? "";
  return [...row.matchAll(/<td[^>]*>(.*?)<\/td>/g)].map(([, cell = ""]) => cell);
}

describe("the page of a flow", () => {
  it("needs nothing besides itself, and forbids itself everything but its style", () => {
    const page = flowHtml(LOOP, FAILED_RUN);

    expect(page).toContain(
      `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    );
    expect(page).not.toMatch(/https?:|<script|<link|<img|@import|\b(?:src|href|on\w+)=/);
    expect(page.match(/url\(.*?\)/g)?.every((url) => /^url\(#[\w-]+\)$/.test(url))).toBe(true);
  });

  it("shows steps, labels, crews and tasks, and the Mermaid text", () => {
    const page = flowHtml(LOOP);

    expect(page).toContain("<p>Writes reports.</p>");
    expect(boxOf(page, "draft")).toContain(">crew report</text>");
    expect(boxOf(page, "draft")).toContain(">· research</text>");
    expect(boxOf(page, "judge")).toContain("<polygon");
    expect(page).toContain(">hopeless</text>");
    expect(page).toContain("s2 -.-&#62;|&#34;again&#34;| j0");
    expect(page).toContain('<path class="line back"');
    expect(page).not.toContain("<table>");
  });

  it("shows light and dark", () => {
    expect(flowHtml(LOOP)).toContain("prefers-color-scheme: dark");
  });

  it("cannot be broken by odd names and texts", () => {
    const flow = oddFlow();
    const fault = { code: "run/failed", message: ODD, retryable: false } as const;
    const step = { ...FAILED_RUN.steps["print"], name: ODD, error: fault, emitted: { [ODD]: 2 } };
    const steps = { [ODD]: { ...FAILED_RUN.steps["print"], ...step } };
    const state = {
      ...FAILED_RUN,
      runId: ODD,
      error: fault,
      ...JSON.parse(JSON.stringify({ steps })),
    };

    const page = flowHtml(flow, state);

    const known = new Set([FAILED_RUN, EMPTY_RUN].flatMap((run) => partsOf(flowHtml(LOOP, run))));
    expect(partsOf(page).filter((part) => !known.has(part))).toEqual([]);
    expect(page.replaceAll(/<[^<>]*>/g, "")).not.toMatch(/[<>]/);
    expect(page).not.toContain("<i>");
    expect(page).not.toContain('"b"');
    expect(page).toContain("&#60;i&#62;c&#60;/i&#62;");
  });

  it("leaves out control characters", () => {
    const flow = { ...LOOP, options: { description: "a\u0000b\u001b[31mc\u202ed\ud800" } };

    expect(flowHtml(flow)).toContain("<p>abcd\ufffd</p>");
  });

  it("shows joins in joins", () => {
    const joins = flowHtml(NESTED).match(/<circle class="join" cx="[\d.]+" cy="[\d.]+" r="18"\/>/g);

    expect(joins).toHaveLength(4);
  });

  it("shows a step that listens to itself", () => {
    const flow = defineFlow(
      "self",
      {},
      { a: start(() => 1), b: listen("b", () => 2, { maxCalls: 3 }) },
    );

    expect(flowHtml(flow)).toMatch(/<path class="line back" [^>]*d="M[\d. ]+C[\d. -]+"/);
  });

  it("says how many tasks and crews it leaves out", () => {
    const [report] = LOOP.steps["draft"]?.options.crews ?? [];
    if (report === undefined) throw new Error("the scene has no crew");
    const tasks = Array.from({ length: 30 }, () => report.tasks).flat();
    const crews = Array.from({ length: 6 }, () => ({ ...report, tasks }));
    const flow = defineFlow("many", {}, { a: start(() => 1, { crews }) });

    expect(flowHtml(flow)).toContain("and 52 more</text>");
    expect(flowHtml(flow)).toContain(">and 2 more crews</text>");
  });

  it("takes flows of the most steps, long or wide", () => {
    expect(flowHtml(longFlow())).toContain(">s999</text>");
    expect(flowHtml(wideFlow())).toContain(">last</text>");
  });
});

describe("the page of a run of a flow", () => {
  const page = flowHtml(LOOP, FAILED_RUN);

  it("shows each step's status, calls and retries in its box", () => {
    expect(boxOf(page, "plan")).toMatch(/^<g class="done">.*>done · 1 call</s);
    expect(boxOf(page, "draft")).toContain(">done · 2 calls · 1 retry<");
    expect(boxOf(page, "print")).toMatch(/^<g class="failed">/);
    expect(boxOf(page, "send")).toMatch(/^<g class="cancelled">/);
    expect(boxOf(page, "file")).toMatch(/^<g class="skipped">.*>skipped</s);
  });

  it("shows a step that runs, and how often at once", () => {
    const judge = FAILED_RUN.steps["judge"];
    if (judge === undefined) throw new Error("the scene has no judge");
    const steps = {
      ...FAILED_RUN.steps,
      judge: { ...judge, status: "running", running: 2 } as const,
    };

    const running = flowHtml(LOOP, { ...FAILED_RUN, steps });

    expect(boxOf(running, "judge")).toMatch(/^<g class="running">.*>running 2 times · 2 calls</s);
    expect(rowOf(running, "judge")[4]).toBe("–");
  });

  it("shows why a step failed, in its box and in full below", () => {
    expect(boxOf(page, "print")).toContain(">tool/failed<");
    expect(boxOf(page, "print")).toContain("&#60;b&#62;&#34;no paper&#34;&#60;/b&#62;");
    expect(rowOf(page, "print").at(-1)).toContain("on each Friday at five");
  });

  it("shows how often labels were emitted, and marks the way that was taken", () => {
    expect(page).toContain(">again ×1</text>");
    expect(page).toContain(">good ×1</text>");
    expect(page).toContain(">hopeless</text>");
    expect(page.match(/<path class="line taken" marker/g)).toHaveLength(2);
    expect(page.match(/<path class="line back taken" marker/g)).toHaveLength(1);
  });

  it("has a table of the steps", () => {
    expect(rowOf(page, "draft")).toEqual(["draft", "done", "2", "1", "6.0 s", "", ""]);
    expect(rowOf(page, "judge")).toEqual([
      "judge",
      "done",
      "2",
      "0",
      "5.0 s",
      "again ×1, good ×1",
      "",
    ]);
    expect(rowOf(page, "file").slice(0, 5)).toEqual(["file", "skipped", "0", "0", "–"]);
    expect(page).toContain("Run r1: failed, 16.0 s");
  });

  it("shows steps that only the flow has, and steps that only the run has", () => {
    const { plan, ...others } = FAILED_RUN.steps;
    const steps = { ...others, ...(plan && { older: { ...plan, name: "older" } }) };

    const changed = flowHtml(LOOP, { ...FAILED_RUN, steps });

    expect(rowOf(changed, "plan")).toEqual(["plan", "not in this run"]);
    expect(rowOf(changed, "older")[1]).toBe("done");
  });

  it("shows a run that has not begun", () => {
    expect(rowOf(flowHtml(LOOP, EMPTY_RUN), "plan")).toEqual(["plan", "not in this run"]);
  });
});

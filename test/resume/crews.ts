// Crews that have between them everything that a run can have, for interrupting them anywhere. Models answer by the place of a call and
// by what they are shown, never by how many calls there were before.

import type { ModelRequest } from "../../src/inference/model/model.ts";
import type { Usage } from "../../src/inference/model/usage.ts";
import { BosunError } from "../../src/error.ts";
import { defineCrew } from "../../src/orchestration/crew/crew.ts";
import { type Tool, tool } from "../../src/orchestration/tool/tool.ts";
import type { ScriptedReply } from "../../src/test/scripted-model.ts";
import { call } from "../orchestration/run/input-scene.ts";
import { customerRecord } from "../orchestration/run/record.ts";
import { costing, job, promptOf, taskIn, worker } from "../orchestration/run/scenario.ts";
import { ask, calling, delegate, sendBack, whoIn } from "../orchestration/run/team-scene.ts";
import type { Scenario } from "./scenario-run.ts";

/** Turns that the conversation of a call has had. */
const turnsOf = ({ messages }: ModelRequest): number =>
  messages.filter(({ role }) => role === "assistant").length;
const nth = (request: ModelRequest, ...answers: readonly ScriptedReply[]): ScriptedReply =>
  answers[turnsOf(request)] ?? answers.at(-1) ?? "";
/** An estimate: counts of a server teach, and in tasks side by side it depends on time who learns what. */
const costs = (request: ModelRequest): Usage => ({
  ...costing(10 * (request.messages.length + 1), 7),
  source: "estimated",
});
const answering =
  (answer: (request: ModelRequest) => ScriptedReply): Scenario["script"] =>
  (request) => {
    const given = answer(request);
    if (given instanceof Error) return given;
    return { usage: costs(request), ...(typeof given === "string" ? { text: given } : given) };
  };
const shaped = {
  type: "object",
  properties: { text: { type: "string" } },
  required: ["text"],
} as const;

function look(options: Partial<Tool> = {}): Tool {
  return tool({
    name: "look",
    description: "Looks",
    parameters: { type: "object", properties: { word: { type: "string" } } },
    run: (args) => `seen ${JSON.stringify(args)}`,
    ...options,
  } as Parameters<typeof tool>[0]);
}

/** A manager that plans, delegates, asks and sends back; hooks of every kind; a schema that is mended; an output file. */
const led: Scenario = {
  crew: () => {
    const agents = [worker("A", { tools: [look()], allowDelegation: true }), worker("B")];
    const tasks = [job("first"), { ...job("last", { outputFile: "last.txt" }), output: shaped }];
    return defineCrew({
      name: "led",
      process: "hierarchical",
      tasks: tasks.map((one) => ({ ...one, agent: undefined })),
      agents,
      planning: true,
      hooks: {
        beforeKickoff: ({ inputs }) => ({ inputs: { ...inputs, more: "x" } }),
        beforeModelCall: ({ messages }) => ({
          messages: messages.map((one) => ({ ...one, content: `${one.content} ` })),
        }),
        afterModelCall: ({ text }) => (text.startsWith("say") ? { text: `${text}!` } : undefined),
        beforeToolCall: ({ tool: name }) =>
          name === "look" ? { arguments: { word: "b" } } : undefined,
        afterToolCall: ({ content }) => ({ content: `${content}.` }),
        onStep: () => {
          throw new Error("no");
        },
        onTask: () => undefined,
        afterKickoff: ({ raw }) => ({ raw: `${raw} (signed)` }),
      },
    });
  },
  inputs: { about: "sails" },
  script: answering((request) => {
    if (request.hints.purpose === "plan")
      return nth(request, "none", '{"plans":[{"task":"first","plan":"think"}]}');
    if (whoIn(request) === "A") return nth(request, calling(lookAt(), ask("B", "what?")), "say A");
    if (whoIn(request) === "B") return "say B";
    if (taskIn(request) === "last") return nth(request, "no", "nor this", '{"text":"it"}');
    return nth(
      request,
      calling(delegate("A", "dig"), ask("B", "why?"), delegate("Nobody", "x")),
      calling(sendBack("d1", "too short"), { tool: "gone", arguments: {} }),
      "say done",
    );
  }),
};

function lookAt(word = "a") {
  return { tool: "look", arguments: { word } };
}

/** Tasks side by side: people, guardrails and judges, conditions, and every way to go on after a failure. */
const wide: Scenario = {
  crew: () => {
    const a = job("a", {
      agent: worker("W", { tools: [look({ approval: true })] }),
    });
    const b = job("b", { guardrail: [short, "It is polite."], guardrailRetries: 2, context: [] });
    const tasks = [
      a,
      b,
      job("skipped", { when: () => false, context: [] }),
      job("again", {
        onError: "retry",
        retries: 1,
        guardrail: short,
        guardrailRetries: 0,
        context: [],
      }),
      job("partial", { onError: "partial", humanInput: true, context: [] }),
      job("replaced", { onError: job("instead"), context: [] }),
      job("sum", { context: [a, b], when: ({ tasks: done }) => done["a"]?.status === "done" }),
    ];
    return defineCrew({ name: "wide", tasks, process: "parallel", policy: "continue" });
  },
  onAsk: ({ name, subject }) => {
    if (subject === "answer")
      return name.includes("turn:1") ? { ok: false, reason: "longer" } : { nobody: "here" };
    return name.includes("tool:0")
      ? { ok: true, edit: { word: "edited" } }
      : { ok: false, reason: "no" };
  },
  script: answering((request) => {
    if (request.hints.purpose === "guardrail")
      return nth(
        request,
        "well",
        `{"ok":${promptOf(request).includes("good 3")},"reason":"ruder"}`,
      );
    switch (taskIn(request)) {
      case "a":
        return nth(request, calling(lookAt("x"), lookAt("y")), "seen");
      case "b":
        return nth(request, "bad", "good 2", "good 3");
      case "again":
        return request.hints.path[0] === "task:again" ? "bad" : "good";
      case "replaced":
        return request.hints.path.length > 2
          ? "instead"
          : new BosunError("model/bad-request", "no", { details: { text: "so far" } });
      default:
        return `text of ${request.hints.path.join("/")}`;
    }
  }),
};

/** Inputs and contexts that are too long, in every fit; what a server counts is learned. */
const long: Scenario = {
  contextTokens: 4_096,
  inputs: {
    record: customerRecord(6_000),
    letter: customerRecord(5_000),
    story: customerRecord(7_000),
  },
  options: { showPrompts: true },
  crew: () => {
    const tasks = [
      task("read", "What holds for {record}?"),
      task("find", "What is in {letter}?"),
      task("tell", "Tell {story}"),
      job("sum", { fit: "summary" }),
    ];
    const inputs = { letter: { fit: "retrieve" }, story: { fit: "summary" } } as const;
    return defineCrew({ name: "long", tasks, inputs, fit: "cut" });
  },
  script: (request) => {
    const usage = costing(
      request.messages.reduce((sum, { content }) => sum + content.length, 0) >> 2,
      9,
    );
    const said = (text: string) => ({ text, usage });
    if (request.hints.purpose === "summary") return said(`summary of ${request.hints.path.at(-1)}`);
    if (taskIn(request) !== "read") return said(`${taskIn(request)} `.repeat(2_000));
    const tools = [
      call("search_input", { query: "deductible" }),
      call("read_input", { from: 3, to: 9 }),
    ] as const;
    const next = tools[turnsOf(request)];
    return next === undefined ? said("450 euros. ".repeat(900)) : { ...Object(next), usage };
  },
};

/** A conversation, and tools that are bounded and remember. */
const bounded: Scenario = {
  options: { session: "talk" },
  before: defineCrew({ name: "earlier", tasks: [job("greet")] }),
  crew: () => {
    const agent = worker("W", { tools: [look({ maxUses: 3 })] });
    const made = job("x", { agent });
    return defineCrew({ name: "bounded", cache: true, tasks: [made, { ...job("y"), agent }] });
  },
  script: answering((request) =>
    taskIn(request) === "greet"
      ? "hello"
      : nth(
          request,
          calling(lookAt("a")),
          calling(lookAt("a"), lookAt("b")),
          calling(lookAt("c")),
          "end",
        ),
  ),
};

/** A budget that is used up amid a run. */
const poor: Scenario = {
  options: { limits: { tokensPerRun: 400 } },
  crew: () =>
    defineCrew({
      name: "poor",
      policy: "continue",
      tasks: ["a", "b", "c", "d"].map((name) =>
        job(name, { agent: worker(name, { maxTokens: 50 }) }),
      ),
    }),
  script: answering(() => ({ text: "some words", usage: costing(120, 40) })),
};

/** Equal calls that are answered once. */
const equal: Scenario = {
  bosun: { responseCache: true },
  crew: () => {
    const agent = worker("W");
    const tasks = ["x", "y", "z"].map((name) => ({
      ...job(name, { agent, context: [] }),
      description: "Say",
    }));
    return defineCrew({ name: "equal", tasks });
  },
  script: answering(() => "said"),
};

/** A guardrail that wants one word. */
function short({ raw }: { readonly raw: string }) {
  return raw.includes("good") ? { ok: true as const } : { ok: false as const, reason: "say good" };
}

function task(name: string, description: string) {
  return { ...job(name), description };
}

/** Tasks beside the others, told to a hook one by one; one of them runs out of time. */
const beside: Scenario = {
  isVirtual: true,
  crew: () => {
    const a = job("a", { async: true });
    const stuck = { ...look(), run: () => new Promise<never>(() => undefined) };
    const slow = job("slow", {
      async: true,
      timeoutMs: 1_000,
      agent: worker("S", { tools: [stuck] }),
    });
    const b = job("b", { async: true, when: () => true });
    const c = job("c", { context: [a, b] });
    const hooks = {
      onTask: ({ task: name }: { readonly task: string }) =>
        name === "b" ? Promise.reject(new Error("no")) : undefined,
    };
    return defineCrew({ name: "beside", policy: "continue", tasks: [a, slow, b, c], hooks });
  },
  script: (request) => {
    const usage = costs(request);
    if (taskIn(request) === "slow") return { calls: [lookAt()], usage };
    return { text: `text of ${taskIn(request)}`, usage };
  },
};

/** By what they have. */
export const CREWS: Readonly<Record<string, Scenario>> = { led, wide, long, bounded, poor, equal };

/** Their runs take a second each. */
export const SLOW_CREWS: Readonly<Record<string, Scenario>> = { beside };

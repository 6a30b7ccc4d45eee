import { describe, expect, it } from "vitest";
import { type Crew, defineCrew } from "../../../src/orchestration/crew/crew.ts";
import type { Connected, EventsOf, FlowSteps } from "../../../src/orchestration/flow/flow.ts";
import { type FlowStep, listen, router, start } from "../../../src/orchestration/flow/step.ts";
import { and, or, showTrigger, type Trigger } from "../../../src/orchestration/flow/trigger.ts";
import { job } from "../run/scenario.ts";
import { begin, defined, refusal, work } from "./definition-scene.ts";

function many(count: number): FlowSteps {
  return Object.fromEntries(Array.from({ length: count }, (_, place) => [`s${place}`, begin]));
}

/** Compiles where every step listens to what there is. */
function check<const S extends FlowSteps>(steps: S & Connected<S>): S {
  return steps;
}

const running = (crew: Crew | undefined): FlowStep<never, "begin"> =>
  listen("begin", work, { crews: crew ? [crew] : [] });

/** `or` in `or`, so many times. */
function nested(depth: number): Trigger {
  return depth === 0 ? "begin" : or(nested(depth - 1));
}

describe("a flow", () => {
  it("keeps its steps, in the order of their definition, and what it does without", () => {
    const flow = defined({ begin, next: listen("begin", work), other: listen("begin", work) });

    expect(flow).toMatchObject({ type: "flow", name: "report", timeoutMs: 3_600_000, limits: {} });
    expect(Object.keys(flow.steps)).toEqual(["begin", "next", "other"]);
    expect(flow.warnings).toEqual([]);
  });

  it("takes every option that it has", () => {
    const options = {
      state: { type: "object" },
      initial: { count: 1 },
      reducers: { count: (): number => 1 },
      onConflict: (): number => 1,
      output: (): string => "x",
      timeoutMs: 5,
      limits: { tokensPerRun: 10 },
      description: "d",
    };

    expect(defined({ begin }, options)).toMatchObject({ options, timeoutMs: 5 });
  });

  it("takes every option that a step has", () => {
    const options = {
      input: { type: "object" },
      writes: ["count"],
      maxCalls: 1,
      retries: 0,
      timeoutMs: 1,
      onError: work,
      description: "",
      crews: [],
    } as const;

    expect(() => defined({ begin: start(work, options) })).not.toThrow();
    expect(() => defined({ begin: start(work, { maxCalls: undefined }) })).not.toThrow();
  });
});

describe("the options of a flow", () => {
  it.each([
    ["state", 1],
    ["initial", "x"],
    ["reducers", { count: 1 }],
    ["reducers", null],
    ["onConflict", {}],
    ["output", "x"],
    ["timeoutMs", 0],
    ["timeoutMs", 1.5],
    ["limits", { tokens: 1 }],
    ["description", 1],
    ["states", {}],
  ])("are refused with the flow's and the option's name: %s %j", (option, value) => {
    const error = refusal({ begin }, { [option]: value });

    expect(error.code).toBe("flow/invalid");
    expect(error.message).toContain('flow "report"');
    expect(error.message).toContain(option);
  });

  it.each(["memory", "persist"])("say what is not built yet: %s", (option) => {
    const error = refusal({ begin }, { [option]: true });

    expect(error.code).toBe("crew/not-built");
    expect(error.message).toContain(`"${option}" is not built yet`);
  });

  it("must be an object", () => {
    expect(refusal({ begin }, "fast" as never).code).toBe("flow/invalid"); // `as`: wrong on purpose
  });
});

describe("names", () => {
  it.each(["", "two words", "12", "a".repeat(65), "a/b"])(
    "of flows, steps and labels are refused alike: %j",
    (name) => {
      const errors = [
        refusal({ begin }, {}, name),
        refusal({ begin, [name]: listen("begin", work) }),
        refusal({ begin, pick: router("begin", [name], () => undefined) }),
      ];

      expect(errors.map(({ code }) => code)).toEqual(Array(3).fill("flow/invalid"));
      expect(errors[0]?.message).toContain(`flow "${name}"`);
      expect(errors[1]?.message).toContain(`step "${name}"`);
      expect(errors[2]?.message).toContain(`step "pick": the label "${name}"`);
    },
  );

  it("of labels are no step's: an event is one thing", () => {
    const error = refusal({ begin, pick: router("begin", ["begin"], () => undefined) });

    expect(error.code).toBe("flow/invalid");
    expect(error.message).toContain('step "pick": its label "begin" is a step\'s name too');
  });
});

describe("the steps of a flow", () => {
  it("are 1 to 1,000", () => {
    const errors = [refusal({}), refusal(many(1_001))];

    expect(errors.map(({ code }) => code)).toEqual(["flow/invalid", "flow/invalid"]);
    expect(errors[0]?.message).toContain("it has 0 steps");
    expect(errors[1]?.message).toContain("it has 1001 steps");
    expect(() => defined(many(1_000))).not.toThrow();
  });

  it("have a start among them", () => {
    const error = refusal({ ping: listen("pong", work), pong: listen("ping", work) });

    expect(error.code).toBe("flow/invalid");
    expect(error.message).toContain("no step is a start");
  });

  it.each([[work], [null], ["begin"], [{ ...begin, run: "x" }], [{ ...begin, type: "task" }]])(
    "are what start, listen or router makes: not %j",
    (step) => {
      const error = refusal({ begin, odd: step });

      expect(error.code).toBe("flow/invalid");
      expect(error.message).toContain('step "odd": must be what start, listen or router makes');
    },
  );

  it.each([
    ["input", 1],
    ["input", null],
    ["writes", "count"],
    ["writes", [1]],
    ["maxCalls", 0],
    ["maxCalls", Infinity],
    ["retries", -1],
    ["timeoutMs", 0.5],
    ["onError", "ignore"],
    ["description", 1],
    ["crews", {}],
    ["crews", ["text"]],
    ["retry", 1],
    ["toString", 1],
  ])("are refused with a wrong option: %s %j", (option, value) => {
    const error = refusal({ begin, next: listen("begin", work, { [option]: value }) });

    expect(error.code).toBe("flow/invalid");
    expect(error.message).toContain('step "next"');
    expect(error.message).toContain(option);
  });

  it.each([
    [""],
    [1],
    [null],
    [["begin"]],
    [or()],
    [and("begin", or())],
    [{ type: "not", of: ["begin"] }],
    [{ type: "or", of: "begin" }],
    [and("begin", null as never)], // `as`: wrong on purpose
  ])("listen to a name or a tree of names: not %j", (on) => {
    const error = refusal({ begin, next: listen(on as Trigger, work) }); // `as`: wrong on purpose

    expect(error.code).toBe("flow/invalid");
    expect(error.message).toContain('step "next": what it listens to must be a name');
  });

  it("may run one crew, and not two different ones of one name", () => {
    const [text, same, other] = [["a"], ["a"], ["a", "b"]].map((tasks) =>
      defineCrew({ name: "text", tasks: tasks.map((name) => job(name)) }),
    );
    const error = refusal({ begin, one: running(text), two: running(other) });

    expect(error.code).toBe("flow/invalid");
    expect(error.message).toContain('step "two": its crew "text"');
    expect(() => defined({ begin, one: running(text), two: running(same) })).not.toThrow();
  });

  it("listen to trees that are 20 deep at most", () => {
    const error = refusal({ begin, next: listen(nested(21), work) });

    expect(error.code).toBe("flow/invalid");
    expect(error.message).toContain('step "next"');
    expect(() => defined({ begin, next: listen(nested(20), work) })).not.toThrow();
  });
});

describe("a trigger", () => {
  it("is shown as its user would write it", () => {
    expect(showTrigger(or("a", and("b", or("c"))))).toBe("or(a, and(b, or(c)))");
  });
});

describe("the compiler", () => {
  const pick = router("begin", ["again", "good"], () => "good");

  it("lets through what is connected, trees and loops included", () => {
    const steps = check({
      begin,
      pick,
      write: listen(or("begin", and("again", "write")), work, { maxCalls: 2 }),
      end: listen("good", work),
    });
    const event: EventsOf<typeof steps> = "again";

    expect(defined(steps).steps).toBe(steps);
    expect(event).toBe("again");
  });

  it("refuses a name that nobody has, alone, in a tree and of a router, as the definition does", () => {
    const wrong = [
      check({
        begin,
        // @ts-expect-error -- no step or label is called so
        next: listen("begni", work),
      }),
      check({
        begin,
        pick,
        // @ts-expect-error -- no step or label is called so
        next: listen(or("begin", and("good", "bad")), work),
      }),
      check({
        begin,
        // @ts-expect-error -- no step or label is called so
        pick: router("begni", ["good"], () => "good"),
      }),
    ];

    expect(wrong.map((steps) => refusal(steps).code)).toEqual(Array(3).fill("flow/invalid"));
  });

  it("refuses a router's own name as an event, as the definition does", () => {
    const wrong = check({
      begin,
      pick,
      // @ts-expect-error -- its labels are events
      next: listen("pick", work),
    });

    expect(refusal(wrong).code).toBe("flow/invalid");
  });

  it("refuses a router that returns a label that it has not declared", () => {
    const wrong = [
      // @ts-expect-error -- no label
      router("begin", ["again", "good"], () => "bad"),
      // @ts-expect-error -- no label
      router("begin", ["again", "good"], async () => ({ label: "bad", value: 1 })),
      // @ts-expect-error -- one of them is no label
      router("begin", ["again", "good"], () => ["again", "bad"]),
    ];

    expect(wrong).toHaveLength(3); // what it returns is looked at when it runs
  });

  it("lets a router return one label, several, one with a value, or nothing", () => {
    const routers = [
      router("begin", ["again", "good"], async () => "again"),
      router("begin", ["again", "good"], () => ["again", { label: "good", value: { n: 1 } }]),
      router("begin", ["again", "good"], () => (Math.PI > 3 ? "good" : undefined)),
      router("begin", ["again", "good"], () => {}),
    ];

    expect(routers.map(({ kind }) => kind)).toEqual(Array(4).fill("router"));
  });
});

import { describe, expect, it } from "vitest";
import { type FlowStep, listen, router, start } from "../../../src/orchestration/flow/step.ts";
import { and, or, type Trigger } from "../../../src/orchestration/flow/trigger.ts";
import { begin, defined, refusal, work } from "./definition-scene.ts";

/** A listener that says what it writes. */
function writer(on: Trigger, ...writes: string[]): FlowStep {
  return listen(on, work, { writes });
}

/** A router that listens to itself. */
function asking(maxCalls: number | undefined) {
  return { begin, pick: router(or("begin", "again"), ["again"], () => "again", { maxCalls }) };
}

describe("the events that a step listens to", () => {
  it("are ones that there are, else the nearest one is said", () => {
    const pick = router("begin", ["again", "good"], () => "good");
    const error = refusal({ begin, pick, next: listen(and("good", "agian"), work) });

    expect(error.code).toBe("flow/invalid");
    expect(error.message).toContain('step "next": it listens to "agian"');
    expect(error.message).toContain('Did you mean "again"?');
    expect(error.message).toContain("begin, again, good");
  });

  it("are a router's labels, and not the router", () => {
    const pick = router("begin", ["again", "good"], () => "good");
    const error = refusal({ begin, pick, next: listen("pick", work) });

    expect(error.code).toBe("flow/invalid");
    expect(error.message).toContain(
      'step "next": "pick" is a router: listen to one of its labels, again, good',
    );
  });
});

describe("a router", () => {
  it("has one label at least", () => {
    const error = refusal({ begin, pick: router("begin", [], () => undefined) });

    expect(error.code).toBe("flow/invalid");
    expect(error.message).toContain('step "pick": a router needs one label');
  });

  it("is warned of for each label that nobody listens to", () => {
    const flow = defined({
      begin,
      pick: router("begin", ["again", "good", "bad"], () => "good"),
      next: listen(or("begin", and("good", "begin")), work),
    });

    expect(flow.warnings).toEqual([
      expect.stringMatching(/router "pick" may emit "again", which no step listens to/),
      expect.stringMatching(/router "pick" may emit "bad"/),
    ]);
  });

  it("may share a label with another one", () => {
    const flow = defined({
      begin,
      one: router("begin", ["good"], () => "good"),
      two: router("begin", ["good"], () => "good"),
      next: listen("good", work),
    });

    expect(flow.warnings).toEqual([]);
  });
});

describe("a step that listens to itself", () => {
  it("must say how often it runs at most", () => {
    const error = refusal({ begin, poll: listen(or("begin", and("poll", "begin")), work) });

    expect(error.code).toBe("flow/invalid");
    expect(error.message).toContain('step "poll": it listens to itself. Say how often');
    expect(() =>
      defined({ begin, poll: listen(or("begin", "poll"), work, { maxCalls: 3 }) }),
    ).not.toThrow();
  });

  it("by its own label must say so too", () => {
    const error = refusal(asking(undefined));

    expect(error.code).toBe("flow/invalid");
    expect(error.message).toContain('step "pick": it listens to its own label "again"');
    expect(() => defined(asking(2))).not.toThrow();
  });

  it("by another step need not: the default bounds it", () => {
    expect(() =>
      defined({ begin, ping: listen(or("begin", "pong"), work), pong: listen("ping", work) }),
    ).not.toThrow();
  });
});

describe("steps that begin together", () => {
  it("may not write one field: starts", () => {
    const one = start(work, { writes: ["count"] });
    const error = refusal({ one, two: one });

    expect(error.code).toBe("flow/invalid");
    expect(error.message).toContain(
      'steps "one" and "two" both run at its start and both write "count"',
    );
  });

  it("may not write one field: listeners of one event", () => {
    const error = refusal({
      begin,
      one: writer("begin", "a", "count"),
      two: writer("begin", "count"),
    });

    expect(error.code).toBe("flow/invalid");
    expect(error.message).toContain(
      'steps "one" and "two" both run at begin and both write "count"',
    );
  });

  it("may when the field has a reducer", () => {
    const steps = { begin, one: writer("begin", "count"), two: writer("begin", "count") };

    expect(() => defined(steps, { reducers: { count: () => 1 } })).not.toThrow();
    expect(refusal(steps, { reducers: { other: () => 1 } }).code).toBe("flow/invalid");
  });

  it("may write each its own, and the same as one that begins at another event", () => {
    expect(() =>
      defined({
        begin,
        one: writer("begin", "a", "a"),
        two: writer("begin", "b"),
        three: writer("one", "a"),
        four: writer(and("one", "two"), "a"),
      }),
    ).not.toThrow();
  });
});

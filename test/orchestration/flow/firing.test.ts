import { describe, expect, it } from "vitest";
import { type Activation, createFirings } from "../../../src/orchestration/flow/firing.ts";
import { and, or, type Trigger } from "../../../src/orchestration/flow/trigger.ts";

/**
 * Steps by name with what they listen to. What is returned lets an event happen and gives what runs because of it. An event's value is
 * its name and how often it has happened: `a1`, `a2`.
 */
function armed(steps: Readonly<Record<string, Trigger | undefined>>) {
  const firings = createFirings(Object.entries(steps).map(([name, on]) => ({ name, on })));
  const times = new Map<string, number>();
  return (name: string, after?: Activation): readonly Activation[] => {
    const time = (times.get(name) ?? 0) + 1;
    times.set(name, time);
    return firings.happen({ name, value: `${name}${time}`, causes: after?.causes ?? new Map() });
  };
}

/** For one step that listens to this: what it gets by name at each of these events, undefined where it does not run. */
function gets(on: Trigger, ...events: readonly string[]): readonly unknown[] {
  const happen = armed({ join: on });
  return events.map((event) => happen(event)[0]?.inputs);
}

/** For one step that listens to this: the events at which it runs, by place. */
function firesAt(on: Trigger, ...events: readonly string[]): readonly number[] {
  return gets(on, ...events).flatMap((inputs, place) => (inputs === undefined ? [] : [place]));
}

/** The only activation. */
function only(activations: readonly Activation[]): Activation {
  const [one, ...others] = activations;
  if (one === undefined || others.length > 0) throw new Error("not one activation");
  return one;
}

describe("a step that listens to one event", () => {
  it("runs each time that it happens, with what it came to", () => {
    const happen = armed({ next: "a" });

    const inputs = [happen("a"), happen("a")].map((ran) => only(ran).input);

    expect(inputs).toEqual(["a1", "a2"]);
    expect(only(happen("a"))).toMatchObject({ step: "next", inputs: { a: "a3" } });
  });

  it("does not run at another event, known or not", () => {
    const happen = armed({ next: "a", b: undefined });

    expect([happen("b"), happen("nobody"), happen("toString")]).toEqual([[], [], []]);
  });
});

describe("the listeners of one event", () => {
  it("are all activated at once, in the order of the definition (F4)", () => {
    const happen = armed({ z: "a", m: or("b", "a"), other: "b", a: undefined, k: and("a") });

    expect(happen("a").map(({ step }) => step)).toEqual(["z", "m", "k"]);
  });

  it("do not keep each other from firing: each remembers by itself (F4)", () => {
    const happen = armed({ first: and("a", "b"), second: and("b", "a"), third: or("a", "b") });

    const ran = ["a", "b", "b", "a"].map((name) => happen(name).map(({ step }) => step));

    expect(ran).toEqual([["third"], ["first", "second"], ["third"], ["first", "second"]]);
  });

  it("are activated once each, however often their tree has the name", () => {
    const happen = armed({ join: or("a", "a", and("a", or("a", "b"))) });

    expect(happen("a")).toHaveLength(1);
  });
});

describe("an and", () => {
  it("fires when each of its branches has happened, in whatever order (F1)", () => {
    expect(firesAt(and("a", "b", "c"), "c", "a", "b")).toEqual([2]);
    expect(firesAt(and("a", "b", "c"), "a", "a", "b", "a")).toEqual([]);
  });

  it("gets the last result of each branch (F1)", () => {
    expect(gets(and("a", "b"), "a", "a", "b").at(-1)).toEqual({ a: "a2", b: "b1" });
  });

  it("gets as its input what the event that fired it came to", () => {
    const happen = armed({ join: and("a", "b") });
    happen("b");

    expect(only(happen("a")).input).toBe("a1");
  });

  it("is armed again: it needs each branch anew, and keeps no result (F1)", () => {
    const got = gets(and("a", "b"), "a", "b", "b", "b", "a");

    expect(got).toEqual([
      undefined,
      { a: "a1", b: "b1" },
      undefined,
      undefined,
      { a: "a2", b: "b3" },
    ]);
  });

  it("of one name fires each time, also where the name stands twice", () => {
    expect(firesAt(and("a"), "a", "a")).toEqual([0, 1]);
    expect(firesAt(and("a", "a"), "a", "a")).toEqual([0, 1]);
  });
});

describe("an or", () => {
  it("fires on the first of its branches, with that one's result alone (F2)", () => {
    expect(gets(or("a", "b"), "b")).toEqual([{ b: "b1" }]);
  });

  it("counts the second one of two sibling branches in silence (F2)", () => {
    expect(firesAt(or("a", "b"), "a", "b")).toEqual([0]);
    expect(firesAt(or("a", "b"), "b", "a")).toEqual([0]);
  });

  it("counts each other branch once (F2)", () => {
    expect(firesAt(or("a", "b", "c"), "b", "c", "a")).toEqual([0]);
  });

  it("fires anew when the branch that fired it happens again (F3)", () => {
    expect(gets(or("a", "b"), "a", "a")).toEqual([{ a: "a1" }, { a: "a2" }]);
  });

  it("fires anew when a branch happens again that it has counted (F3)", () => {
    expect(gets(or("a", "b"), "a", "b", "b")).toEqual([{ a: "a1" }, undefined, { b: "b2" }]);
  });

  it("forgets whom it has counted when it fires anew (F3)", () => {
    expect(firesAt(or("a", "b"), "a", "b", "b", "a", "b")).toEqual([0, 2, 4]);
  });
});

describe("an or that its own step leads back to", () => {
  const steps = { research: undefined, write: or("research", "again"), check: "write" };

  it("fires again each time that the router says again (F3)", () => {
    const happen = armed(steps);
    let write = only(happen("research"));

    const inputs = [1, 2, 3].map(() => {
      const check = only(happen("write", write));
      write = only(happen("again", check));
      return write.input;
    });

    expect(inputs).toEqual(["again1", "again2", "again3"]);
  });

  it("counts the same branch in silence when another step has led to it (F2)", () => {
    const happen = armed(steps);
    happen("research");

    expect(happen("again")).toEqual([]);
  });

  it("knows the loop through an and, whichever of its branches it came by", () => {
    const happen = armed({ work: or("begin", "again"), join: and("work", "clock") });
    const work = only(happen("begin"));
    happen("work", work);
    const join = only(happen("clock"));

    expect(happen("again", join).map(({ input }) => input)).toEqual(["again1"]);
  });

  it("knows the loop through the or of another step", () => {
    const happen = armed({ work: or("begin", "again"), other: or("x", "work") });
    const work = only(happen("begin"));
    const other = only(happen("work", work));

    expect([...other.causes.keys()]).toEqual(["work", "other"]);
    expect(happen("again", other)).toHaveLength(1);
  });

  it("knows the loop when the or is inside an and (F3)", () => {
    const happen = armed({ work: and(or("begin", "again"), "go") });
    happen("begin");
    const work = only(happen("go"));
    happen("again", work);

    expect(only(happen("go")).inputs).toEqual({ again: "again1", go: "go2" });
  });
});

describe("branches that split and meet again in a loop", () => {
  const steps = {
    work: or("begin", "again"),
    left: "work",
    right: "work",
    join: or("left", "right"),
    check: "join",
  };

  it("go on as one in every round, whichever is first (F2, F3)", () => {
    const happen = armed(steps);
    let rounds = [only(happen("begin"))];

    const joins = ["lr", "lr", "rl", "rl", "lr"].map((order) => {
      const branches = happen("work", rounds[0]);
      const joined = (order === "lr" ? [0, 1] : [1, 0]).flatMap((place) =>
        happen(branches[place]?.step ?? "", branches[place]),
      );
      rounds = joined
        .flatMap((join) => happen("join", join))
        .flatMap((check) => happen("again", check));
      return [joined.length, rounds.length];
    });

    expect(joins).toEqual(Array.from({ length: 5 }, () => [1, 1]));
  });

  it("let each run of a step lead back, also when it has begun again meanwhile (F3)", () => {
    const happen = armed({ write: or("research", "again") });
    const [one, two] = [only(happen("research")), only(happen("research"))];

    expect([happen("again", one), happen("again", two)].map((ran) => ran.length)).toEqual([1, 1]);
  });

  it("count in silence a second label of the same run (F2)", () => {
    const happen = armed({ write: or("research", "again", "redo") });
    const write = only(happen("research"));

    expect([happen("again", write), happen("redo", write)].map((ran) => ran.length)).toEqual([
      1, 0,
    ]);
  });
});

describe("the causes of an activation", () => {
  it("are those of its event, and the step itself when it has an or", () => {
    const happen = armed({ work: or("begin"), next: "work" });
    const work = only(happen("begin"));

    expect([...work.causes.keys()]).toEqual(["work"]);
    expect([...only(happen("work", work)).causes.keys()]).toEqual(["work"]);
  });

  it("of an and are those of each branch's last event, and no earlier one's", () => {
    const happen = armed({ one: or("x"), two: or("y"), join: and("a", "b") });
    const [one, two] = [only(happen("x")), only(happen("y"))];
    happen("a", one);
    happen("a");

    expect([...only(happen("b", two)).causes.keys()]).toEqual(["two"]);
    happen("a", one);
    expect([...only(happen("b", two)).causes.keys()]).toEqual(["one", "two"]);
  });
});

describe("an or inside an and", () => {
  it("is one branch of it: one of its names is enough", () => {
    expect(gets(and(or("a", "b"), "c"), "b", "c").at(-1)).toEqual({ b: "b1", c: "c1" });
  });

  it("counts its sibling in silence also after the and has fired (F2)", () => {
    expect(firesAt(and(or("a", "b"), "c"), "a", "c", "b", "c")).toEqual([1]);
    expect(firesAt(and(or("a", "b"), "c"), "a", "c", "b", "c", "b")).toEqual([1, 4]);
  });

  it("gives the and its last firing, not its first one (F1)", () => {
    expect(gets(and(or("a", "b"), "c"), "a", "b", "b", "c").at(-1)).toEqual({ b: "b2", c: "c1" });
  });
});

describe("an and inside an or", () => {
  it("is one branch of it: it counts when it is complete", () => {
    expect(gets(or(and("a", "b"), "c"), "a", "b").at(-1)).toEqual({ a: "a1", b: "b1" });
  });

  it("is counted in silence when another branch was first, and fires when it is complete again", () => {
    expect(firesAt(or("c", and("a", "b")), "c", "a", "b", "a", "b")).toEqual([0, 4]);
  });

  it("keeps what has happened of it when the or fires by another branch (F1)", () => {
    expect(firesAt(or(and("a", "b"), "c"), "a", "c", "c", "b", "a", "b")).toEqual([1, 2, 5]);
  });
});

describe("one name in several branches", () => {
  it("counts in each of them", () => {
    expect(firesAt(or("a", and("a", "b")), "a", "b", "a", "b")).toEqual([0, 2]);
    expect(firesAt(and("a", or("a", "b")), "a", "b", "a")).toEqual([0, 2]);
  });

  it("lets an or fire once, with the first branch in the order of the definition", () => {
    expect(gets(or(and("a", "b"), "b"), "a", "b").at(-1)).toEqual({ a: "a1", b: "b1" });
    expect(gets(or("b", and("a", "b")), "a", "b").at(-1)).toEqual({ b: "b1" });
  });

  it("lets an or that has counted one of them fire with that one (F3)", () => {
    const got = gets(or(and("a", "b"), "b"), "b", "a", "b");

    expect(got).toEqual([{ b: "b1" }, undefined, { b: "b2" }]);
  });
});

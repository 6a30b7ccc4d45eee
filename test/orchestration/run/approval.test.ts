import { describe, expect, it } from "vitest";
import { z } from "zod";
import { crew } from "../../../src/crew.ts";
import type { Hooks } from "../../../src/orchestration/crew/hook.ts";
import type { Approval, Decision, Question } from "../../../src/orchestration/tool/approval.ts";
import { tool } from "../../../src/orchestration/tool/tool.ts";
import type { Script } from "../../../src/test/scripted-model.ts";
import { startedRun } from "./ask-scene.ts";
import { eventsOf, job, only, scene, settle, thrownBy, worker } from "./scenario.ts";
import { byWho, calling, delegate, led, resultsIn } from "./team-scene.ts";

type Args = { readonly amount: number };

/** A tool that pays, and what it paid. */
const payer = (approval: Approval<Args> | false | undefined, more = {}) => {
  const paid: number[] = [];
  const pay = tool({
    name: "pay",
    description: "Pays",
    parameters: z.object({ amount: z.number() }),
    run: ({ amount }) => {
      paid.push(amount);
      return `paid ${amount}`;
    },
    approval,
    ...more,
  });
  return { pay, paid };
};
const payment = (amount: unknown) => calling({ tool: "pay", arguments: { amount } as never });

const paying = (script: Script, tools: readonly ReturnType<typeof tool>[], hooks: Hooks = {}) => {
  const { bosun, model, clock } = scene(script);
  const made = crew({ name: "c", tasks: [job("a", { tools })], hooks, bosun });
  return { bosun, model, clock, made };
};

describe("a tool with approval", () => {
  it("waits for a person, who sees the arguments, and runs when they approve", async () => {
    const { pay, paid } = payer(true);
    const asked: Question[] = [];
    const { made, model } = paying([payment(5), "done"], [pay]);

    await made.kickoff({
      runId: "r",
      onAsk: (question) => {
        asked.push(question);
        expect(paid).toEqual([]);
        return { ok: true };
      },
    });

    expect(asked).toMatchObject([
      {
        runId: "r",
        name: "task:a/turn:1/tool:0/permit:1/ask",
        task: "a",
        subject: "tool",
        tool: "pay",
        arguments: { amount: 5 },
      },
    ]);
    expect(paid).toEqual([5]);
    expect(resultsIn(model.requests[1])).toEqual(["paid 5"]);
  });

  it.each<[string, unknown]>([
    ["an object", { amount: 3 }],
    ["a JSON text", '{"amount": 3}'],
  ])("runs with what the person writes instead, as %s", async (_, edit) => {
    const { pay, paid } = payer(true);
    const { made } = paying([payment(5), "done"], [pay]);

    const { events } = await eventsOf(
      made.stream({ onAsk: () => ({ ok: true, edit }) as Decision }),
    );

    expect(paid).toEqual([3]);
    expect(only(events, "ask-end")).toMatchObject([{ answer: "edited", by: "person" }]);
  });

  it("has an edit checked as the model's arguments are, and asks again what does not fit", async () => {
    const { pay, paid } = payer(true);
    const { made } = paying([payment(5), "done"], [pay]);
    const issues: (readonly string[] | undefined)[] = [];
    const edits = [{ amount: "lots" }, { amount: 7 }];

    await made.kickoff({
      onAsk: (question) => {
        issues.push(question.issues);
        return { ok: true, edit: edits.shift() ?? {} };
      },
    });

    expect(issues).toEqual([undefined, [expect.stringContaining("amount")]]);
    expect(paid).toEqual([7]);
  });

  it("tells what was run instead: in its events, to the hook after it, and to the model", async () => {
    const { pay } = payer(true);
    const seen: string[] = [];
    const { made, model } = paying([payment(5), "done"], [pay], {
      afterToolCall: ({ arguments: args }) => void seen.push(args),
    });

    const { events } = await eventsOf(
      made.stream({ onAsk: () => ({ ok: true, edit: { amount: 3 } }) }),
    );

    expect(only(events, "ask-end")).toMatchObject([{ edit: { amount: 3 } }]);
    expect(only(events, "tool-start")).toMatchObject([{ arguments: '{"amount":3}' }]);
    expect(seen).toEqual(['{"amount":3}']);
    expect(resultsIn(model.requests[1])).toEqual([
      'A person changed the arguments of this call to {"amount":3}.\npaid 3',
    ]);
  });

  it("lets the hook before it block what a person wrote, too", async () => {
    const { pay, paid } = payer(true);
    const { made, model } = paying([payment(5), "done"], [pay], {
      beforeToolCall: ({ arguments: args }) =>
        args.includes("666") ? { block: "an unlucky number" } : undefined,
    });

    await made.kickoff({ onAsk: () => ({ ok: true, edit: { amount: 666 } }) });

    expect(paid).toEqual([]);
    expect(resultsIn(model.requests[1])[0]).toContain("an unlucky number");
  });

  it("is not run when they reject: the model reads the reason and goes on", async () => {
    const { pay, paid } = payer(true);
    const { made, model } = paying([payment(5), "I did not pay"], [pay]);

    const { events, error } = await eventsOf(
      made.stream({ onAsk: () => ({ ok: false, reason: "too much" }) }),
    );

    expect(error).toBeUndefined();
    expect(paid).toEqual([]);
    expect(resultsIn(model.requests[1])[0]).toContain("refused by a person: too much");
    expect(only(events, "ask-end")).toMatchObject([{ answer: "rejected", reason: "too much" }]);
    expect(only(events, "tool-start")).toEqual([]);
    expect(only(events, "run-end")).toMatchObject([{ raw: "I did not pay" }]);
  });

  it("asks only where its condition says so", async () => {
    for (const approval of [
      ({ amount }: Args) => amount > 10,
      { when: ({ amount }: Args) => amount > 10 },
    ]) {
      const { pay, paid } = payer(approval);
      const { made } = paying([payment(5), payment(50), "done"], [pay]);

      const { events } = await eventsOf(made.stream({ onAsk: () => ({ ok: false, reason: "r" }) }));

      expect(paid).toEqual([5]);
      expect(only(events, "ask-start")).toHaveLength(1);
    }
  });

  it("asks when its condition throws: in doubt a person decides", async () => {
    const { pay, paid } = payer(() => {
      throw new Error("cannot tell");
    });
    const { made } = paying([payment(5), "done"], [pay]);

    await made.kickoff({ onAsk: () => ({ ok: false, reason: "r" }) });

    expect(paid).toEqual([]);
  });

  it("asks nobody about arguments that do not fit: the model reads what is wrong", async () => {
    const { pay } = payer(true);
    const { made, model } = paying([payment("lots"), "done"], [pay]);

    const { events } = await eventsOf(made.stream());

    expect(only(events, "ask-start")).toEqual([]);
    expect(resultsIn(model.requests[1])[0]).toMatch(/^Error: /);
  });

  it("with approval false asks nobody", async () => {
    const { pay, paid } = payer(false);

    await paying([payment(5), "done"], [pay]).made.kickoff();

    expect(paid).toEqual([5]);
  });

  it("asks about each call of a turn, and runs those that are approved meanwhile", async () => {
    const { pay, paid } = payer(true);
    const both = calling(
      { tool: "pay", arguments: { amount: 1 } },
      { tool: "pay", arguments: { amount: 2 } },
    );
    const { bosun, made } = paying([both, "done"], [pay]);
    const { run, open } = await startedRun(bosun, made);

    const names = open();
    run.answer(names[1] ?? "", { ok: true });
    await settle();
    const meanwhile = [...paid];
    run.answer(names[0] ?? "", { ok: false, reason: "r" });
    const { status } = await run.ended;

    expect(names).toHaveLength(2);
    expect(meanwhile).toEqual([2]);
    expect([status, paid]).toEqual(["done", [2]]);
  });

  it("stands after the hook: a person sees what the hook made of the arguments", async () => {
    const { pay, paid } = payer(true);
    const asked: Question[] = [];
    const hooks = { beforeToolCall: () => ({ arguments: { amount: 4 } }) };
    const { made } = paying([payment(5), "done"], [pay], hooks);

    await made.kickoff({
      onAsk: (question) => {
        asked.push(question);
        return { ok: true };
      },
    });

    expect(asked).toMatchObject([{ arguments: { amount: 4 } }]);
    expect(paid).toEqual([4]);
  });

  it("asks for a worker too, inside a delegation", async () => {
    const { pay, paid } = payer(true);
    const { made } = led(
      byWho({
        lead: [calling(delegate("Cashier", "Pay 5")), "done"],
        Cashier: [payment(5), "paid"],
      }),
      { agents: [worker("Cashier", { tools: [pay] })] },
    );
    const asked: Question[] = [];

    await made.kickoff({
      onAsk: (question) => {
        asked.push(question);
        return { ok: true };
      },
    });

    expect(asked).toMatchObject([
      {
        agent: "Cashier",
        task: "report",
        name: "task:report/turn:1/tool:0/agent:Cashier/turn:1/tool:0/permit:1/ask",
      },
    ]);
    expect(paid).toEqual([5]);
  });

  it("can give the task's answer, when it is approved", async () => {
    const { pay } = payer(true, { resultAsAnswer: true });

    const result = await paying([payment(5)], [pay]).made.kickoff({ onAsk: () => ({ ok: true }) });

    expect(result.raw).toBe("paid 5");
  });

  it.each<[string, unknown]>([
    ["a text", "yes"],
    ["an unknown option", { timeout: 3 }],
    ["no time", { timeoutMs: 0 }],
    ["an unknown default", { onTimeout: "maybe" }],
    ["a condition that is no function", { when: true }],
  ])("refuses %s", (_, approval) => {
    expect(thrownBy(() => payer(approval as true)).code).toBe("tool/invalid");
  });
});

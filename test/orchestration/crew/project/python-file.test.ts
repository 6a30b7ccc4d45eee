import { describe, expect, it } from "vitest";
import { readPython } from "../../../../src/orchestration/crew/project/python-file.ts";
import { schemaOf } from "../../../../src/orchestration/crew/project/python-model.ts";
import { createScope } from "../../../../src/orchestration/crew/project/python-scope.ts";
import { plain } from "./project-folder.ts";

const read = (text: string) => readPython({ file: "crew.py", text });
const schema = (name: string, text: string) => schemaOf(name, createScope(read(text)));

describe("readPython", () => {
  it("finds decorated methods in order, with what they return", () => {
    const { methods } = read(`
@CrewBase
class A:
    @task
    def second(self) -> Task:
        """return Task(no=1)"""
        # return Task(no=2)
        return Task(
            config=self.tasks_config['second'],  # why
            context=[self.first(), self.other()],
            retries=1_000, ratio=0.5, on=True, off=None,
        )

    def helper(self):
        return Agent()

    @agent
    @decorated.twice("x")
    async def first(self):
        made = Agent(role="""Long
role""", goal='a' "b")
        return made
`);

    expect(methods.map(({ name, decorators }) => [name, decorators])).toEqual([
      ["second", ["task"]],
      ["first", ["agent", "twice"]],
    ]);
    const [second, first] = methods.map(({ result }) =>
      result?.type === "python" ? result.call : undefined,
    );
    expect(
      Object.fromEntries((second?.keywords ?? []).map(({ key, value }) => [key, plain(value)])),
    ).toEqual({
      config: { python: "self.tasks_config['second']" },
      context: [{ python: "self.first()" }, { python: "self.other()" }],
      retries: 1000,
      ratio: 0.5,
      on: true,
      off: null,
    });
    expect(first?.keywords.map(({ value }) => plain(value))).toEqual(["Long\nrole", "ab"]);
  });

  it("tells literals from expressions", () => {
    const { names } = read(
      'a = {"k": [1, "x"], "l": {}}\nb = "x" + y\nc = f"{x}"\nd = f"plain"\ne = r"\\d"\ng = ("in " "brackets")\nh = [x for x in y]\ni = -1\n',
    );

    expect(Object.fromEntries([...names].map(([key, value]) => [key, plain(value)]))).toEqual({
      a: { k: [1, "x"], l: {} },
      b: { python: '"x" + y' },
      c: { python: 'f"{x}"' },
      d: "plain",
      e: "\\d",
      g: "in brackets",
      h: [{ python: "x for x in y" }],
      i: { python: "-1" },
    });
  });

  it("finds the inputs of a run wherever they stand", () => {
    const { inputs } = read("def run():\n    inputs = {\n        'a': 'b', 'c': str(d),\n    }\n");

    expect(inputs.map(({ key, value }) => [key, plain(value)])).toEqual([
      ["a", "b"],
      ["c", { python: "str(d)" }],
    ]);
  });

  it.each([
    ["no Python at all", "{{{ ]] ''' \u0000 def @"],
    ["a text that never ends", '@agent\ndef a(self):\n  return Agent(role="x'],
    ["a call that never ends", "@agent\ndef a(self):\n  return Agent(role='x',"],
    ["brackets without end", `a = ${"(".repeat(50_000)}`],
    ["lists without end", `a = ${"[".repeat(50_000)}`],
    ["nothing", ""],
  ])("reads %s without an error", (_what, text) => {
    expect(read(text).file).toBe("crew.py");
  });
});

describe("schemaOf", () => {
  it("turns plain Pydantic models into JSON Schema", () => {
    const found = schema(
      "Page",
      `
class Part(BaseModel):
    """A part"""
    text: str
    score: Optional[float] = Field(None, description="0 to 1")
    rank: int = Field(default=-1, ge=-1)

class Page(BaseModel):
    model_config = ConfigDict(extra="forbid")
    title: str = Field(..., description="One line")
    parts: List["Part"] = Field(default_factory=list)
    kind: Literal["a", "b"] = "a"
    note: str | None = None
    facts: dict[str, int]

    def words(self) -> int:
        return 3
`,
    );

    expect(found).toEqual({
      type: "schema",
      schema: {
        type: "object",
        properties: {
          title: { type: "string", description: "One line" },
          parts: {
            type: "array",
            items: {
              type: "object",
              properties: {
                text: { type: "string" },
                score: {
                  anyOf: [{ type: "number" }, { type: "null" }],
                  description: "0 to 1",
                  default: null,
                },
                rank: { type: "integer", default: -1 },
              },
              required: ["text"],
              additionalProperties: false,
            },
            default: [],
          },
          kind: { enum: ["a", "b"], default: "a" },
          note: { anyOf: [{ type: "string" }, { type: "null" }], default: null },
          facts: { type: "object" },
        },
        required: ["title", "facts"],
        additionalProperties: false,
      },
    });
  });

  it.each([
    ["a model of another file", "Page", "from x import Page", "not in the crew's file"],
    [
      "a class that is no model",
      "Page",
      "class Page(Base):\n  a: str\n",
      "not a plain Pydantic model",
    ],
    ["a model that holds itself", "A", "class A(BaseModel):\n  a: List[A]\n", "nested too deep"],
    [
      "a type that is not plain",
      "A",
      "class A(BaseModel):\n  a: conlist(str)\n",
      "conlist is Python",
    ],
    ["a model without fields", "A", "class A(BaseModel):\n  pass\n", "no fields"],
  ])("says why %s has none", (_what, name, text, reason) => {
    expect(schema(name, text)).toMatchObject({
      type: "none",
      reason: expect.stringContaining(reason),
    });
  });
});

import { describe, expect, it } from "vitest";
import { flowMermaid } from "../../src/cli/flow-mermaid.ts";
import { FAILED_RUN, LOOP, longFlow, NESTED, oddFlow } from "./flow-scene.ts";

/** Every line that Mermaid may be given: ids of ours, and quoted texts of letters, digits, spaces, `_`, `-` and escapes. */
const TEXT = String.raw`"(?:[\p{L}\p{N}\p{M} ]|(?<=[\p{L}\p{N}])[_-](?=[\p{L}\p{N}])|#\d+;|: (?=\d)|<br\/>)+"`;
const NODE = String.raw`[sje]\d+(?:\(\[${TEXT}\]\)|\[${TEXT}\]|\{${TEXT}\}|\(\(${TEXT}\)\))`;
const LINK = String.raw`[sje]\d+ (?:-->|-\.->)(?:\|${TEXT}\|)? [sje]\d+`;
const LINE = new RegExp(`^(?:flowchart TD|  ${NODE}|  ${LINK}|)$`, "u");

describe("a flow as Mermaid", () => {
  it("shows starts as stadiums, routers as diamonds, joins as circles and loops dotted", () => {
    expect(flowMermaid(LOOP)).toBe(`flowchart TD
  s0(["plan"])
  j0(("or"))
  s1["draft<br/>crew report: 2"]
  s2{"judge"}
  s3["print"]
  s4["send"]
  j1(("and"))
  s5["file"]
  e8((" "))
  s0 --> j0
  s2 -.->|"again"| j0
  j0 --> s1
  s1 --> s2
  s2 -->|"good"| s3
  s2 -->|"good"| s4
  s3 --> j1
  s4 --> j1
  j1 --> s5
  s2 -->|"hopeless"| e8
`);
  });

  it("shows a join in a join", () => {
    expect(flowMermaid(NESTED)).toContain("  j1 --> j0\n");
    expect(flowMermaid(NESTED)).toContain("  j3 --> j2\n");
  });

  it("cannot be broken by odd names", () => {
    const lines = flowMermaid(oddFlow()).split("\n");

    expect(lines.filter((line) => !LINE.test(line))).toEqual([]);
    expect(lines.join("\n")).toContain("#34;b#34; #60;i#62;c#60;#47;i#62; #93;end#91;");
    expect(lines.join("\n")).toContain('|"#45;"|');
    expect(lines.join("\n")).toContain('|"1#46; one"|');
  });

  it("keeps names of words readable, and marks of Markdown as they are written", () => {
    const { steps } = LOOP;
    const [step] = Object.values(steps);
    const named = (name: string): string | undefined =>
      step && flowMermaid({ steps: { [name]: step } }).split("\n")[1];

    expect(named("write_the-report")).toBe('  s0(["write_the-report"])');
    expect(named("__bold__")).toBe('  s0(["#95;#95;bold#95;#95;"])');
    expect(named("end")).toBe('  s0(["end"])');
    expect(named("Übung 日本")).toBe('  s0(["Übung 日本"])');
    expect(named("two\nlines\u001b[31m")).toBe('  s0(["two lines"])');
    expect(named("half \ud800 😀")).toBe('  s0(["half #65533; #128512;"])');
  });

  it("shows what a run has come to: what steps did, how often labels were emitted, what went wrong", () => {
    const text = flowMermaid(LOOP, FAILED_RUN);

    expect(text).toContain(
      '  s1["draft<br/>done #183; 2 calls #183; 1 retry<br/>crew report: 2"]:::done\n',
    );
    expect(text).toContain('  s3["print<br/>failed #183; 1 call<br/>tool#47;failed"]:::failed\n');
    expect(text).toContain('  s5["file<br/>skipped"]\n');
    expect(text).toContain('  s2 -.->|"again #215;1"| j0\n');
    expect(text).toContain('  s2 ==>|"good #215;1"| s3\n');
    expect(text).toContain("  classDef failed fill:#ffebe9");
  });

  it("takes a flow of the most steps", () => {
    expect(flowMermaid(longFlow()).split("\n")).toHaveLength(2_001);
  });
});

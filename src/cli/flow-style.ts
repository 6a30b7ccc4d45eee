// The style sheet of a flow's page: light and dark. Text has at least 4.5 : 1 on its ground.

/** CSS. Statuses have words in their boxes too: nothing is told by colour alone. */
export const FLOW_STYLE = `
:root { color-scheme: light dark; --page: #ffffff; --ink: #1b1f24; --dim: #59636e; --line: #7d8590; --box: #f6f8fa; --rim: #8c959f; --frame: #ffffff;
  --running: #ddf4ff; --running-rim: #0969da; --done: #dafbe1; --done-rim: #1a7f37; --failed: #ffebe9; --failed-rim: #cf222e;
  --cancelled: #fff8c5; --cancelled-rim: #9a6700; --error: #a40e26; --back: #8250df; }
@media (prefers-color-scheme: dark) { :root { --page: #0d1117; --ink: #e6edf3; --dim: #9ba4ae; --line: #8b949e; --box: #161b22; --rim: #6e7681; --frame: #0d1117;
  --running: #0c2d6b; --running-rim: #58a6ff; --done: #0f3d1d; --done-rim: #3fb950; --failed: #4c1114; --failed-rim: #f85149;
  --cancelled: #3d2e00; --cancelled-rim: #d29922; --error: #ffa198; --back: #bc8cff; } }
body { margin: 24px; background: var(--page); color: var(--ink); font: 14px/1.5 system-ui, sans-serif; }
h1 { font-size: 20px; margin: 0; } h2 { font-size: 16px; margin: 24px 0 8px; } p { margin: 4px 0; max-width: 80ch; }
.dim { color: var(--dim); } .wrong { color: var(--error); overflow-wrap: anywhere; }
.picture { overflow-x: auto; margin: 16px 0; } .picture svg { display: block; margin: 0 auto; }
svg text, pre, td.mono { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: 12px; }
svg text { fill: var(--ink); white-space: pre; } svg text.name { font-size: 14px; font-weight: 600; }
svg text.note, svg text.task { fill: var(--dim); } svg text.crew { font-weight: 600; } svg text.error { fill: var(--error); }
.box, .join { fill: var(--box); stroke: var(--rim); stroke-width: 1.5; } .frame { fill: var(--frame); stroke: var(--rim); stroke-width: 0.75; }
.end { fill: var(--line); } .waiting .box, .skipped .box { stroke-dasharray: 5 3; }
.running .box { fill: var(--running); stroke: var(--running-rim); } .done .box { fill: var(--done); stroke: var(--done-rim); }
.failed .box { fill: var(--failed); stroke: var(--failed-rim); } .cancelled .box { fill: var(--cancelled); stroke: var(--cancelled-rim); }
.running text.note, .done text.note, .failed text.note, .cancelled text.note { fill: var(--ink); }
.line { fill: none; stroke: var(--line); stroke-width: 1.25; } .line.back { stroke: var(--back); stroke-dasharray: 5 3; }
.line.taken { stroke: var(--done-rim); stroke-width: 2; }
#arrow path { fill: var(--line); } #arrow-back path { fill: var(--back); } #arrow-taken path { fill: var(--done-rim); }
.label rect { fill: var(--page); stroke: none; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 20px; list-style: none; padding: 0; margin: 8px 0; color: var(--dim); }
.legend li { display: flex; align-items: center; gap: 6px; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; } th, td { text-align: left; vertical-align: top; padding: 4px 12px 4px 0; border-bottom: 1px solid var(--rim); }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; } td.wrong { max-width: 60ch; }
details { margin: 16px 0; } summary { cursor: pointer; } pre { background: var(--box); padding: 12px; overflow-x: auto; }
`;

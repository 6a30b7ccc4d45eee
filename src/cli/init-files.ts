// The files of a new project. Pure.

/** The files by path, for a project and a version of Bosun. */
export function projectFiles(name: string, version: string): Readonly<Record<string, string>> {
  return {
    "package.json": packageJson(name, version),
    "crew.ts": CREW,
    "tsconfig.json": TSCONFIG,
    "docs/kv-cache.md": DOCUMENT,
    ".gitignore": GITIGNORE,
    "README.md": readme(name, version),
  };
}

/** A manifest of a project that depends on this version of Bosun. */
export function packageJson(name: string, version: string): string {
  const manifest = {
    name,
    private: true,
    type: "module",
    scripts: { start: "bosun run ." },
    dependencies: { bosun: version },
    devDependencies: { "@types/node": "^24.0.0" },
    engines: { node: ">=24.12" },
  };
  return `${JSON.stringify(manifest, undefined, 2)}\n`;
}

/** What a project keeps to itself. */
export const GITIGNORE = "node_modules/\n.bosun/\n.env\n";

/** For editors and `tsc`; Node runs crew.ts without it. */
export const TSCONFIG: string = `${JSON.stringify(
  {
    compilerOptions: {
      target: "es2024",
      lib: ["es2024", "esnext.disposable"],
      module: "nodenext",
      types: ["node"],
      strict: true,
      erasableSyntaxOnly: true,
      verbatimModuleSyntax: true,
      allowImportingTsExtensions: true,
      skipLibCheck: true,
      noEmit: true,
    },
    include: ["*.ts"],
  },
  undefined,
  2,
)}
`;

const CREW = `import { agent, crew, task } from "bosun";
import { searchDocs } from "bosun/tool";

const researcher = agent({
  role: "Researcher",
  goal: "Find facts about {topic} and say where they stand",
  tools: [searchDocs({ folder: \`\${import.meta.dirname}/docs\` })],
  maxIterations: 3,
});

const writer = agent({
  role: "Writer",
  goal: "Explain {topic} in plain words",
});

const research = task({
  name: "research",
  description: "Find facts about {topic} in the documents.",
  expectedOutput: "Three facts, each with its source",
  agent: researcher,
});

const write = task({
  name: "write",
  description: "Write a short text about {topic} from the facts.",
  expectedOutput: "One paragraph with sources",
  agent: writer,
});

/** What is used when the command line gives no --input. */
export const inputs = { topic: "how large a KV cache is" };

export default crew({ name: "report", tasks: [research, write] });
`;

const DOCUMENT = `# The KV cache

A language model keeps the keys and values of every token that it has read: the KV cache.
Without it, each new token would cost a pass over the whole text.

## How large it is

The KV cache of one token takes 2 × layers × KV heads × head size × bytes per value.
For a model with 32 layers, 8 KV heads, a head size of 128 and 2 bytes per value, one token takes 131,072 bytes.
A conversation of 8,192 tokens then takes 1 GiB of GPU memory.

## What it limits

The memory that is left after the weights decides how many conversations one GPU can hold at once.
An FP8 KV cache takes half of the memory of a BF16 one.
`;

function readme(name: string, version: string): string {
  return `# ${name}

A crew of two agents: one searches the documents in docs/, one writes. It needs Node 24.12 or newer.

    npm install
    npx bosun run .
    npx bosun run . --input topic="what limits a KV cache"

Without a model server the embedded model answers: it quotes the documents and has no neural network.
With one, name it:

    npx bosun run . --model http://localhost:8000/v1

or set OPENAI_BASE_URL in .env. "npx bosun doctor" says what works and what does not.

${whereFrom(version)}`;
}

/** README.md of a project that was imported. @param missing inputs that it gives no value. */
export function importedReadme(
  name: string,
  { version, missing }: { readonly version: string; readonly missing: readonly string[] },
): string {
  const flags = missing.map((one) => ` --input ${one}=…`).join("");
  return `# ${name}

A CrewAI project's crew in crew.ts. Its comments say what is different, with the project's file, line and column.

    npm install
    npx bosun run .${flags}

Without a model server the embedded model answers: it quotes documents and has no neural network.
With one, name it:

    npx bosun run .${flags} --model http://localhost:8000/v1

## What to look after

- A tool() whose run throws stands for a tool that was Python: write there what it does.
- The project's .env is not copied. Copy it here for its keys and addresses; .gitignore keeps it out of git. Variables that
  \`inputs\` looks up must be set in the shell.

${whereFrom(version)}`;
}

function whereFrom(version: string): string {
  return `## Where bosun comes from

package.json asks a registry for bosun ${version}. If yours does not have it, make the package in a checkout of bosun with "npm pack",
and install that file here:

    npm i path/to/bosun-${version}.tgz
`;
}

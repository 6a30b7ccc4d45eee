// A process that opens a journal, starts a run of one step and prints what it came to: node first.mjs JSON.
//
// Plain JavaScript: TypeScript here would make Node load its type stripper for the peers and for a built Bosun too.

const { name, build, place } = JSON.parse(process.argv[2]);
const work = async () => "x".repeat(1_024);
const ready = name === "node" ? undefined : await open();
if (ready) await ready.run(`first-${process.pid}`, { order: "row", steps: 1 });
console.log("done");
await ready?.close();
process.exit();

async function open() {
  if (build === undefined) return (await import(`./peers/${name}.mjs`)).create(place, work);
  const root = new URL(build === "dist" ? "../../dist/" : "../../src/", import.meta.url);
  const load = (path) => import(new URL(`${path}.${build === "dist" ? "js" : "ts"}`, root).href);
  const engine =
    name === "restate"
      ? await (
          await load("orchestration/durable/restate/engine")
        ).createRestateEngine(place.restate)
      : (await load("orchestration/durable/sqlite/engine")).openSqliteEngine(place.folder, {
          durability: name === "sqlite-power" ? "power" : "process",
        });
  const flow = { name: "bench", version: "1", run: (durable) => durable.step("step:0", work) };
  return {
    run: async () => (await engine.start(flow, null, { id: `first-${process.pid}` })).result(),
    close: () => engine[Symbol.asyncDispose](),
  };
}

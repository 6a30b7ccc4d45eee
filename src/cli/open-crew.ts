// What `run` and `chat` begin with: the crew of a path, the model that the user named, the notes of a CrewAI project.

import { type Clock, until } from "../clock.ts";
import type { Env } from "../inference/model/http.ts";
import { openFleet } from "../own-fleet.ts";
import { loadCrew, type Loaded } from "./crew-file.ts";
import { checkModelName } from "./model-name.ts";
import { projectNoteLines } from "./project-note.ts";
import { type Terminal, writeLines } from "./terminal.ts";

type OpenFlags = {
  readonly model?: string | undefined;
  /** Notes of a CrewAI project too; its warnings are always printed. */
  readonly notes?: boolean | undefined;
};

/**
 * Loads the crew and prints its project's notes.
 * @throws BosunError of the file, or of a model that cannot be; the terminal's reason when the user interrupts.
 */
export async function openCrew(
  path: string,
  { model, notes = false }: OpenFlags,
  terminal: Terminal,
): Promise<Loaded> {
  // A file that never finishes loading must not make Ctrl-C useless.
  const loaded = await until(loadCrew(path, terminal), terminal.signal);
  const { err, clock } = terminal;
  if (model !== undefined) checkModelName(model, loaded.env, aliasesOf(loaded.env, clock));
  const { program } = loaded;
  if (program.type === "flow")
    writeLines(
      err,
      program.warnings.map((warning) => err.paint("yellow", `Note: ${warning}`)),
    );
  writeLines(err, projectNoteLines(loaded.notes, err.paint, { withNotes: notes }));
  return loaded;
}

/** The models of the fleet that the command runs with. */
function aliasesOf(env: Env, clock: Clock): readonly string[] {
  return Object.keys(openFleet({}, { env, clock })?.fleet().models ?? {});
}

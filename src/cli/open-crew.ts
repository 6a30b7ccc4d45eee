// What `run` and `chat` begin with: the crew of a path, the model that the user named, the notes of a CrewAI project.

import { until } from "../clock.ts";
import { loadCrew, type LoadedCrew } from "./crew-file.ts";
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
): Promise<LoadedCrew> {
  // A file that never finishes loading must not make Ctrl-C useless.
  const loaded = await until(loadCrew(path, terminal), terminal.signal);
  if (model !== undefined) checkModelName(model, loaded.env);
  const { err } = terminal;
  writeLines(err, projectNoteLines(loaded.notes, err.paint, { withNotes: notes }));
  return loaded;
}

// Server-sent events as OpenAI-compatible servers send them: one JSON text on one `data:` line.

/** Most characters of one event. A line that is longer is no model's chunk. */
const MAX_LINE = 4 * 1024 * 1024;

/**
 * Feeds text in as it comes; calls `onData` with the JSON text of each `data:` line, and of an `error:` line, as older llama.cpp
 * servers send one. Returns false when a line is over its bound.
 */
export function createSseParser(onData: (data: string) => void): (text: string) => boolean {
  let carry = "";
  return (text) => {
    const all = carry === "" ? text : carry + text;
    let start = 0;
    for (let end = all.indexOf("\n"); end >= 0; end = all.indexOf("\n", start)) {
      const last = all.charCodeAt(end - 1) === 13 ? end - 1 : end;
      // "data:" with or without a space; comments (": ping"), `event:` and blank lines carry nothing for us.
      if (all.startsWith("data:", start)) {
        onData(all.slice(all.charCodeAt(start + 5) === 32 ? start + 6 : start + 5, last));
      } else if (all.startsWith("error:", start)) onData(`{"error":${all.slice(start + 6, last)}}`);
      start = end + 1;
    }
    carry = start === 0 ? all : all.slice(start);
    return carry.length <= MAX_LINE;
  };
}

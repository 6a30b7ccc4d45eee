// The least that a streaming client can do: what every other contender is compared with.

import http from "node:http";

export interface BareClient {
  /** The whole text of the answer. @throws Error for a refusal, a broken connection or a chunk that is no JSON. */
  ask(system: string, user: string): Promise<string>;
  /** Reads of a socket so far: below one per token the kernel has joined writes. */
  readonly reads: () => number;
}

type Chunk = { readonly choices: readonly { readonly delta: { readonly content?: string } }[] };

export function createBareClient(base: string, model: string): BareClient {
  const agent = new http.Agent({ keepAlive: true });
  const url = new URL(`${base}/chat/completions`);
  let reads = 0;
  return {
    reads: () => reads,
    ask(system, user) {
      const body = JSON.stringify({
        model,
        messages: [
          { role: "system", content: system },
          { role: "user", content: user },
        ],
        stream: true,
        stream_options: { include_usage: true },
      });
      return new Promise((resolve, reject) => {
        const request = http.request(url, {
          agent,
          method: "POST",
          headers: {
            "content-type": "application/json",
            "content-length": String(Buffer.byteLength(body)),
          },
        });
        request.on("error", reject);
        request.on("response", (response) => {
          let carry = "";
          let text = "";
          response.setEncoding("utf8");
          response.on("error", reject);
          response.on("data", (piece: string) => {
            reads++;
            const lines = (carry + piece).split("\n");
            carry = lines.pop() ?? "";
            for (const line of lines) {
              if (!line.startsWith("data: ") || line === "data: [DONE]") continue;
              const chunk = JSON.parse(line.slice(6)) as Chunk; // `as`: the canned server's own chunks
              text += chunk.choices[0]?.delta.content ?? "";
            }
          });
          response.on("end", () => {
            if (response.statusCode === 200) resolve(text);
            else reject(new Error(`status ${response.statusCode}`));
          });
        });
        request.end(body);
      });
    },
  };
}

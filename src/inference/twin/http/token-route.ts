// POST /tokenize, /detokenize and /v1/embeddings: what needs tokens and no answer.

import { toModelRequest } from "../../facade/wire-request.ts";
import { modelRefusal } from "../ask.ts";
import { tooLong } from "../refusal.ts";
import { toPromptIds } from "../text/prompt.ts";
import { decodeIds, encodeText, SPECIAL } from "../text/tokenizer.ts";
import type { Twin } from "../twin.ts";
import {
  type EmbeddingBody,
  readDetokenize,
  readEmbedding,
  readTokenize,
  type TokenizeBody,
} from "./body.ts";
import { requestOf, toPrompts } from "./completion-ask.ts";
import { besideOf, readBody, type Server } from "./context.ts";
import { embeddingOf, toBase64 } from "./embedding.ts";

/** Said wherever ids are shown. */
const STAND_IN = "ids of a twin's stand-in tokenizer: not those of the model that it simulates";

/** Adds the routes. */
export function addTokens(server: Server): void {
  const { app, twin } = server;
  app.post("/tokenize", async (c) => {
    const body = await readBody(c, server, readTokenize);
    checkModel(twin, body.model);
    const tokens = [...idsOf(body, twin)];
    const { maxModelLen: max_model_len } = twin.flags;
    const token_strs = body.return_token_strs ? tokens.map((id) => decodeIds([id])) : null;
    return c.json({ count: tokens.length, max_model_len, tokens, token_strs, simulated: STAND_IN });
  });
  app.post("/detokenize", async (c) => {
    const body = await readBody(c, server, readDetokenize);
    checkModel(twin, body.model);
    return c.json({ prompt: decodeIds(body.tokens) });
  });
  app.post("/v1/embeddings", async (c) => {
    const body = await readBody(c, server, readEmbedding);
    const { id } = besideOf(c, server, "embd");
    return c.json(await embed(twin, { body, id, client: c.req.raw.signal }));
  });
}

function idsOf({ prompt = "", messages, tools }: TokenizeBody, { flags }: Twin): Int32Array {
  if (!messages) return encodeText(prompt);
  return toPromptIds(
    toModelRequest({ model: flags.servedModelName[0], messages, tools }, "tokenize"),
  );
}

function checkModel({ flags }: Twin, model: string | null | undefined): void {
  if (model === null || model === undefined) return;
  const refusal = modelRefusal({ request: requestOf(model, "", "tokenize") }, flags);
  if (refusal) throw refusal;
}

type Asked = { readonly body: EmbeddingBody; readonly id: string; readonly client: AbortSignal };

/** The engine needs a token, also of an empty text. */
const EMPTY = Int32Array.of(SPECIAL["<|im_start|>"]);

/** Prefill is what an embedding costs. */
async function embed(twin: Twin, { body, id, client }: Asked): Promise<object> {
  const { model, dimensions, encoding_format: format } = body;
  checkModel(twin, model);
  const prompts = toPrompts(body.input);
  const over = prompts.find(({ ids }) => ids.length >= twin.flags.maxModelLen);
  if (over) throw tooLong(twin.flags.maxModelLen, over.ids.length, 0);
  await Promise.all(
    prompts.map(({ ids }, place) =>
      twin.prefill(`${id}-${place}`, ids.length > 0 ? ids : EMPTY, client),
    ),
  );
  const total = prompts.reduce((sum, { ids }) => sum + ids.length, 0);
  return {
    id,
    object: "list",
    created: Math.floor(twin.clock.now() / 1_000),
    model,
    data: prompts.map(({ ids }, index) => {
      const vector = embeddingOf(ids, dimensions ?? undefined);
      const embedding = format === "base64" ? toBase64(vector) : Array.from(vector);
      return { index, object: "embedding", embedding };
    }),
    usage: {
      prompt_tokens: total,
      total_tokens: total,
      completion_tokens: 0,
      prompt_tokens_details: null,
    },
  };
}

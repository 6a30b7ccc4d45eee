// From a request to what is said: a tool call, a filled schema, a review or a text.

import { BosunError } from "../../../error.ts";
import { isObject, type Json, type JsonObject, parseJson } from "../../../json.ts";
import { type Validation, validate } from "../../../schema.ts";
import { PLAN_OUTPUT, type ToolCall, VERDICT_OUTPUT } from "../../model/message.ts";
import type { ModelRequest } from "../../model/model.ts";
import { estimateTokens } from "../../model/tokens.ts";
import { type Assignment, readAssignment } from "./assignment.ts";
import { composeAnswer } from "./compose.ts";
import { type Evidence, poolOf } from "./bench.ts";
import { createEvidenceValuer } from "./evidence.ts";
import { readItems } from "./field.ts";
import { type FillOptions, fillSchema } from "./fill.ts";
import { createLeastValuer } from "./least.ts";
import { planLead } from "./lead.ts";
import { type Limits, readLimits } from "./limit.ts";
import { isFailure, readable, readLines, readMaterial, type Sentence } from "./material.ts";
import { gapsLine, MARKER, notCalledLine, subjectNotFound } from "./own-line.ts";
import { planCalls, type Unfilled } from "./plan-call.ts";
import { definesTopic, queryOf, scoreSentences } from "./rank.ts";
import { draftOf, formatReview, type Review, reviewDraft } from "./review.ts";
import { keywordsOf, termsOf, topicOf } from "./term.ts";
import { unitsOf } from "./unit.ts";
import { toVerdict } from "./verdict.ts";

/** What the model says: a text, or calls. */
export type Answer = { readonly text: string; readonly calls: readonly ToolCall[] };

/** Words of an answer that no limit is stated for: a list of facts that others will draw on, a text, a short question's answer. */
const LIST_WORDS = 650;
const TASK_WORDS = 450;
const QUESTION_WORDS = 150;

/** What quoting cannot do. Filling the schema of a verdict from a text that holds the right words would be pretending. */
const CANNOT: Readonly<Record<string, string>> = {
  [VERDICT_OUTPUT]:
    "This model quotes texts and cannot judge them: judging takes a language model.",
  [PLAN_OUTPUT]: "This model quotes texts and cannot plan: planning takes a language model.",
};

/** The answer to a request. @throws BosunError `model/bad-request` for a schema that cannot be filled. */
export async function answer(request: ModelRequest, maxTokens: number): Promise<Answer> {
  const assignment = readAssignment(request.messages);
  const cannot = CANNOT[request.output?.name ?? ""];
  if (cannot !== undefined) return { text: `${MARKER}\n\n${cannot}`, calls: [] };
  const lead = planLead(assignment, request.tools ?? [], request.messages);
  if (lead) return { text: "", calls: [lead] };
  const plan = planCalls(assignment, request.tools ?? [], request.toolChoice ?? "auto");
  if (plan.calls.length > 0) return { text: "", calls: plan.calls };
  const schema = request.output?.schema ?? assignment.schema;
  const text = await textFor(assignment, { schema, maxTokens, unfilled: plan.unfilled });
  return { text, calls: [] };
}

type Form = {
  readonly schema: JsonObject | undefined;
  readonly maxTokens: number;
  readonly unfilled: readonly Unfilled[];
};

async function textFor(
  assignment: Assignment,
  { schema, maxTokens, unfilled }: Form,
): Promise<string> {
  const limits = readLimits([assignment.task, assignment.expected, assignment.followUp]);
  const draft = draftOf(assignment);
  const review = draft && reviewDraft(draft, assignment);
  const ranked = rankAll(assignment);
  if (schema) {
    return fillAnswer(schema, assignment, { ...ranked, limits, review, maxTokens });
  }
  if (review) return formatReview(review, limits.words ?? Number.POSITIVE_INFINITY);
  const subject = absentSubject(assignment, ranked.sentences);
  if (subject) return `${MARKER}\n\nNothing was found about "${subject}" in the sources given.`;
  const { sentences, scores, isLead } = ranked;
  const brief = { limits, defaultWords: defaultWords(assignment, limits), maxTokens, isLead };
  return composeAnswer(sentences, scores, brief) ?? nothingFound(assignment, unfilled);
}

/** The subject that no sentence has a word of; that of an earlier agent when it is all there is. */
function absentSubject(
  { task, sections }: Assignment,
  all: readonly Sentence[],
): string | undefined {
  const told = sections.map(({ text }) => subjectNotFound(text)).find(Boolean);
  if (all.length === 0) return told;
  const subject = /\babout ([^.;,:\n"]{1,300}?)(?= from the\b|[.;,:\n]|$)/i.exec(task)?.[1];
  const terms = topicOf(subject ?? "").flatMap(termsOf);
  const isSaid = all.some((one) => terms.some((term) => one.terms.has(term)));
  return terms.length > 0 && !isSaid ? subject : undefined;
}

function defaultWords({ expected }: Assignment, { isList }: Limits): number {
  if (isList) return LIST_WORDS;
  return expected ? TASK_WORDS : QUESTION_WORDS;
}

type Ranked = {
  readonly sentences: readonly Sentence[];
  readonly scores: readonly number[];
  /** True for a sentence to begin with. */
  readonly isLead: (sentence: Sentence) => boolean;
};

function rankAll(assignment: Assignment): Ranked {
  const sentences = readMaterial(assignment.sections, assignment.results);
  const query = queryOf(assignment);
  const isLead = ({ text }: Sentence): boolean => definesTopic(text, query);
  return { sentences, scores: scoreSentences(sentences, query), isLead };
}

type Wish = Ranked & {
  readonly limits: Limits;
  readonly review: Review | undefined;
  readonly maxTokens: number;
};

/** Tried in this order until one is valid and short enough; a valid one that is too long is better than none. */
const ATTEMPTS: readonly (FillOptions & { readonly scale: number })[] = [
  { branch: 0, isMinimal: false, scale: 1 },
  { branch: 0, isMinimal: false, scale: 0.5 },
  { branch: 0, isMinimal: false, scale: 0.2 },
  { branch: 1, isMinimal: false, scale: 1 },
  { branch: 2, isMinimal: false, scale: 1 },
  { branch: 0, isMinimal: true, scale: 0.2 },
  { branch: 1, isMinimal: true, scale: 0.2 },
  { branch: 2, isMinimal: true, scale: 0.2 },
];

async function fillAnswer(
  schema: JsonObject,
  assignment: Assignment,
  { sentences, scores, limits, review, maxTokens }: Wish,
): Promise<string> {
  const sources = readable(assignment.sections, assignment.results);
  const task = [{ name: "task", text: assignment.task }];
  const items = readItems([...sources, ...task]);
  const evidence: Omit<Evidence, "scale"> = {
    pool: poolOf(unitsOf(sentences, scores)),
    lines: readLines(sources),
    taskLines: readLines(task),
    items,
    pieces: new Map(),
    keywords: keywordsOf(assignment.task),
    count: limits.bullets,
    verdict: review && toVerdict(review),
  };
  let valid: string | undefined;
  let missing: readonly string[] = [];
  for (const { scale, ...options } of ATTEMPTS) {
    const filled = fillSchema(schema, createEvidenceValuer({ ...evidence, scale }), options);
    if (filled.type === "gaps") {
      if (missing.length === 0) missing = filled.missing;
      continue;
    }
    const { value } = filled;
    if ((await check(schema, value)).type === "invalid") continue;
    const text = JSON.stringify(value);
    if (estimateTokens(text) <= maxTokens) return text;
    valid = text;
  }
  if (valid !== undefined) return valid;
  await checkFillable(schema);
  return gapsLine(missing.slice(0, MAX_NAMED));
}

/** Most names of values that an answer says to be missing. */
const MAX_NAMED = 20;

/** A schema that the least values do not fit is at fault itself, whatever the sources hold. */
async function checkFillable(schema: JsonObject): Promise<void> {
  let issues: readonly string[] = [];
  for (const { branch, isMinimal } of ATTEMPTS) {
    const filled = fillSchema(schema, createLeastValuer(), { branch, isMinimal });
    if (filled.type === "gaps") continue;
    const checked = await check(schema, filled.value);
    if (checked.type === "valid") return;
    if (issues.length === 0) issues = checked.issues;
  }
  throw new BosunError(
    "model/bad-request",
    `the embedded model cannot fill this schema: ${issues.join("; ") || "nothing fits it"}. Simplify the schema, or use a language model`,
    { details: { issues } },
  );
}

/** A schema that is none (a pattern that does not compile, a reference into nowhere) makes the validator throw. */
async function check(schema: JsonObject, value: Json): Promise<Validation> {
  try {
    return await validate(schema, value);
  } catch (cause) {
    return { type: "invalid", issues: [cause instanceof Error ? cause.message : String(cause)] };
  }
}

/** Says what was looked for and what failed, or that there is nothing here to look at. */
function nothingFound({ calls, results }: Assignment, unfilled: readonly Unfilled[]): string {
  const searches = new Set(calls.flatMap((call) => queryIn(call.arguments)));
  const notCalled = unfilled.map(({ tool, missing }) => notCalledLine(tool, missing));
  if (searches.size === 0)
    return [MARKER, ...(notCalled.length > 0 ? notCalled : [NOTHING])].join("\n\n");
  const failures = results
    .filter((result) => isFailure(result.content))
    .map((result) => `${result.tool} failed: ${result.content.slice(0, MAX_SHOWN).trim()}`);
  const found = `Nothing was found for ${[...searches].join(", ")}.`;
  return [MARKER, found, ...new Set(failures)].join("\n\n");
}

/** Most characters of a tool's failure that are repeated. */
const MAX_SHOWN = 300;

const NOTHING =
  "There is nothing to answer from: this model quotes what a conversation holds, and this one holds no context, document or tool result about it.";

function queryIn(args: string): string[] {
  const parsed = parseJson(args);
  const text = isObject(parsed)
    ? Object.values(parsed).find((value) => typeof value === "string")
    : undefined;
  return typeof text === "string" ? [`"${text}"`] : [];
}

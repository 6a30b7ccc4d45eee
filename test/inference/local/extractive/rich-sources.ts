// Sources as a working crew has them: a status report, a record from a tool, a table, a price list, notes of a meeting.

import { BLOCKS, CACHE, found, type Passage, PREEMPTION } from "./chat.ts";

const REPORT: Passage = {
  source: "reports/2026-03-capacity.md",
  section: "Capacity report of March",
  text: [
    "The capacity report was written by Ada Moreno on 2026-03-14 and covers 2026-01, 2026-02 and 2026-03.",
    "The verdict of the review was high confidence in the KV cache figures.",
    "The risk of preemption is medium on the L40S and was low on the H100 in every test.",
    "The count of failed requests was 12 in January, 24 in February and 36 in March.",
    "The score of the release was 0.5 in the first test and 18 points in the second one.",
    "Every KV cache figure in the report is valid for vLLM v0.9.2 and for v0.10.",
    "The GPU was not overloaded on any day of the test.",
    "Variant B kept 7 requests in flight and lost none of them.",
    "The id of the run was 4 on the first day and 40 on the last one.",
    "The price of one hour was 2 USD in January and 1.5 USD in March.",
    "The max tokens of one request were 8 in the smoke test and 2,048 in the load test.",
    "The section on preemption has 3 tables and the section on blocks has 6 of them.",
    "A low-latency mode and a high-throughput mode were compared at the request of operations.",
    "Questions about the KV cache go to capacity@example.org or to ada.moreno@example.com before the next review.",
    "The dashboard at https://metrics.example.org/kv-cache shows the KV pool of each server.",
    "The raw data is kept at https://data.example.org/runs/2026-03 for one year.",
    "The load test began at 2026-03-14T09:30:00Z and ended at 2026-03-14T11:45:00Z on the server 10.0.0.17.",
    "A second server at 10.0.0.18 ran the same load test under the run 3f2b8c1e-5d4a-4e6f-9a7b-0c1d2e3f4a5b.",
    "The control run 9d1c7a52-0b3e-4f8d-8e21-6a5b4c3d2e1f used the KV cache without blocks.",
  ].join(" "),
};

/** A record and a list as tools return them. */
const RECORD = {
  title: "Capacity of the KV cache in March",
  summary: "The KV cache of the L40S holds 18,000 tokens.",
  gpu: "L40S",
  isValid: true,
  verdict: "approved",
  count: 36,
  score: 18,
  id: 40,
  max_tokens: 2048,
  price_usd: 1.5,
  section: "Capacity",
  tags: ["kv-cache", "capacity", "gpu", "preemption"],
};

const NOTES = `# Notes of the capacity meeting

Date: 2026-03-16
Items: 5
Source: meeting notes
Fact: A block holds 16 tokens of the KV cache.

| gpu | price_usd | count | verdict |
|---|---|---|---|
| L40S | 1.5 | 8 | approved |
| H100 | 3.25 | 2 | open |
`;

/** Passages of a search. */
export const RICH_PASSAGES: string = found(REPORT, CACHE, BLOCKS, PREEMPTION);
/** All of it, one result of a tool each. */
export const RICH_RESULTS: readonly string[] = [RICH_PASSAGES, JSON.stringify(RECORD), NOTES];

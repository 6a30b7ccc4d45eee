// All that an engine must do where no process needs to die for it.

import { cancelCases } from "./cancel-cases.ts";
import { hostCases } from "./host-cases.ts";
import { queueCases } from "./queue-cases.ts";
import { replayCases } from "./replay-cases.ts";
import { replayMoreCases } from "./replay-more-cases.ts";
import { resumeCases } from "./resume-cases.ts";
import { serveCases } from "./serve-cases.ts";
import { sizeCases } from "./size-cases.ts";
import { stepCases } from "./step-cases.ts";
import { suspendCases } from "./suspend-cases.ts";
import { tryCases } from "./try-cases.ts";
import { valueCases } from "./value-cases.ts";
import { waitCases } from "./wait-cases.ts";
import type { Subject } from "./scene.ts";

export function allCases(subject: Subject): void {
  stepCases(subject);
  tryCases(subject);
  replayCases(subject);
  replayMoreCases(subject);
  waitCases(subject);
  cancelCases(subject);
  valueCases(subject);
  hostCases(subject);
  resumeCases(subject);
  suspendCases(subject);
  queueCases(subject);
  serveCases(subject);
  sizeCases(subject);
}

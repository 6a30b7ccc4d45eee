// Capacity: what one endpoint holds, from the fleet file or told by the endpoint itself.

import type { FleetCapacity } from "../fleet/fleet.ts";

/** What one endpoint holds. Undefined = not known, and so no bound of its own. */
export type Capacity = FleetCapacity;

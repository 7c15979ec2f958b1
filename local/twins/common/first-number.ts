import { randomInt } from "node:crypto";

/**
 * Where a twin begins to count what it makes. Elsewhere a number is never given twice, and the database of `npm run dev`
 * outlives the twins: from one, the shop of the last run would be another seller's.
 */
export const firstNumber = () => randomInt(1, 90_000) * 10_000;

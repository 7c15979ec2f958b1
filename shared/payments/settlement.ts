import { z } from "zod";
import type { Statement } from "../db/statement.ts";
import { type Wake, wakeSchema } from "../jobs/jobs.ts";

/**
 * What a purpose of payment does when its intent is paid, or can no longer be paid. Both statements run in the
 * transaction that finds it out, read the intent's state by themselves and are idempotent.
 */
export interface Settlement {
  purpose: string;
  /**
   * Intent `paid`: books gateway/<provider> to its own account. It may refuse by `payments_refund(charge)`. What begins
   * with the payment begins at that moment.
   */
  settled(intentId: string, at: Date): Statement<{ wake: Wake[] }>;
  /** Intent `expired` or `failed`: releases what it holds. */
  expired(intentId: string): Statement<{ wake: Wake[] }>;
}

export const woken = z.object({ wake: wakeSchema });

/** The settlement of a purpose; one that nobody registered is our own bug, found before any money moves. */
export function settlementOf(settlements: readonly Settlement[], purpose: string): Settlement {
  const found = settlements.find((settlement) => settlement.purpose === purpose);
  if (!found) throw new Error(`no settlement for payments of purpose ${purpose}`);
  return found;
}

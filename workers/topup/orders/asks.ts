import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { call } from "../../../shared/db/statement.ts";
import { ProviderError } from "../../../shared/providers/provider-error.ts";

/** Whoever holds the turn and dies keeps others from asking for so long: longer than an ask with its waits. */
const LEASE_MS = 2 * 60_000;
/** A supplier that gave no answer is left alone about this purchase for so long. */
const SILENT_MS = 60_000;

export type Answer = "told" | "denied";

const Turn = z
  .object({
    taken: z.boolean(),
    asked_at: z.coerce.date(),
    answered_at: z.coerce.date().nullable(),
    answer: z.enum(["told", "denied"]).nullable(),
  })
  .transform(({ taken, asked_at: askedAt, answered_at: answeredAt, answer }) => ({
    ...{ taken, askedAt, answeredAt, answer },
  }));
export type Turn = z.output<typeof Turn>;

interface Occasion {
  trxid: string;
  /** An answer to what was asked since then is enough … */
  since: Date;
  /** … for so long. */
  againMs: number;
  /** How long nobody asks after an answer. */
  pauseMs: number;
  /** A person waits for it: whatever was asked before. */
  atOnce: boolean;
}

/**
 * Asks the supplier about a purchase that a callback names, unless somebody has just asked: however many callbacks name it,
 * the number of asks depends on purchases and time alone. The turn that comes back was taken, and its ask answered, or not
 * taken. `ask` records what it learns; what it throws as a `ProviderError` is thrown, and nobody asks for a minute.
 */
export async function askOnce(
  ctx: Ctx,
  { trxid, since, againMs, pauseMs, atOnce }: Occasion,
  ask: () => Promise<Answer>,
): Promise<Turn> {
  const turn = await ctx.db.run(
    call(
      "topup_ask_begin",
      {
        trxid,
        now: ctx.now().toISOString(),
        since: since.toISOString(),
        again_ms: againMs,
        lease_ms: LEASE_MS,
        at_once: atOnce,
      },
      Turn,
    ),
  );
  if (!turn.taken) return turn;
  const end = async (answer: Answer | null, afterMs: number) => {
    const nextAt = new Date(ctx.now().getTime() + afterMs).toISOString();
    const input = { trxid, asked_at: turn.askedAt.toISOString(), answer, next_at: nextAt };
    await ctx.db.run(call("topup_ask_end", input, z.object({ noted: z.boolean() })));
  };
  try {
    const answer = await ask();
    await end(answer, pauseMs);
    return { ...turn, answeredAt: turn.askedAt, answer };
  } catch (error) {
    if (error instanceof ProviderError) await end(null, SILENT_MS);
    throw error;
  }
}

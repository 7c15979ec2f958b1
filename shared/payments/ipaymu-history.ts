import { z } from "zod";
import type { Ctx } from "../context.ts";
import { call } from "../db/statement.ts";
import { IPAYMU, type IpaymuHistory } from "./ipaymu.ts";

/** A run reads no more at once; the next one goes on there. */
const PAGES_AT_ONCE = 30;
const LONGEST_READ_MS = 20_000;
/** What a reference of ours is made of; others use the account too, and write what they like. */
const OURS = /^[\w-]{1,64}$/;

const begun = z
  .object({
    page: z.number(),
    top: z.number().nullable(),
    floor: z.number(),
    began_at: z.string(),
    since: z.coerce.date(),
  })
  .nullable();
type Begun = NonNullable<z.output<typeof begun>>;

const Sightings = z
  .object({ read_until: z.coerce.date().nullable(), transactions: z.array(z.string()) })
  .transform(({ read_until: readUntil, transactions }) => ({ readUntil, transactions }));

const accountOf = (ctx: Ctx) => ({
  account: `${IPAYMU}/${ctx.providers.ipaymu.account}`,
  provider: IPAYMU,
});

/** iPaymu's history as far as it was read, and a little further where that is asked for. */
export const ipaymuHistory = (ctx: Ctx): IpaymuHistory => ({
  async readNewest(openedAt) {
    const at = ctx.now().toISOString();
    const input = { ...accountOf(ctx), at, opened_at: openedAt.toISOString() };
    const begin = await ctx.db.run(call("payments_history_begin", input, begun));
    return begin === null || (await read(ctx, begin, false));
  },
  sightingsOf: (providerRef) =>
    ctx.db.run(
      call("payments_sightings_of", { ...accountOf(ctx), provider_ref: providerRef }, Sightings),
    ),
});

/**
 * For the minute cron: reads on in iPaymu's history where the last run stopped, so that no payment is searched for by
 * itself, however many transactions there are. A transaction of ours that is seen for the first time is kept.
 */
export async function readIpaymuHistory(ctx: Ctx): Promise<void> {
  const now = ctx.now();
  const input = { ...accountOf(ctx), at: now.toISOString() };
  // One that an earlier run began only knows of what was there then: it is ended, and the next one begun.
  for (let isOld = true; isOld; ) {
    const begin = await ctx.db.run(call("payments_history_begin", input, begun));
    if (begin === null) return;
    if (!(await read(ctx, begin, true))) {
      return ctx.log.info("history not read to its end", { provider: IPAYMU, page: begin.page });
    }
    isOld = new Date(begin.began_at) < now;
  }
}

/**
 * Newest first, until a whole page was read before: rows that come up to a page late, and those that new ones push on
 * to the next page, are read all the same. True when it has come so far.
 */
async function read(ctx: Ctx, from: Begun, isKept: boolean): Promise<boolean> {
  const begin = ctx.now().getTime();
  let { page, top } = from;
  for (let count = 0; count < PAGES_AT_ONCE; count += 1) {
    const { rows, pages, highest } = await ctx.providers.ipaymu.history(from.since, page);
    top ??= highest;
    const isDone = page >= pages || (highest !== null && highest <= from.floor);
    const told = rows.filter(({ providerRef }) => OURS.test(providerRef ?? ""));
    const input = {
      ...accountOf(ctx),
      is_kept: isKept,
      began_at: from.began_at,
      page,
      top,
      is_done: isDone,
      rows: told.map(({ transactionId: id, providerRef: ref, status: state }) => ({
        id,
        ref,
        state,
      })),
    };
    await ctx.db.run(call("payments_history_page", input, z.unknown()));
    if (isDone) return true;
    if (ctx.now().getTime() - begin > LONGEST_READ_MS) return false;
    page += 1;
  }
  return false;
}

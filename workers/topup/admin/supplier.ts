import { sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx } from "../../../shared/context.ts";
import { call, rows } from "../../../shared/db/statement.ts";
import { AppError } from "../../../shared/http/errors.ts";
import { wake, wakeSchema } from "../../../shared/jobs/jobs.ts";
import { describeError } from "../../../shared/log.ts";
import { ProviderError } from "../../../shared/providers/provider-error.ts";
import { listAges } from "./lists.ts";

const PROVIDER = "vip-reseller";
/** How old a seen balance may be, so that the minute cron asks each time and one that comes twice does not. */
const FRESH_SECONDS = 45;
/** For how long it may stay unknown before the operator hears of it. */
const SILENT_MINUTES = 30;

const state = z.object({
  balance: z.number(),
  floor: z.number(),
  checked_at: z.coerce.date(),
  held_since: z.coerce.date().nullable(),
});

const found = z.object({ state: state.nullable(), due: z.boolean() });

const stateRow = () =>
  rows(
    sql`select case when s.provider is not null then topup_supplier_view(s) end as state,
        coalesce(s.checked_at < now() - make_interval(secs => ${FRESH_SECONDS}), true) as due
      from (select) one left join topup_supplier_state s on s.provider = ${PROVIDER}`,
    found,
  );

/** The balance that was seen last, whether new orders are held for it, and how old the price lists are. */
export async function readSupplier(ctx: Ctx) {
  const [[row], lists] = await ctx.db.batch([stateRow(), listAges()]);
  const seen = row?.state;
  return {
    balance: seen?.balance ?? null,
    floor: ctx.config.TOPUP_BALANCE_FLOOR,
    held: Boolean(seen?.held_since),
    heldSince: seen?.held_since?.toISOString() ?? null,
    checkedAt: seen?.checked_at.toISOString() ?? null,
    lists,
  };
}

/** Asks the supplier for our balance; below the floor new orders are held, and the operator gets a mail. */
async function checkSupplier(ctx: Ctx): Promise<void> {
  const { balance } = await ctx.providers.vipReseller.getBalance();
  const input = {
    provider: PROVIDER,
    balance,
    floor: ctx.config.TOPUP_BALANCE_FLOOR,
    alert_to: ctx.config.ALERT_EMAIL,
  };
  const seen = await ctx.db.run(
    call("topup_supplier_seen", input, state.extend({ wake: wakeSchema })),
  );
  wake(ctx, seen.wake);
}

/** Work that asks the supplier at an admin's wish, who is told when it does not answer. */
export async function asksSupplier<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    throw new AppError("provider_unavailable", "The supplier does not answer", { cause: error });
  }
}

/** The same at an admin's wish. */
export async function checkSupplierNow(ctx: Ctx) {
  await asksSupplier(checkSupplier(ctx));
  return await readSupplier(ctx);
}

/**
 * For the minute cron. A supplier that does not answer changes nothing: what was seen last counts, and the operator hears
 * when that is long ago, or never was.
 */
export async function watchSupplier(ctx: Ctx): Promise<void> {
  const [seen] = await ctx.db.run(stateRow());
  if (seen && !seen.due) return;
  try {
    await checkSupplier(ctx);
  } catch (error) {
    ctx.log.warn("supplier balance not known", describeError(error));
    const { ALERT_EMAIL: alertTo } = ctx.config;
    const input = { provider: PROVIDER, alert_to: alertTo, after_minutes: SILENT_MINUTES };
    const told = await ctx.db.run(
      call("topup_supplier_silent", input, z.object({ wake: wakeSchema })),
    );
    wake(ctx, told.wake);
  }
}

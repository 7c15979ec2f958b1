import { sql } from "drizzle-orm";
import { z } from "zod";
import { actorOf, type Ctx } from "../../../shared/context.ts";
import { rows } from "../../../shared/db/statement.ts";
import { dayOf } from "../../../shared/http/day.ts";
import type { SupplierFamily } from "../../../shared/providers/vip-reseller.ts";
import { type Order, orderShape, WIRE_STATES, type WireState } from "./order.ts";

export interface OwnOrders {
  limit: number;
  /** The last order of the page before. */
  cursor?: string | undefined;
  status?: WireState | undefined;
  family?: SupplierFamily | undefined;
  /** Jakarta days, both included. */
  from?: string | undefined;
  to?: string | undefined;
  /** The whole number, target or supplier's id. */
  search?: string | undefined;
}

/** A target is looked up among so many orders of it, the latest. */
const SEARCHED = 1_000;

/**
 * A page of the actor's orders, newest first. `next` is the cursor of the following page; null: the last. By the user's
 * index, however many orders he has; no total, which would count them all.
 */
export async function listOwnOrders(
  ctx: Ctx,
  { limit, cursor, status, family, from, to, search }: OwnOrders,
): Promise<{ orders: Order[]; next: string | null }> {
  const states = Object.entries(WIRE_STATES).flatMap(([state, wire]) =>
    wire === status ? [state] : [],
  );
  const all = [
    sql`o.user_id = ${actorOf(ctx).userId}`,
    cursor ? sql`o.id < ${cursor}::uuid` : null,
    status ? sql`o.state = any (${`{${states.join(",")}}`}::text[])` : null,
    family ? sql`o.family = ${family}` : null,
    // The id tells the time too, and has the index; clocks differ by less than an hour.
    from
      ? sql`(o.created_at >= ${iso(dayOf(from).start)}
          and o.id >= uuid_from(${iso(dayOf(from).start)}::timestamptz - interval '1 hour'))`
      : null,
    to
      ? sql`(o.created_at < ${iso(dayOf(to).end)}
          and o.id < uuid_from(${iso(dayOf(to).end)}::timestamptz + interval '1 hour'))`
      : null,
    search
      ? sql`o.id in (select x.id from topup_orders x where x.number = ${search}
          union all select x.id from topup_orders x where x.trxid = ${search}
          union all (select x.id from topup_orders x where x.family in ('prepaid', 'game', 'social')
            and x.target = ${search} and x.user_id = ${actorOf(ctx).userId} order by x.id desc limit ${SEARCHED}))`
      : null,
  ].filter((one) => one !== null);
  const found = await ctx.db.run(
    rows(
      sql`select to_jsonb(o) as row from topup_orders o where ${sql.join(all, sql` and `)}
        order by o.id desc limit ${limit + 1}`,
      z.object({ row: orderShape }),
    ),
  );
  const orders = found.slice(0, limit).map(({ row }) => row);
  return { orders, next: found.length > limit ? (orders.at(-1)?.id ?? null) : null };
}

const iso = (moment: Date) => moment.toISOString();

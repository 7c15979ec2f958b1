import { type SQL, sql } from "drizzle-orm";
import { z } from "zod";
import type { Ctx } from "../../shared/context.ts";
import { rows } from "../../shared/db/statement.ts";
import { balanceOf, post, walletOf } from "../../shared/ledger/ledger.ts";
import { testContext } from "../testing/api.ts";
import { createUser, type TestUser, unique } from "../testing/factories.ts";
import { type GiftOrder, type GiftResult, type SentGift, sendGifts } from "./gifts.ts";

/** Coins out of nowhere, as a purchase would give them. */
export async function giveCoins(userId: number, amount: number): Promise<void> {
  await testContext().db.run(
    post([
      {
        reference: unique("uji/"),
        debit: { kind: "gateway", owner: "coins" },
        credit: walletOf(userId),
        amount,
        reason: "Koin uji",
        currency: "COIN",
      },
    ]),
  );
}

/** A user with coins. */
export async function createGiver(coins = 0): Promise<TestUser> {
  const user = await createUser();
  if (coins > 0) await giveCoins(user.userId, coins);
  return user;
}

export const coinsOf = (userId: number) =>
  balanceOf(testContext(), { ...walletOf(userId), currency: "COIN" });

/** What we got of a host's gifts. */
export const shareOf = (hostId: number) =>
  balanceOf(testContext(), { kind: "commission", owner: `live:${hostId}`, currency: "COIN" });

/** A Carousel (100 coins, the host gets 10) in a live, unless `fields` say otherwise. */
export const giftOrder = (
  senderId: number,
  receiverId: number,
  fields: Partial<GiftOrder> = {},
): GiftOrder => ({
  key: unique("k"),
  senderId,
  receiverId,
  giftId: "cupid",
  quantity: 1,
  scene: "live",
  roomId: null,
  ...fields,
});

/** The context of a request at that moment. */
export const at = (moment: string | Date): Ctx => ({
  ...testContext(),
  now: () => new Date(moment),
});

/** A day that no other test uses, far from today: gifts and rankings of that day are the caller's alone. */
export function quietDay(): string {
  const day = new Date(Date.UTC(2031, 0, 1) + Math.floor(Math.random() * 300_000) * 86_400_000);
  return day.toISOString().slice(0, 10);
}

/** Gives one gift at that moment; whatever it costs is given to the sender first. */
export async function giftAt(
  moment: string | Date,
  senderId: number,
  hostId: number,
  fields: Partial<GiftOrder> = {},
): Promise<SentGift> {
  await giveCoins(senderId, 5_000 * (fields.quantity ?? 1));
  const [result] = await sendGifts(at(moment), [giftOrder(senderId, hostId, fields)]);
  return sentOf(result);
}

/** The gift of an answer that must not be a refusal. */
export function sentOf(result: GiftResult | undefined): SentGift {
  if (result?.state !== "sent") throw new Error(`not sent: ${JSON.stringify(result)}`);
  return result;
}

const Books = z.object({ coins: z.number(), wrong: z.array(z.string()), gifts: z.number() });

/**
 * Whether the books of those people add up: `coins` is the sum of all coins in the world (0), `wrong` names the totals
 * that differ from the sum of their gifts, `gifts` counts those that they were given.
 */
export async function booksOf(userIds: readonly number[]) {
  const [books] = await testContext().db.run(rows(booksQuery(`{${userIds.join(",")}}`), Books));
  if (!books) throw new Error("no books");
  return books;
}

/** `name` when the rows of the two queries differ. */
const differs = (name: string, raw: SQL, kept: SQL) => sql`
  select ${name} as name from (
    (select * from (${raw}) a except all select * from (${kept}) b)
    union all (select * from (${kept}) b except all select * from (${raw}) a)) d having count(*) > 0`;

function booksQuery(ids: string) {
  const theirs = (column: string) => sql`${sql.raw(column)} = any(${ids}::bigint[])`;
  const checks = [
    differs(
      "host days",
      sql`select host, day, category, count(*), sum(coins), sum(income) from g group by 1, 2, 3`,
      sql`select host_id, day, category, gifts, coins, income from live_host_days where ${theirs("host_id")}`,
    ),
    differs(
      "host hours",
      sql`select host, hour, sum(coins), sum(income) from g group by 1, 2`,
      sql`select host_id, hour, coins, income from live_host_hours where ${theirs("host_id")}`,
    ),
    differs(
      "fan days",
      sql`select host, day, sender_id, sum(coins) from g group by 1, 2, 3`,
      sql`select host_id, day, sender_id, coins from live_fan_days where ${theirs("host_id")}`,
    ),
    differs(
      "fan hours",
      sql`select host, hour, sender_id, sum(coins) from g group by 1, 2, 3`,
      sql`select host_id, hour, sender_id, coins from live_fan_hours where ${theirs("host_id")}`,
    ),
    differs(
      "fan weeks",
      sql`select host, sender_id, sum(g.coins) from g join live_host_weeks w on w.host_id = host
        where g.hour >= w.since group by 1, 2`,
      sql`select host_id, sender_id, week_coins from live_fan_totals
        where week_coins > 0 and ${theirs("host_id")}`,
    ),
    differs(
      "host weeks",
      sql`select host, sum(g.coins) from g join live_host_weeks w on w.host_id = host
        where g.hour >= w.since group by 1`,
      sql`select host_id, coins from live_host_weeks where coins > 0 and ${theirs("host_id")}`,
    ),
    differs(
      "fan totals",
      sql`select host, sender_id, sum(coins) from g group by 1, 2`,
      sql`select host_id, sender_id, coins from live_fan_totals where ${theirs("host_id")}`,
    ),
    differs(
      "received",
      sql`select host, sum(coins), sum(income) from g group by 1`,
      sql`select user_id, received, income from live_gift_totals where received > 0 and ${theirs("user_id")}`,
    ),
    differs(
      "spent",
      sql`select sender_id, sum(coin_value * quantity) from live_gifts where ${theirs("sender_id")} group by 1`,
      sql`select user_id, spent from live_gift_totals where spent > 0 and ${theirs("user_id")}`,
    ),
    differs(
      "ledger",
      sql`select 'gift/' || id, sender_id::text, 'live:' || host, coins from g`,
      sql`select t.reference, d.owner_id, c.owner_id, t.amount from ledger_transfers t
        join ledger_accounts d on d.id = t.debit_account_id join ledger_accounts c on c.id = t.credit_account_id
        where t.reference in (select 'gift/' || id from g)`,
    ),
    differs(
      "paid out",
      sql`select host::text, sum(income) from g group by 1 having sum(income) > 0`,
      sql`select c.owner_id, sum(t.amount) from ledger_transfers t
        join ledger_accounts d on d.id = t.debit_account_id join ledger_accounts c on c.id = t.credit_account_id
        where d.kind = 'commission' and d.owner_id = 'live:' || c.owner_id and c.kind = 'wallet'
          and c.owner_id = any(${ids}::text[]) group by 1`,
    ),
    differs(
      "balances",
      sql`select owner_id, coalesce((select sum(amount) from ledger_transfers where credit_account_id = a.id), 0)
          - coalesce((select sum(amount) from ledger_transfers where debit_account_id = a.id), 0)
        from ledger_accounts a where currency = 'COIN' and kind = 'wallet' and owner_id = any(${ids}::text[])`,
      sql`select owner_id, balance from ledger_accounts
        where currency = 'COIN' and kind = 'wallet' and owner_id = any(${ids}::text[])`,
    ),
  ];
  return sql`
    with g as (
      select *, receiver_id as host, coin_value * quantity as coins,
        (created_at at time zone 'Asia/Jakarta')::date as day, date_trunc('hour', created_at) as hour
      from live_gifts where ${theirs("receiver_id")}
    )
    select (select sum(balance) from ledger_accounts where currency = 'COIN')::float8 as coins,
      (select coalesce(array_agg(name), '{}') from (${sql.join(checks, sql` union all `)}) w) as wrong,
      (select count(*) from g)::float8 as gifts`;
}

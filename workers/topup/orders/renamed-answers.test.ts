import { sql } from "drizzle-orm";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { call, rows } from "../../../shared/db/statement.ts";
import { testContext } from "../../testing/api.ts";
import { bench } from "../testing/bench.ts";
import { type Doubt, FUNDS } from "../testing/doubts.ts";
import { alertsOf, booksOf, movesOf, sumOfLedger, theOrderOf } from "../testing/outcomes.ts";
import {
  ASKED,
  expectDelivered,
  follow,
  listNames,
  NAMED,
  type Named,
  namedStrangely,
  orderNamed,
  rename,
  stockNamed,
  succeed,
  TOLD,
  unname,
} from "../testing/renames.ts";
import { customer, dial, hand, newPhone, SERVICES, stockShelves } from "../testing/shop.ts";
import { advance } from "./advance.ts";
import { settleByHand } from "./by-hand.ts";
import type { Order } from "./order.ts";
import { placePrepaid } from "./place.ts";
import { updateOf } from "./purchase.ts";

beforeAll(async () => {
  await stockShelves();
  await stockNamed();
});
afterEach(unname);

const HOUR = 3_600_000;
const run = (change: ReturnType<typeof sql>) => testContext().db.run(rows(change, z.unknown()));
const bothFamilies = describe.each<Named>(["game", "social"]);

bothFamilies("an answer that names a %s service as no list does", (family) => {
  const { ordered, other } = NAMED[family];

  it("waits for a person while nothing tells, without what may be another's serial", async () => {
    const { user, order, name } = await namedStrangely(family);
    expect(order.reviewReason).toContain(name);
    await succeed(order);
    const waiting = await follow(order);
    expect(waiting).toMatchObject({ state: "review", sealedSerial: null });
    expect(waiting.reviewReason).toBe(order.reviewReason);
    expect(await alertsOf(order)).toEqual([ASKED]);
    expect(await booksOf(user)).toEqual({ wallet: FUNDS - order.amount, escrow: order.amount });
  });

  it("goes on by itself once a list gives the name to what was ordered: the operator hears of it once", async () => {
    const one = await namedStrangely(family);
    await listNames([[ordered, one.name]]);
    expect(await follow(one.order)).toMatchObject({ state: "processing", reviewReason: null });
    await succeed(one.order);
    await follow(one.order, 2 * HOUR);
    await follow(one.order, 3 * HOUR);
    await expectDelivered(one);
    expect((await alertsOf(one.order)).sort()).toEqual([TOLD, ASKED].sort());
  });

  it("is delivered in the same look, where it had been meanwhile, with its serial", async () => {
    const one = await namedStrangely(family);
    await succeed(one.order);
    await follow(one.order);
    await listNames([[ordered, one.name]]);
    await follow(one.order, 2 * HOUR);
    await expectDelivered(one);
  });

  it("has its money back, where it failed, once a list gives the name to what was ordered", async () => {
    const { user, order, name } = await namedStrangely(family);
    await hand("fail", order.trxid ?? "");
    expect(await follow(order)).toMatchObject({ state: "review" });
    await listNames([[ordered, name]]);
    expect(await follow(order, 2 * HOUR)).toMatchObject({ state: "failed" });
    expect(await booksOf(user)).toEqual({ wallet: FUNDS, escrow: 0 });
  });

  it("stays a person's where the list was asked for before the attempt", async () => {
    const { order, name } = await namedStrangely(family);
    await run(sql`delete from topup_syncs where started_at >= ${order.attemptAt?.toISOString()}`);
    await listNames([[ordered, name]], { startedMs: -HOUR });
    expect(await follow(order)).toMatchObject({ state: "review" });
    await listNames([]);
    expect(await follow(order, 2 * HOUR)).toMatchObject({ state: "processing" });
  });

  it("stays a person's where the list gives the name to another service", async () => {
    const { user, order, name } = await namedStrangely(family);
    await succeed(order);
    await listNames([[other, name]]);
    expect(await follow(order)).toMatchObject({ state: "review", sealedSerial: null });
    expect(await booksOf(user)).toMatchObject({ escrow: order.amount });
  });

  it("goes by the price, where the list gives the name to another service as well", async () => {
    const { order, name } = await namedStrangely(family);
    await listNames([
      [ordered, name],
      [{ ...other, brand: ordered.brand }, name],
    ]);
    const price = new RegExp(`"price":${order.supplierAmount}\\b`, "g");
    const dearer = (text: string) => text.replaceAll(price, `"price":${order.supplierAmount + 77}`);
    expect(await follow(order, 60_000, dearer)).toMatchObject({ state: "review" });
    expect(await follow(order, 2 * HOUR)).toMatchObject({ state: "processing" });
  });

  it("stays a person's where the list has the service no more", async () => {
    const { order, name } = await namedStrangely(family);
    await listNames([[ordered, name]]);
    await run(sql`update topup_services set status = 'gone' where id = ${order.serviceId}`);
    expect(await follow(order)).toMatchObject({ state: "review" });
  });

  it("is told by a list after two services have swapped their names, not by the one before", async () => {
    await rename(ordered, other.name);
    await rename(other, ordered.name);
    const one = await orderNamed(family);
    expect(one.order).toMatchObject({ state: "review" });
    await succeed(one.order);
    await listNames([]);
    expect(await follow(one.order)).toMatchObject({ state: "review", sealedSerial: null });
    await listNames([
      [ordered, other.name],
      [other, ordered.name],
    ]);
    await follow(one.order, 2 * HOUR);
    await expectDelivered(one);
  });

  it("is told by a list after it, once it is called again what it was", async () => {
    const one = await namedStrangely(family);
    await rename(ordered, ordered.name);
    await succeed(one.order);
    await run(
      sql`delete from topup_syncs where started_at >= ${one.order.attemptAt?.toISOString()}`,
    );
    expect(await follow(one.order)).toMatchObject({ state: "review" });
    await listNames([[ordered, ordered.name]]);
    await follow(one.order, 2 * HOUR);
    await expectDelivered(one);
  });

  it("stays a person's where a later word is for somebody else, also that of its failure", async () => {
    const { user, order, name } = await namedStrangely(family);
    await succeed(order);
    await listNames([[ordered, name]]);
    const others = (text: string) => text.replaceAll(order.target, "081200000000");
    expect(await follow(order, 60_000, others)).toMatchObject({ state: "review" });
    await hand("fail", order.trxid ?? "", { force: true });
    expect(await follow(order, 2 * HOUR, others)).toMatchObject({ state: "review" });
    expect(await booksOf(user)).toMatchObject({ escrow: order.amount });
  });

  it("stays as a person ended it meanwhile", async () => {
    const { user, order, name } = await namedStrangely(family);
    await succeed(order);
    await settleByHand(bench().ctx, { orderId: order.id, as: "refunded", reason: "barang lain" });
    await listNames([[ordered, name]]);
    expect(await follow(order, 2 * HOUR)).toMatchObject({ state: "refunded" });
    expect(await booksOf(user)).toEqual({ wallet: FUNDS, escrow: 0 });
  });

  it("ends once, whoever looks and whatever a person says at that moment", async () => {
    const all: Doubt[] = [];
    for (let n = 0; n < 8; n += 1) {
      await unname();
      const one = await namedStrangely(family);
      await succeed(one.order);
      all.push(one);
    }
    await listNames([[ordered, await rename(ordered)]]);
    // Of the last two nobody says anything.
    const words = all.map(async ({ order: { id: orderId } }, n) => {
      const word = { orderId, as: "refunded", reason: "barang lain" } as const;
      const said = n < 6 ? [settleByHand(bench().ctx, word)] : [];
      const [one] = await Promise.allSettled(said);
      return one?.status === "fulfilled" ? "refunded" : "success";
    });
    const looks = all.slice(0, 4).map(({ order }) => follow(order, 2 * HOUR));
    const [ends] = await Promise.all([Promise.all(words), ...looks]);
    for (const [n, { user, order }] of all.entries()) {
      expect((await theOrderOf(order.target)).state).toBe(ends[n]);
      const { amount } = order;
      const { "topup-refund": back = 0, "topup-paid": paid, ...kept } = await movesOf(order);
      expect([paid, back]).toEqual([amount, ends[n] === "refunded" ? amount : 0]);
      expect(Object.values(kept).reduce((sum, one) => sum + one, 0)).toBe(amount - back);
      expect(await booksOf(user)).toEqual({ wallet: FUNDS - amount + back, escrow: 0 });
    }
    expect(await sumOfLedger()).toBe(0);
  });
});

/** What a transaction does last that is to be overtaken: tells that it holds the order, and waits until somebody waits for it. */
const held = ({ number }: Order) => [
  rows(sql`select pg_advisory_xact_lock(hashtextextended(${number}, 0))`, z.unknown()),
  rows(
    sql`do $$ begin
      for n in 1..2000 loop
        exit when exists (select from pg_stat_activity a where pg_backend_pid() = any (pg_blocking_pids(a.pid)));
        perform pg_sleep(0.002);
      end loop;
    end $$`,
    z.unknown(),
  ),
];

/** Until that transaction is so far. */
const untilHeld = ({ number }: Order) =>
  expect
    .poll(async () => {
      const free = sql`select pg_try_advisory_xact_lock(hashtextextended(${number}, 0)) as free`;
      return (await testContext().db.run(rows(free, z.object({ free: z.boolean() }))))[0]?.free;
    })
    .toBe(false);

describe("a look that found the name on the list", () => {
  /** An order whose name a list has meanwhile, and what the supplier says of it. */
  async function known() {
    const one = await namedStrangely("game");
    await listNames([[NAMED.game.ordered, one.name]]);
    const { ctx } = bench({ timeoutMs: 3_000 });
    const trxid = one.order.trxid ?? "";
    const [purchase] = await ctx.providers.vipReseller.getOrderStatus("game", { trxid });
    if (!purchase) throw new Error("the supplier has no such purchase");
    return { ...one, ctx, update: await updateOf(ctx, one.order, purchase) };
  }
  const now = () => new Date().toISOString();

  it("changes nothing where a person ends the order before it", async () => {
    const { user, order, ctx, update } = await known();
    const word = { order_id: order.id, as: "refunded", reason: "barang lain", now: now() };
    const person = testContext().db.batch([
      call("topup_order_by_hand", word, z.unknown()),
      ...held(order),
    ]);
    await untilHeld(order);
    expect(await advance(ctx, [update])).toEqual([]);
    await person;
    expect(await theOrderOf(order.target)).toMatchObject({ state: "refunded" });
    expect(await booksOf(user)).toEqual({ wallet: FUNDS, escrow: 0 });
  });

  it("buys nothing again where another look did before it", async () => {
    const { order, ctx, update } = await known();
    const input = { updates: [update], now: now(), asked_from: now(), alert_to: "ops@x.id" };
    const other = testContext().db.batch([
      call("topup_orders_advance", input, z.unknown()),
      ...held(order),
    ]);
    await untilHeld(order);
    await advance(ctx, [update]);
    await other;
    const events = await testContext().db.run(
      rows(
        sql`select state from topup_order_events where order_id = ${order.id} order by seq`,
        z.object({ state: z.string() }),
      ),
    );
    expect(events.map(({ state }) => state).slice(-2)).toEqual(["review", "processing"]);
    expect((await alertsOf(order)).sort()).toEqual([TOLD, ASKED].sort());
  });
});

it("a partial end under a name that a list explains refunds the remainder", async () => {
  const { user, order, name } = await namedStrangely("social");
  await hand("partial", order.trxid ?? "", { remain: 400 });
  expect(await follow(order)).toMatchObject({ state: "review" });
  await listNames([[NAMED.social.ordered, name]]);
  const ended = await follow(order, 2 * HOUR);
  expect(ended).toMatchObject({ state: "partial", remain: 400 });
  const refund = Math.ceil((order.amount * 400) / order.quantity);
  expect(await booksOf(user)).toEqual({ wallet: FUNDS - order.amount + refund, escrow: 0 });
});

it("a prepaid answer without a code, under a strange name, goes on once the supplier tells the code", async () => {
  const user = await customer(FUNDS);
  const phoneNumber = newPhone();
  await dial(phoneNumber, { stay: true });
  const twist = (text: string) =>
    text.replace(/"code":"\w+",/, "").replaceAll(SERVICES.credit.name, "Pulsa Hemat");
  const { ctx, settle } = bench({ actor: user, twist, timeoutMs: 3_000 });
  await placePrepaid(ctx, { service: SERVICES.credit.code, phoneNumber });
  await settle();
  const order = await theOrderOf(phoneNumber);
  expect(order).toMatchObject({ state: "review", reviewReason: expect.stringContaining("Hemat") });
  const other = (text: string) => text.replaceAll(`"code":"${order.code}"`, `"code":"S100"`);
  expect(await follow(order, 60_000, other)).toMatchObject({ state: "review" });
  expect(await follow(order, 2 * HOUR)).toMatchObject({ state: "processing", reviewReason: null });
});

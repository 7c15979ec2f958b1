import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { testContext } from "../../testing/api.ts";
import type { TestUser } from "../../testing/factories.ts";
import { bench } from "../testing/bench.ts";
import { lookAt } from "../testing/doubts.ts";
import {
  booksOf,
  ordersOf,
  purchasesOf,
  recover,
  SILENT_LONG,
  theOrderOf,
} from "../testing/outcomes.ts";
import {
  customer,
  dial,
  newPhone,
  SERVICES,
  stockShelves,
  type TestService,
} from "../testing/shop.ts";
import { latestPurchases } from "./follow.ts";
import type { Order } from "./order.ts";
import { placeGame, placePrepaid } from "./place.ts";
import { processOrder } from "./process.ts";

beforeAll(stockShelves);

const FUNDS = 1_000_000;
const { credit, more, fire, diamonds } = SERVICES;
const NOT_BOUGHT = { refuse: { value: 503, count: 1 } };
const BOUGHT = { timeOut: { value: true, count: 1 } };

async function doubt(user: TestUser, phoneNumber: string, fault: Record<string, unknown>) {
  await dial(phoneNumber, { stay: true, ...fault });
  const { ctx, settle } = bench({ actor: user, timeoutMs: 400 });
  await placePrepaid(ctx, { service: credit.code, phoneNumber, confirm: true });
  await settle();
}

/** A game's order in doubt. */
async function play(service: TestService, gameId: string, fault: Record<string, unknown>) {
  const user = await customer(FUNDS);
  await dial(gameId, { stay: true, ...fault });
  const zone = service === diamonds ? "2001" : null;
  const { number } = await placeGame(bench({ actor: user }).ctx, {
    service: service.code,
    gameId,
    zone,
  });
  const { ctx, settle } = bench({ actor: user, timeoutMs: 400 });
  await processOrder(ctx, { orderNumber: number });
  await settle();
  return user;
}

const statesOf = async (target: string) =>
  (await ordersOf(target)).map(({ state, trxid }) => ({ state, trxid }));

/** Somebody buys past us. */
const past = (service: string, target: string) =>
  bench({ timeoutMs: 3_000 }).ctx.providers.vipReseller.createPrepaidOrder({ service, target });

describe("without a person", () => {
  it.each([
    ["first", [BOUGHT, NOT_BOUGHT]],
    ["second", [NOT_BOUGHT, BOUGHT]],
  ])("one buyer's two like orders, the %s bought: one purchase, one refund", async (_, faults) => {
    const user = await customer(FUNDS);
    const phone = newPhone();
    for (const fault of faults) await doubt(user, phone, fault);
    await recover(phone);
    const [purchase] = await purchasesOf(phone);
    expect(await statesOf(phone)).toEqual([
      { state: "processing", trxid: purchase?.trxid },
      { state: "failed", trxid: null },
    ]);
    const books = { wallet: FUNDS - credit.price, escrow: credit.price };
    expect(await booksOf(user)).toEqual(books);
  });

  it("two buyers' like orders, where the purchase was seen before the second began", async () => {
    const [one, two] = [await customer(FUNDS), await customer(FUNDS)];
    const phone = newPhone();
    await doubt(one, phone, BOUGHT);
    await latestPurchases(bench({ timeoutMs: 3_000 }).ctx, "prepaid");
    // Long after: the second order is younger than what was seen.
    await back(await theOrderOf(phone), phone);
    await doubt(two, phone, NOT_BOUGHT);
    await recover(phone);
    const [purchase] = await purchasesOf(phone);
    expect(await statesOf(phone)).toEqual([
      { state: "processing", trxid: purchase?.trxid },
      { state: "failed", trxid: null },
    ]);
    expect(await booksOf(two)).toEqual({ wallet: FUNDS, escrow: 0 });
  });

  it("another service for the same target, bought past us", async () => {
    const user = await customer(FUNDS);
    const phone = newPhone();
    await doubt(user, phone, NOT_BOUGHT);
    await past(more.code, phone);
    expect(await recover(phone)).toMatchObject({ state: "failed" });
    expect(await booksOf(user)).toEqual({ wallet: FUNDS, escrow: 0 });
  });

  it("the same player's name in another zone, bought past us", async () => {
    const gameId = newPhone();
    const user = await play(diamonds, gameId, NOT_BOUGHT);
    const { vipReseller } = bench({ timeoutMs: 3_000 }).ctx.providers;
    await vipReseller.createGameOrder({ service: diamonds.code, target: gameId, zone: "2002" });
    expect(await recover(gameId)).toMatchObject({ state: "failed" });
    expect(await booksOf(user)).toEqual({ wallet: FUNDS, escrow: 0 });
  });

  it("a purchase whose zone is listed with a zero before it", async () => {
    const gameId = newPhone();
    await play(diamonds, gameId, BOUGHT);
    const [purchase] = await purchasesOf(gameId);
    const twist = (text: string) => text.replaceAll('"zone":"2001"', '"zone":"02001"');
    expect(await lookAt(await theOrderOf(gameId), SILENT_LONG, twist)).toMatchObject({
      state: "processing",
      trxid: purchase?.trxid,
    });
  });

  it("a purchase at a new price, where no other service has its name", async () => {
    const gameId = newPhone();
    await play(fire, gameId, { ...BOUGHT, priceChange: 10 });
    const [purchase] = await purchasesOf(gameId);
    expect(purchase?.price).toBeGreaterThan(fire.supplierPrice);
    expect(await recover(gameId)).toMatchObject({ state: "processing", trxid: purchase?.trxid });
  });
});

/** An hour has gone by since the order's attempt and since its purchase was seen. */
async function back({ id }: { id: string }, target: string) {
  const [purchase] = await purchasesOf(target);
  const { db } = testContext();
  const hour = sql`interval '1 hour'`;
  await db.run(
    rows(
      sql`with moved as (update topup_orders set attempt_at = attempt_at - ${hour},
          attempt_until = attempt_until - ${hour} where id = ${id} returning 1)
        update topup_supplier_sightings set seen_at = seen_at - interval '30 minutes'
        where trxid = ${purchase?.trxid ?? ""} and exists (select from moved)`,
      z.unknown(),
    ),
  );
}

describe("a list that is shorter than asked for is all there ever was", () => {
  /** Of a family that no other test has. */
  async function isWhole(trxids: string[], { asked = 100, family = crypto.randomUUID() } = {}) {
    const input = { rows: trxids.map((trxid) => ({ trxid })), asked, asked_at: new Date() };
    const [row] = await testContext().db.run(
      rows(
        sql`select topup_is_whole_list(o, ${JSON.stringify(input)}::jsonb) as whole
          from jsonb_populate_record(null::topup_orders, ${JSON.stringify({ family })}::jsonb) o`,
        z.object({ whole: z.boolean() }),
      ),
    );
    return row;
  }
  /** Somebody bought past us so many days ago, and a list had it. */
  const seen = (family: string, days: number) =>
    testContext().db.run(
      rows(
        sql`insert into topup_supplier_sightings (trxid, family, seen_at)
          values (${`${family}/${days}`}, ${family}, now() - interval '1 minute' - ${days} * interval '1 day')`,
        z.unknown(),
      ),
    );

  it("only when it has every purchase of the last 30 days that is known, though that be none", async () => {
    const family = crypto.randomUUID();
    expect(await isWhole([], { family })).toEqual({ whole: true });
    expect(await isWhole(["NOBODYS"], { family })).toEqual({ whole: true });
    expect(await isWhole(["NOBODYS"], { family, asked: 1 })).toEqual({ whole: false });
    await seen(family, 31);
    expect(await isWhole([], { family })).toEqual({ whole: true });
    await seen(family, 29);
    expect(await isWhole([], { family })).toEqual({ whole: false });
    expect(await isWhole([`${family}/29`], { family })).toEqual({ whole: true });
  });
});

describe("a family's first purchases: a list that may be cut there", () => {
  /** Whether silence is believed by a list of this purchase alone, so long after the first whole look. */
  async function isBelieved({ trxid, attemptAt }: Order, firstLookMs: number) {
    const at = (ms: number) => new Date((attemptAt?.getTime() ?? 0) + ms);
    const since = at(firstLookMs);
    const o = {
      family: "prepaid",
      attempt_at: at(-600_000),
      absent_since: since,
      newer_since: since,
    };
    const input = { rows: [{ trxid }], asked: 100, asked_at: at(firstLookMs + 301_000) };
    const [row] = await testContext().db.run(
      rows(
        sql`select topup_silence_is_believed(o, ${JSON.stringify(input)}::jsonb, 'whole') as believed
          from jsonb_populate_record(null::topup_orders, ${JSON.stringify(o)}::jsonb) o`,
        z.object({ believed: z.boolean() }),
      ),
    );
    return row?.believed;
  }

  it("proves nothing before it shows what was bought after it was first looked at", async () => {
    const phone = newPhone();
    await doubt(await customer(FUNDS), phone, {});
    const order = await theOrderOf(phone);
    expect(await isBelieved(order, 60_000)).toBe(false);
    expect(await isBelieved(order, -60_000)).toBe(true);
  });
});

import { sql } from "drizzle-orm";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { testContext } from "../../testing/api.ts";
import { bench } from "../testing/bench.ts";
import {
  alertsOf,
  booksOf,
  movesOf,
  purchasesOf,
  runOrderJob,
  sumOfLedger,
  theOrderOf,
} from "../testing/outcomes.ts";
import { customer, dial, hand, newPhone, SERVICES, shelve, stockShelves } from "../testing/shop.ts";
import { advance } from "./advance.ts";
import { recordAttempt } from "./attempt.ts";
import { settleByHand } from "./by-hand.ts";
import { followOrders } from "./follow.ts";
import { placePrepaid, placeSocial } from "./place.ts";
import { silenceOf } from "./purchase.ts";

beforeAll(stockShelves);
afterEach(async () => {
  await shelve(credit);
  await shelve(likes);
});

const FUNDS = 1_000_000;
const { credit, likes } = SERVICES;

async function buy(dials: Record<string, unknown> = {}, phone = newPhone()) {
  const user = await customer(FUNDS);
  await dial(phone, { stay: true, ...dials });
  const { ctx, settle } = bench({ actor: user, timeoutMs: 3_000 });
  await placePrepaid(ctx, { service: credit.code, phoneNumber: phone });
  await settle();
  return { user, order: await theOrderOf(phone) };
}

async function shelfOf(code: string) {
  const [row] = await testContext().db.run(
    rows(
      sql`select s.status, s.supplier_price::float8 as "supplierPrice", s.price::float8 as price,
          (select count(*) from topup_price_history h where h.service_id = s.id)::float8 as changes
        from topup_services s where s.code = ${code} and s.family <> 'game'`,
      z.object({
        status: z.string(),
        supplierPrice: z.number(),
        price: z.number(),
        changes: z.number(),
      }),
    ),
  );
  if (!row) throw new Error("no such service");
  return row;
}

describe("a service whose price is below its cost", () => {
  it.each([
    ["prepaid", credit.code, 1],
    ["social", likes.code, 1000],
  ])("is sold to nobody: %s", async (family, code, quantity) => {
    const user = await customer();
    const cost = (change: ReturnType<typeof sql>) =>
      testContext().db.run(
        rows(
          sql`select c.* from topup_services s, topup_order_cost(jsonb_populate_record(s, ${change}),
              ${user.userId}, ${quantity}) c where s.family = ${family} and s.code = ${code}`,
          z.object({ amount: z.coerce.number() }),
        ),
      );
    expect(await cost(sql`jsonb_build_object('price', s.supplier_price)`)).toHaveLength(1);
    await expect(
      cost(sql`jsonb_build_object('price', s.supplier_price - 1)`),
    ).rejects.toMatchObject({
      code: "not_found",
      message: "Service not available",
    });
  });
});

describe("an absurd price", () => {
  it.each([900_000_000_000, 9_000_000_000_000_000, Number.MAX_SAFE_INTEGER])(
    "of %i at the end of a purchase is not booked, and stops no other order",
    async (price) => {
      const { order: bad } = await buy();
      const { order: good } = await buy();
      for (const { trxid } of [bad, good]) await hand("succeed", trxid ?? "");
      const twist = (text: string) => {
        const answer = JSON.parse(text);
        for (const row of answer.data) if (row.trxid === bad.trxid) row.price = price;
        return JSON.stringify(answer);
      };
      await followOrders(bench({ laterMs: 60_000, twist, timeoutMs: 3_000 }).ctx);
      expect(await theOrderOf(good.target)).toMatchObject({ state: "success" });
      const { state, chargedAmount } = await theOrderOf(bad.target);
      expect([state, chargedAmount]).toEqual(["success", bad.chargedAmount]);
      expect(await alertsOf(bad)).toEqual(["Harga pembelian tidak masuk akal"]);
      expect(await movesOf(bad)).toMatchObject({ "topup-cost": credit.supplierPrice });
      expect(await sumOfLedger()).toBe(0);
    },
  );

  it("in the answer to an order keeps no goods from its buyer, and the service is off sale until the next sync", async () => {
    const { order } = await buy({ priceChange: 100 });
    const [purchase] = await purchasesOf(order.target);
    const { trxid } = purchase ?? {};
    expect(order).toMatchObject({ state: "processing", trxid, chargedAmount: null });
    expect(await alertsOf(order)).toEqual(["Harga pembelian tidak masuk akal"]);
    expect((await shelfOf(credit.code)).status).toBe("empty");
    await expect(buy()).rejects.toMatchObject({ message: "Service not available" });

    await hand("succeed", trxid ?? "");
    await followOrders(bench({ laterMs: 60_000, timeoutMs: 3_000 }).ctx);
    expect(await theOrderOf(order.target)).toMatchObject({ state: "success" });
    expect(await movesOf(order)).toMatchObject({ "topup-cost": credit.supplierPrice });
    expect(await alertsOf(order)).toHaveLength(1);
  });

  it("is booked where a person says that it was taken", async () => {
    const { order } = await buy({ priceChange: 100 });
    const chargedAmount = (await purchasesOf(order.target))[0]?.price ?? 0;
    const word = { orderId: order.id, as: "success", reason: "tagihan benar" } as const;
    await settleByHand(bench().ctx, { ...word, chargedAmount });
    const loss = chargedAmount - order.amount;
    expect(await movesOf(order)).toMatchObject({ "topup-cost": order.amount, "topup-loss": loss });
  });

  it("of what failed does not keep the money from its owner", async () => {
    const { user, order } = await buy();
    const failed = silenceOf(order.id, order.trxid ?? "", "missing");
    await advance(bench().ctx, [{ ...failed, outcome: "failed", charged: 900_000_000_000 }]);
    expect(await booksOf(user)).toEqual({ wallet: FUNDS, escrow: 0 });
  });
});

it("an update that cannot be recorded stops no other", async () => {
  const [{ order: bad }, { order: good }] = [await buy(), await buy()];
  const says = ({ id, trxid }: typeof good) => ({
    ...silenceOf(id, trxid ?? "", "missing"),
    outcome: "success" as const,
  });
  // More than the column holds.
  const ended = await advance(bench().ctx, [{ ...says(bad), remain: 3_000_000_000 }, says(good)]);
  expect(ended.map(({ id }) => id)).toEqual([good.id]);
  expect(await theOrderOf(bad.target)).toMatchObject({ state: "processing" });
});

describe("a service that was charged dearer than its list said", () => {
  it("is sold at the price that this makes, and the change is in its history", async () => {
    const before = await shelfOf(credit.code);
    const { order } = await buy({ priceChange: 40 });
    const after = await shelfOf(credit.code);
    expect(order.chargedAmount).toBeGreaterThan(credit.price);
    expect(after.supplierPrice).toBe(order.chargedAmount);
    expect(after.price).toBeGreaterThan(after.supplierPrice);
    expect(after.changes).toBe(before.changes + 1);

    const { order: next } = await buy({ priceChange: 40 });
    expect(next.amount).toBe(after.price);
    expect(next.amount).toBeGreaterThan(next.chargedAmount ?? 0);
    expect((await shelfOf(credit.code)).changes).toBe(after.changes);
  });

  it("per thousand is sold at the least price that comes to what was charged", async () => {
    const target = `@${newPhone()}`;
    await dial(target, { stay: true, priceChange: 40 });
    const { ctx, settle } = bench({ actor: await customer(FUNDS), timeoutMs: 3_000 });
    await placeSocial(ctx, { service: likes.code, target, quantity: 777 });
    await settle();
    const { chargedAmount } = await theOrderOf(target);
    const { supplierPrice, price } = await shelfOf(likes.code);
    const costAt = (perThousand: number) => Math.ceil((perThousand * 777) / 1000);
    expect(supplierPrice).toBeGreaterThan(likes.supplierPrice);
    expect(costAt(supplierPrice)).toBe(chargedAmount);
    expect(costAt(supplierPrice - 1)).toBeLessThan(chargedAmount ?? 0);
    expect(price).toBeGreaterThan(supplierPrice);
  });
});

describe("an order that waits for its turn", () => {
  async function deferred() {
    const user = await customer(FUNDS);
    const phone = newPhone();
    const say = { value: "Transaksi dibatasi, coba lagi dalam 6 detik.", count: 1 };
    await dial(phone, { stay: true, say });
    const { ctx, settle } = bench({ actor: user });
    await placePrepaid(ctx, { service: credit.code, phoneNumber: phone });
    await settle();
    const order = await theOrderOf(phone);
    expect(order.state).toBe("queued");
    return { user, order };
  }

  it.each([
    ["has become dearer than it was sold for", 3, "available"],
    ["is no longer there", 1, "gone"],
  ])("is refunded when its service %s", async (_, times, status) => {
    const { user, order } = await deferred();
    const dearer = {
      supplierPrice: credit.supplierPrice * times,
      price: credit.price * times,
    };
    await shelve({ ...credit, ...dearer }, { status });
    await runOrderJob(order, { laterMs: 12_000 });
    expect(await theOrderOf(order.target)).toMatchObject({ state: "failed" });
    expect(await purchasesOf(order.target)).toEqual([]);
    expect(await booksOf(user)).toEqual({ wallet: FUNDS, escrow: 0 });
  });

  it("is bought, at what it costs now, while that leaves no loss", async () => {
    const { order } = await deferred();
    await shelve({ ...credit, supplierPrice: credit.supplierPrice + 100 });
    await runOrderJob(order, { laterMs: 12_000 });
    expect(await theOrderOf(order.target)).toMatchObject({
      state: "processing",
      supplierAmount: credit.supplierPrice + 100,
    });
  });
});

it("an order that is over stays so when its late answer names the purchase of another", async () => {
  const { order: other } = await buy();
  const phone = newPhone();
  await expect(
    buy({ say: { value: "Layanan tidak ditemukan.", count: 1 } }, phone),
  ).rejects.toMatchObject({ code: "order_refused" });
  const order = await theOrderOf(phone);
  const { ctx } = bench({ timeoutMs: 3_000 });
  const [purchase] = await ctx.providers.vipReseller.getPrepaidOrderStatus({
    trxid: other.trxid ?? "",
  });
  if (!purchase) throw new Error("no purchase");
  await recordAttempt(ctx, order, { kind: "accepted", purchase });
  expect(await theOrderOf(phone)).toMatchObject({ state: "failed", trxid: null });
  expect(await alertsOf(order)).toEqual(["Jawaban terlambat dengan pembelian pesanan lain"]);
});

import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import type { z } from "zod";
import { jakartaDay } from "../../../shared/time/jakarta.ts";
import { api } from "../../testing/api.ts";
import { createUser, type TestUser } from "../../testing/factories.ts";
import { roundTrips } from "../../testing/round-trips.ts";
import type { DashboardShape } from "../schemas/admin.ts";
import { createShop, refusesStrangers, run } from "../testing/catalogue.ts";
import { completed, deliver, refundBooksOf, refundOf } from "../testing/money.ts";
import { booksOf, makePromo, openShop, sell, settle } from "../testing/sales.ts";

let admin: TestUser;
beforeAll(async () => {
  admin = await createUser(["admin"]);
});

type Day = z.output<typeof DashboardShape>["series"][number];

const call = (method: string, path: string) => api(path, { method, token: admin.token });

describe("GET /api/admin/dashboard", () => {
  const dashboard = async (storeId?: string) =>
    (await call("GET", `/api/admin/dashboard${storeId ? `?store_id=${storeId}` : ""}`)).body.data;

  it("counts what the market keeps: commission, less refunds, less its own promos", async () => {
    const began = jakartaDay(new Date());
    const shop = await openShop();
    const promoCode = await makePromo(shop, { value: 1, platform: true });
    await sell(shop);
    const open = await sell(shop);
    await settle(open);
    const promoted = await completed(await sell(shop, { promoCode }));
    const sale = await completed(await sell(shop));
    await refundOf(admin, sale, { amount: 10_000 });
    await deliver(sale);
    const { totals, series } = await dashboard(shop.store.id);
    expect(totals).toMatchObject({
      commission: 4_500,
      promo: 500,
      revenue: 4_000,
      orders: 3,
      sales: 68_000 * 3 - 500,
      open_orders: 2,
      stores: 1,
      products: 4,
    });
    const books = await Promise.all(
      [open, promoted, sale].flatMap((one) => [booksOf(one), refundBooksOf(one)]),
    );
    const kept = (kind: string) =>
      books
        .flat()
        .reduce(
          (all, { from, to, amount }) =>
            all + amount * (Number(to === kind) - Number(from === kind)),
          0,
        );
    expect([kept("commission"), kept("promo")]).toEqual([totals.commission, -totals.promo]);
    expect(series).toHaveLength(30);
    // Midnight may have passed meanwhile: then it was two days.
    const sold: Day[] = series.filter(({ orders, revenue }: Day) => orders + revenue !== 0);
    const sum = (field: keyof Day) => sold.reduce((all, day) => all + Number(day[field]), 0);
    expect(sold.every(({ date }) => date >= began)).toBe(true);
    expect([sum("orders"), sum("sales")]).toEqual([3, 68_000 * 3 - 500]);
    expect([sum("commission"), sum("promo"), sum("revenue")]).toEqual([4_500, 500, 4_000]);
  });

  it("counts by the days of Jakarta, and forgets none of all time", async () => {
    const { store } = await createShop();
    const midnight = Date.parse(`${jakartaDay(new Date())}T00:00:00+07:00`);
    for (const [at, commission] of [
      [midnight, 1],
      [midnight - 1, 20],
      [midnight - 86_400_000, 300],
      [midnight - 40 * 86_400_000, 4_000],
    ] as const) {
      const happened = new Date(at).toISOString();
      await run(
        sql`select market_count(${store.id}::uuid, ${happened}::timestamptz, 1, 0, ${commission}, 0)`,
      );
    }
    const { totals, series } = await dashboard(store.id);
    expect(totals).toMatchObject({ revenue: 4_321, orders: 4 });
    const earned = series.filter(({ revenue }: Day) => revenue !== 0);
    expect(earned.map(({ date, revenue }: Day) => [date, revenue])).toEqual([
      [jakartaDay(new Date(midnight - 1)), 320],
      [jakartaDay(new Date(midnight)), 1],
    ]);
  });

  it("names the latest orders and stores, of the market or of one store", async () => {
    const shop = await openShop();
    const sales = [await sell(shop), await sell(shop)];
    const { recent_orders: orders, recent_stores: stores } = await dashboard(shop.store.id);
    expect(orders.map(({ id }: { id: string }) => id)).toEqual([
      sales[1]?.orderId,
      sales[0]?.orderId,
    ]);
    expect(orders[0]).toEqual({
      id: sales[1]?.orderId,
      number: sales[1]?.number,
      status: "pending",
      source: "web",
      total_amount: 68_000,
      buyer_name: expect.any(String),
      store: { id: shop.store.id, name: expect.any(String), slug: shop.store.slug },
      created_at: expect.stringMatching(/Z$/),
    });
    expect(stores).toEqual([expect.objectContaining({ id: shop.store.id, status: "active" })]);
    const market = await dashboard();
    expect(market.recent_orders.length).toBeGreaterThanOrEqual(2);
    expect(market.recent_orders.length).toBeLessThanOrEqual(10);
    expect(market.recent_stores.length).toBeLessThanOrEqual(10);
    const times = market.recent_orders.map(({ created_at }: { created_at: string }) => created_at);
    expect(times).toEqual(times.toSorted().toReversed());
  });

  it("is of the whole market without a store, for admins, in one round trip", async () => {
    const trips = await roundTrips(async () => {
      const { body } = await call("GET", "/api/admin/dashboard");
      expect(body).toMatchObject({ error: null, data: { series: expect.any(Array) } });
      expect(body.data.totals.users).toBeGreaterThan(0);
    });
    expect(trips).toBe(1);
    await refusesStrangers("/api/admin/dashboard", {}, "admin");
    expect((await call("GET", "/api/admin/dashboard?store_id=x")).status).toBe(400);
  });
});

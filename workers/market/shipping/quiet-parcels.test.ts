import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../shared/db/statement.ts";
import { api, testContext } from "../../testing/api.ts";
import { run } from "../testing/catalogue.ts";
import { cancelOf } from "../testing/money.ts";
import {
  courierContext,
  courierDial,
  handedOver,
  handOver,
  moneyOf,
  moveParcel,
  news,
  PAID_OUT,
  parcelOfSale,
} from "../testing/parcels.ts";
import { jobsOf, openShop, type Sale, type Shop, sell, settle } from "../testing/sales.ts";
import { followQuietParcels, giveUpQuietParcels } from "./courier-news.ts";

let shop: Shop;

beforeAll(async () => {
  shop = await openShop();
});

describe("parcels without news for a while", () => {
  const quiet = (sale: Sale, hours: number) =>
    run(sql`update market_shipments set updated_at = now() - ${hours}::float8 * interval '1 hour'
      where order_id = ${sale.orderId}`);

  it("are all asked about in one run, however many they are", async () => {
    const sale = await handedOver();
    await moveParcel(sale, "shipped");
    // Parcels that have waited longer, and of which the courier knows nothing.
    await run(sql`with others as (
        insert into market_orders select n.* from market_orders o, generate_series(1, 60) i,
          jsonb_populate_record(o, jsonb_build_object('id', uuidv7(), 'number', o.number || '-' || i,
            'payment_id', null, 'status', 'cancelled')) n
        where o.id = ${sale.orderId} returning id, number)
      insert into market_shipments (order_id, courier, service, shipping_cost, kiriminaja_order_id, requested_at, updated_at)
      select id, 'jne', 'REG', 0, number, now(), now() - interval '9 hours' from others`);
    await quiet(sale, 7);
    await followQuietParcels(courierContext());
    expect((await parcelOfSale(sale)).status).toBe("in_transit");
  });

  it("are asked about; one that fails is asked again within the hour and holds up no other", async () => {
    const [bad, good, fresh] = [await sell(shop), await sell(shop), await sell(shop)];
    for (const sale of [bad, good, fresh]) {
      await handOver(sale);
      await moveParcel(sale, "shipped");
    }
    await quiet(bad, 8);
    await quiet(good, 7);
    await courierDial(bad.number, { refuse: 503 });
    await followQuietParcels(courierContext());
    expect((await parcelOfSale(good)).status).toBe("in_transit");
    expect((await parcelOfSale(bad)).status).toBe("pending");
    expect((await parcelOfSale(fresh)).status).toBe("pending");
    await courierDial(bad.number);
    await run(
      sql`update market_shipments set updated_at = updated_at - interval '1 hour' where order_id = ${bad.orderId}`,
    );
    await followQuietParcels(courierContext());
    expect((await parcelOfSale(bad)).status).toBe("in_transit");
  });

  it("are asked for their waybill after half an hour, as long as they have none", async () => {
    const [without, fresh, withOne] = [await sell(shop), await sell(shop), await sell(shop)];
    for (const sale of [without, fresh, withOne]) {
      await handOver(sale);
      await moveParcel(sale, "processed");
    }
    await news(withOne, "processed", "processed_packages");
    await moveParcel(withOne, "shipped");
    await quiet(without, 0.52);
    await quiet(fresh, 0.4);
    await quiet(withOne, 0.52);
    await followQuietParcels(courierContext());
    expect((await parcelOfSale(without)).tracking).toEqual(expect.any(String));
    expect((await parcelOfSale(fresh)).tracking).toBeNull();
    expect((await parcelOfSale(withOne)).status).toBe("pending");
  });

  it("and called cancelled are asked about for a week while their money is held: one may carry them all the same", async () => {
    const sales = await Promise.all([1, 2, 3, 4].map(() => sell(shop)));
    const [carried, old, fresh, back] = sales as [Sale, Sale, Sale, Sale];
    for (const sale of sales) {
      await handOver(sale);
      await news(sale, "canceled", "canceled_packages");
      await moveParcel(sale, "shipped");
    }
    expect((await cancelOf(back.seller, back)).status).toBe(200);
    for (const sale of [carried, old, back]) await quiet(sale, 1.1);
    await heard(old, 8, "1.1 hours");
    await followQuietParcels(courierContext());
    expect(await parcelOfSale(carried)).toMatchObject({ order: "shipped", status: "in_transit" });
    for (const sale of [old, fresh, back]) {
      expect((await parcelOfSale(sale)).status).toBe("cancelled");
    }
  });

  const heard = (sale: Sale, days: number, touched = "7 hours") =>
    run(sql`with h as (update market_shipments set requested_at = now() - make_interval(days => ${days}::int),
        updated_at = now() - ${touched}::interval where order_id = ${sale.orderId} returning id)
      update market_shipment_events e set created_at = now() - make_interval(days => ${days}::int)
      from h where e.shipment_id = h.id`);
  const lost = async () => {
    const sale = await handedOver();
    await news(sale, "shipped", "shipped_packages");
    await news(sale, "lost", "rejected_packages");
    return sale;
  };
  const asked = async ({ orderId }: Sale) => {
    const query = sql`select updated_at > now() - interval '1 minute' as "isAsked", given_up_at is not null as "isGivenUp"
      from market_shipments where order_id = ${orderId}`;
    const State = z.object({ isAsked: z.boolean(), isGivenUp: z.boolean() });
    return (await testContext().db.run(rows(query, State)))[0];
  };

  it("are asked about ever more seldom", async () => {
    const [fresh, old] = [await lost(), await lost()];
    await heard(fresh, 1);
    await heard(old, 10);
    await followQuietParcels(courierContext());
    expect(await asked(fresh)).toEqual({ isAsked: true, isGivenUp: false });
    expect(await asked(old)).toEqual({ isAsked: false, isGivenUp: false });
  });

  const people = async (sale: Sale) =>
    (await jobsOf(sale)).filter((key) => key.includes("quiet")).map((key) => key.split("/*")[0]);
  const TOLD = ["mail/alert/parcel-quiet", "mail/parcel_quiet", "mail/parcel_quiet_buyer"];

  it("that the seller sent and its buyer never confirms, or that nobody sent, are handed to people too", async () => {
    const [sent, waiting, arrived] = [await sell(shop), await sell(shop), await sell(shop)];
    for (const sale of [sent, waiting, arrived]) await settle(sale);
    const { token } = shop.seller;
    for (const { orderId: order_id, number } of [sent, arrived]) {
      const json = { order_id, courier: "JNE", tracking_code: `R${number}`, status: "in_transit" };
      expect((await api("/api/seller/shipping", { method: "PUT", token, json })).status).toBe(200);
    }
    const received = `/api/buyer/orders/${arrived.orderId}/received`;
    expect((await api(received, { method: "POST", token: shop.buyer.token })).status).toBe(200);
    for (const { orderId } of [sent, waiting, arrived]) {
      await run(
        sql`update market_shipments set created_at = now() - interval '31 days' where order_id = ${orderId}`,
      );
      await run(sql`update market_shipment_events e set created_at = now() - interval '31 days'
        from market_shipments h where h.id = e.shipment_id and h.order_id = ${orderId}`);
    }
    for (let run = 0; run < 2; run += 1) await giveUpQuietParcels(courierContext());
    const told = await Promise.all([sent, waiting, arrived].map(people));
    expect(told).toEqual([TOLD, TOLD, []]);
    // Its buyer was asked whether he has it: he can say so, although nobody said that it was sent.
    const { token: buyer } = shop.buyer;
    const has = `/api/buyer/orders/${waiting.orderId}/received`;
    expect((await api(has, { method: "POST", token: buyer })).status).toBe(200);
    expect(await parcelOfSale(waiting)).toMatchObject({ order: "delivered", cost: 0 });
  });

  it("for a month are handed to people, once, and asked about no more; what still comes counts", async () => {
    const sale = await lost();
    await heard(sale, 31);
    for (let run = 0; run < 2; run += 1) await giveUpQuietParcels(courierContext());
    await followQuietParcels(courierContext());
    expect(await people(sale)).toEqual(TOLD);
    expect(await asked(sale)).toEqual({ isAsked: false, isGivenUp: true });
    await news(sale, "finished", "finished_packages");
    expect(await moneyOf(sale)).toEqual(PAID_OUT);
    expect(await asked(sale)).toMatchObject({ isGivenUp: false });
  });
});

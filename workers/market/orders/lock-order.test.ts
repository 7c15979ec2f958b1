import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { clientOf } from "../../../shared/db/client.ts";
import { rows } from "../../../shared/db/statement.ts";
import { api, testContext } from "../../testing/api.ts";
import {
  createProduct,
  createUser,
  type TestProduct,
  type TestStore,
  unique,
} from "../../testing/factories.ts";
import { COURIER_AREA, order, readStock } from "../../testing/orders.ts";
import { agreedTalkOf } from "../assistant/testing/proposals.ts";
import { actionsOf, undo } from "../assistant/testing/talk.ts";
import { run } from "../testing/catalogue.ts";
import { pause } from "../testing/pause.ts";
import { makePromo, openShop, sell, settle, usesOf } from "../testing/sales.ts";

/** How a function's call ends, by SQLSTATE: sent past our own client, which would hide a deadlock by asking again. */
async function ends(name: string, input: object): Promise<string> {
  const { DATABASE_URL: databaseUrl, DATABASE_HTTP_URL: databaseHttpUrl } = testContext().config;
  const client = clientOf({ databaseUrl, databaseHttpUrl });
  return await client.query(`select ${name}($1::jsonb)`, [JSON.stringify(input)]).then(
    () => "done",
    (error: { code?: string }) => error.code ?? "lost",
  );
}

const deletes = ({ id }: TestStore) =>
  ends("market_admin_store_delete", { store_id: id, defer: false, actor_id: null, audit: {} });

/** What `app_error` raises: here, that the store has open orders. */
const REFUSED = "LB001";

/** The product is for sale in a shop elsewhere too, which is told of every change. */
async function listElsewhere({ id }: TestStore, product: TestProduct): Promise<string> {
  const connection = crypto.randomUUID();
  await run(sql`with c as (
      insert into market_connections (id, store_id, platform, status, shop_id)
      values (${connection}, ${id}, 'lazada', 'error', ${unique("shop")}) returning id)
    insert into market_listings (product_id, connection_id) select ${product.id}, c.id from c`);
  return connection;
}

/** Any change of this product. */
const changing = (id: string) =>
  `before update on market_products for each row when (old.id = '${id}')`;

describe("an admin who deletes a store", () => {
  it("waits for a checkout that has its promo code, and finds its order", async () => {
    const shop = await openShop();
    const product = await createProduct(shop.store);
    const promoCode = await makePromo(shop);
    await using stop = await pause(
      `before insert on market_orders for each row when (new.store_id = '${shop.store.id}')`,
    );
    const ordering = order(shop.buyer, shop.store, [[product, 1]], { promoCode });
    await stop.reached();
    expect(await deletes(shop.store)).toBe(REFUSED);
    expect((await ordering).status).toBe(201);
  });

  it("waits for a checkout whose product shops elsewhere sell too", async () => {
    const shop = await openShop();
    const product = await createProduct(shop.store);
    await listElsewhere(shop.store, product);
    await using stop = await pause(
      `before insert on market_orders for each row when (new.store_id = '${shop.store.id}')`,
    );
    const ordering = order(shop.buyer, shop.store, [[product, 1]]);
    await stop.reached();
    expect(await deletes(shop.store)).toBe(REFUSED);
    expect((await ordering).status).toBe(201);
  });

  it("waits for an order that comes from a shop elsewhere", async () => {
    const { store } = await openShop();
    const product = await createProduct(store);
    const connection_id = await listElsewhere(store, product);
    await using stop = await pause(
      `before insert on market_orders for each row when (new.store_id = '${store.id}')`,
    );
    const now = new Date().toISOString();
    const line = {
      line_id: "1",
      sku: product.id,
      item_id: "i",
      name: "x",
      quantity: 1,
      price: 5,
      status: "to_ship",
    };
    const told = {
      id: unique("R"),
      status: "to_ship",
      status_text: "x",
      created_at: now,
      updated_at: now,
    };
    const taking = ends("market_marketplace_order", {
      connection_id,
      order: { ...told, lines: [line] },
    });
    await stop.reached();
    expect(await deletes(store)).toBe(REFUSED);
    expect(await taking).toBe("done");
  });
});

describe("a change of a product", () => {
  const read = async ({ id }: TestProduct) => {
    const query = sql`select price, deleted_at is not null as gone from market_products where id = ${id}`;
    const shape = z.object({ price: z.coerce.number(), gone: z.boolean() });
    return (await testContext().db.run(rows(query, shape)))[0];
  };

  it.each(["seller", "admin"] as const)(
    "holds its store first: a store's deletion comes after its %s's deletion of a product",
    async (role) => {
      const { store, seller } = await openShop();
      const product = await createProduct(store);
      const { token } = role === "admin" ? await createUser(["admin"]) : seller;
      await using stop = await pause(changing(product.id));
      const removing = api(`/api/${role}/products/${product.id}`, { method: "DELETE", token });
      await stop.reached();
      expect(await deletes(store)).toBe("done");
      expect((await read(product))?.gone).toBe(true);
      expect((await removing).status).toBe(200);
    },
  );

  it("that the assistant made is taken back before its store is deleted, not across it", async () => {
    const { seller, product, store } = await agreedTalkOf(({ id }) => [
      ["update_product", { product_id: id, price: 40_000 }],
    ]);
    const [action] = await actionsOf(seller);
    await using stop = await pause(changing(product.id));
    const undoing = undo(seller, action.id);
    await stop.reached();
    expect(await deletes(store)).toBe("done");
    expect((await read(product))?.price).toBe(50_000);
    expect((await undoing).status).toBe(200);
  });
});

describe("a photo that is begun", () => {
  it("waits for no checkout that takes one of the last pieces of its product", async () => {
    const { store, seller, buyer } = await openShop();
    const product = await createProduct(store, { stock: 3 });
    await using stop = await pause(
      `before update on market_products for each row when (old.id = '${product.id}' and new.reserved > old.reserved)`,
    );
    const ordering = order(buyer, store, [[product, 1]]);
    await stop.reached();
    const photo = { user_id: seller.userId, product_id: product.id, source_url: unique("/x") };
    expect(await ends("market_photo_begin", { ...photo, per_day: 10 })).toBe("done");
    // A deletion does wait, and thereby ends the pause.
    expect(await deletes(store)).toBe(REFUSED);
    expect((await ordering).status).toBe(201);
  });

  it("waits for no settlement and no refund of its product", async () => {
    const [shop, admin] = [await openShop(), await createUser(["admin"])];
    const paid = await sell(shop);
    const refunded = await sell(shop);
    await settle(refunded);
    const acts: [typeof paid, () => Promise<unknown>][] = [
      [paid, () => settle(paid)],
      [
        refunded,
        () =>
          ends("market_order_refund", {
            order_id: refunded.orderId,
            reason: "Rusak",
            restock: true,
            actor_id: admin.userId,
            audit: {},
          }),
      ],
    ];
    for (const [{ product }, act] of acts) {
      await using stop = await pause(changing(product.id));
      const acting = act();
      await stop.reached();
      const photo = {
        user_id: shop.seller.userId,
        product_id: product.id,
        source_url: unique("/x"),
      };
      expect(await ends("market_photo_begin", { ...photo, per_day: 10 })).toBe("done");
      await stop.reached();
      expect([REFUSED, "done"]).toContain(await deletes(shop.store));
      await acting;
    }
  });
});

describe("a refund that gives promo and goods back", () => {
  it("waits for a checkout of the same goods with the same code, and both go through", async () => {
    const [shop, admin] = [await openShop(), await createUser(["admin"])];
    const promoCode = await makePromo(shop, { platform: true });
    const sale = await sell(shop, { promoCode });
    await settle(sale);
    await using stop = await pause(
      `before update on market_products for each row when (old.id = '${sale.product.id}' and new.reserved > old.reserved)`,
    );
    const ordering = order(await createUser(), shop.store, [[sale.product, 1]], {
      promoCode,
      originAreaId: COURIER_AREA,
    });
    await stop.reached();
    const refunding = ends("market_order_refund", {
      order_id: sale.orderId,
      reason: "Rusak",
      restock: true,
      actor_id: admin.userId,
      audit: {},
    });
    expect(await refunding).toBe("done");
    expect((await ordering).status).toBe(201);
    expect(await readStock(sale.product)).toEqual({ stock: 10, reserved: 1 });
    expect(await usesOf(promoCode)).toBe(1);
  });
});

import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { rows } from "../../../../shared/db/statement.ts";
import { testContext } from "../../../testing/api.ts";
import { createUser, unique } from "../../../testing/factories.ts";
import { findJob } from "../../../testing/orders.ts";
import { setFlags } from "../../admin/flags.ts";
import { deleteStore, finishStoreDeletions } from "../../admin/stores.ts";
import { run } from "../../testing/catalogue.ts";
import { marketplaceHourlyChores } from "../chores.ts";
import { connectShop, disconnectShop } from "../connections/connect.ts";
import { pushChanges } from "../pushes.ts";
import { syncProducts } from "../sync.ts";
import { move, ordersOf, place, shelf } from "../testing/channel.ts";
import { fault } from "../testing/faults.ts";
import { connectionOf, type Market, poll, pumpDry } from "../testing/market-bench.ts";

/** A store that is to be deleted with the end of an order that a marketplace took. */
async function waiting() {
  const { market, product } = await shelf();
  const made = place(market, [[product, 1]], "shipped");
  await poll(market);
  const admin = await createUser(["admin"]);
  const asked = await deleteStore({ ...testContext(), actor: admin }, market.store.id, true);
  expect(asked).toMatchObject({ deleted: false, open_orders: 1 });
  return { market, made };
}

/** Whether the store is gone after the cron's next look. */
async function isGone({ store }: Market): Promise<boolean> {
  await finishStoreDeletions(testContext());
  const query = sql`select deleted_at is not null as gone from market_stores where id = ${store.id}`;
  const [found] = await testContext().db.run(rows(query, z.object({ gone: z.boolean() })));
  return found?.gone ?? false;
}

describe("a store that is deleted", () => {
  it("has nothing on sale elsewhere any more, and then keeps no access, its syncing switched off or not", async () => {
    const { market, product } = await shelf();
    await syncProducts(market.ctx, { platform: "lazada" });
    await pumpDry(market);
    const admin = await createUser(["admin"]);
    const ctx = { ...testContext(), actor: admin };
    await setFlags(ctx, market.store.id, { marketplace_sync: false });
    expect(await deleteStore(ctx, market.store.id, false)).toMatchObject({ deleted: true });
    await Promise.all(marketplaceHourlyChores(testContext()));
    expect(await connectionOf(market)).toMatchObject({ status: "connected" });
    await pushChanges(market.ctx);
    await pumpDry(market);
    expect(market.fake.item(product.id)?.status).toBe("unlisted");
    await Promise.all(marketplaceHourlyChores(testContext()));
    const left = { status: "disconnected", access_token_enc: null, refresh_token_enc: null };
    expect(await connectionOf(market)).toMatchObject(left);
  });

  it("is not left on sale where the shop refuses: it is asked again, and after three days the operator is told", async () => {
    const { market, product } = await shelf();
    await syncProducts(market.ctx, { platform: "lazada" });
    await pumpDry(market);
    const admin = await createUser(["admin"]);
    await deleteStore({ ...testContext(), actor: admin }, market.store.id, false);
    let asked = 0;
    market.fake.faults.before = ({ name }) => {
      if (name !== "setListed") return;
      asked += 1;
      throw fault("rejected");
    };
    const anHour = async () => {
      await pushChanges(market.ctx);
      await pumpDry(market);
      await Promise.all(marketplaceHourlyChores(testContext()));
    };
    await anHour();
    await anHour();
    expect([asked, (await connectionOf(market)).status]).toEqual([2, "connected"]);
    const { id } = await connectionOf(market);
    const key = `mail/alert/marketplace-left/${id}`;
    expect(await findJob(key)).toBeNull();
    await run(
      sql`update market_stores set deleted_at = now() - interval '3 days' where id = ${market.store.id}`,
    );
    await anHour();
    expect(market.fake.item(product.id)?.status).toBe("live");
    expect(await connectionOf(market)).toMatchObject({ status: "disconnected" });
    expect(await findJob(key)).not.toBeNull();
  });

  it("hears of the orders that were placed before its listings came off the shelf, to their end", async () => {
    const { market, product } = await shelf();
    const admin = await createUser(["admin"]);
    await deleteStore({ ...testContext(), actor: admin }, market.store.id, false);
    const made = place(market, [[product, 1]]);
    await poll(market);
    await Promise.all(marketplaceHourlyChores(testContext()));
    expect(await connectionOf(market)).toMatchObject({ status: "connected" });
    move(made, "delivered");
    await poll(market);
    expect(await ordersOf(market)).toMatchObject([{ status: "delivered" }]);
    await Promise.all(marketplaceHourlyChores(testContext()));
    expect(await connectionOf(market)).toMatchObject({ status: "disconnected" });
  });
});

describe("a deletion that waits for an order of a marketplace", () => {
  it("comes with the order's end, of which the shop tells while it is connected", async () => {
    const { market, made } = await waiting();
    expect(await isGone(market)).toBe(false);
    move(made, "delivered");
    await poll(market);
    expect(await isGone(market)).toBe(true);
  });

  it("comes when the seller has left that marketplace, which tells nothing any more", async () => {
    const { market } = await waiting();
    await disconnectShop(market.ctx, "lazada");
    expect(await isGone(market)).toBe(true);
  });

  it("waits a month for a shop that must be connected again, not for ever", async () => {
    const { market } = await waiting();
    const { id } = await connectionOf(market);
    await run(
      sql`update market_connections set status = 'error', status_reason = 'x' where id = ${id}`,
    );
    expect(await isGone(market)).toBe(false);
    await run(
      sql`update market_orders set updated_at = now() - interval '31 days' where store_id = ${market.store.id}`,
    );
    expect(await isGone(market)).toBe(true);
  });

  it("waits no longer for orders of a shop whose place another one has taken", async () => {
    const { market } = await waiting();
    await connectShop(market.ctx, {
      platform: "lazada",
      code: market.fake.grant(unique("another")),
    });
    expect(await isGone(market)).toBe(true);
  });
});

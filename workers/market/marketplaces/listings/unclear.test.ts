import { sql } from "drizzle-orm";
import { describe, expect, it } from "vitest";
import type { TestProduct } from "../../../testing/factories.ts";
import { pushChanges } from "../pushes.ts";
import { type FakeCall, fault } from "../testing/faults.ts";
import {
  beginSync,
  change,
  connectedMarket,
  later,
  listable,
  listed,
  listingOf,
  mortal,
  pumpDry,
  pumpOnce,
} from "../testing/market-bench.ts";

const set = ({ id }: TestProduct, field: string, value: unknown) =>
  change(sql`update market_products set ${sql.raw(field)} = ${value} where id = ${id}`);

describe("a change that arrived although nobody heard so, and that is taken back here", () => {
  it.each([
    ["setStocks", "stock", 9, 10],
    ["setPrices", "price", 31_000, 25_000],
    ["setListed", "status", "archived", "active"],
    ["updateListing", "description", "Lain", null],
  ] as const)("is taken back there too: %s timed out", async (call, field, changed, before) => {
    const { market, product } = await listed({ stock: 10 });
    const shown = { ...market.fake.item(product.id) };
    await set(product, field, changed);
    market.fake.faults.after = ({ name }) => {
      if (name !== call) return;
      market.fake.faults = {};
      throw fault("unknown");
    };
    await pushChanges(market.ctx);
    await pumpOnce(market);
    await set(product, field, before);
    await later(market);
    expect(market.fake.item(product.id)).toEqual(shown);
    expect(await listingOf(market, product)).toMatchObject({ sync_status: "synced", dirty: false });
  });

  it.each([
    ["stock", 9, 10],
    ["status", "archived", "active"],
  ] as const)(
    "is taken back there too: its worker died behind the call (%s)",
    async (field, changed, before) => {
      const { market, product } = await listed({ stock: 10 });
      const shown = { ...market.fake.item(product.id) };
      await set(product, field, changed);
      await pushChanges(market.ctx);
      // The tokens, the lease and the claim come before it.
      const dying = mortal(market, 4, "after");
      expect(await Promise.race([pumpOnce(market, dying.ctx), dying.killed])).toBe("killed");
      expect(market.fake.item(product.id)).not.toEqual(shown);
      await set(product, field, before);
      await later(market);
      expect(market.fake.item(product.id)).toEqual(shown);
    },
  );

  it("is taken back there too, although putting it back on the shelf fails at first", async () => {
    const { market, product } = await listed();
    await set(product, "status", "archived");
    const once = (act: () => void) => (call: FakeCall) => {
      if (call.name !== "setListed") return;
      market.fake.faults = {};
      act();
    };
    market.fake.faults.after = once(() => {
      throw fault("unknown");
    });
    await pushChanges(market.ctx);
    await pumpOnce(market);
    await set(product, "status", "active");
    market.fake.faults.before = once(() => {
      throw fault("rate_limited", "pelan", 1);
    });
    await later(market);
    expect(market.fake.item(product.id)?.status).toBe("live");
  });

  it.each(["answer was lost", "worker died"])(
    "is taken off the shelf where it was its creation, whose %s",
    async (how) => {
      const market = await connectedMarket();
      const product = await listable(market);
      const created = Promise.withResolvers<void>();
      market.fake.faults.after = ({ name }) => {
        if (name !== "createListing") return;
        market.fake.faults = {};
        created.resolve();
        if (how === "answer was lost") throw fault("unknown");
        return new Promise(() => undefined);
      };
      await beginSync(market);
      const working = pumpOnce(market);
      await created.promise;
      if (how === "answer was lost") await working;
      await set(product, "status", "archived");
      await later(market);
      expect(market.fake.item(product.id)?.status).toBe("unlisted");
    },
  );
});

it("a sale while a product is put up that could not be before is pushed", async () => {
  const market = await connectedMarket();
  const product = await listable(market, { name: "ab", stock: 10 });
  await beginSync(market);
  await pumpDry(market);
  expect(await listingOf(market, product)).toMatchObject({ sync_status: "error", dirty: false });
  await set(product, "name", "Kopi bubuk");
  market.fake.faults.before = async ({ name }) => {
    if (name === "createListing") await set(product, "stock", 9);
  };
  await later(market);
  expect(market.fake.item(product.id)?.stock).toBe(9);
});

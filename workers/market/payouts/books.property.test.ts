import { beforeAll, expect, it } from "vitest";
import { createUser, type TestUser } from "../../testing/factories.ts";
import { balance } from "../../testing/orders.ts";
import { dice } from "../testing/dice.ts";
import {
  askPayout,
  cancelOf,
  decide,
  deliver,
  purseOf,
  refundBooksOf,
  refundOf,
  saveBank,
  taxed,
} from "../testing/money.ts";
import { makePromo, openShop, type Sale, sell, settle, sumOfLedger } from "../testing/sales.ts";

let admin: TestUser;
beforeAll(async () => {
  admin = await createUser(["admin"]);
});

/** Something that can happen to a sale's money, whatever happened before; answers with its status. */
async function happening(sale: Sale, roll: (sides: number) => number): Promise<number> {
  switch (roll(5)) {
    case 0:
      return await deliver(sale).then(() => 200);
    case 1:
      return (await cancelOf(sale.seller, sale)).status;
    case 2:
      return (await refundOf(admin, sale, {})).status;
    case 3:
      return (await refundOf(admin, sale, { amount: 1 + roll(40_000) })).status;
    default: {
      const { status, body } = await askPayout(sale.seller, 50_000 + roll(50_000));
      if (!body.data) return status;
      return (await decide(admin, body.data.id, "reject", { reason: "Acak" })).status;
    }
  }
}

it.each([11, 23, 37, 58])(
  "whatever happens to sales at once, in seed %i, no rupiah is made or lost",
  async (seed) => {
    const roll = dice(seed);
    const shop = await openShop();
    await saveBank(shop.seller);
    const promos = [
      await makePromo(shop, { value: 33 }),
      await makePromo(shop, { value: 77, platform: true }),
    ];
    const sales: Sale[] = [];
    for (let n = 0; n < 4; n += 1) {
      const promoCode = promos[roll(3)];
      const sale = await sell(shop, {
        price: 10_001 + roll(90_000),
        quantity: 1 + roll(4),
        ...(promoCode ? { promoCode } : {}),
      });
      await taxed(sale);
      await settle(sale);
      sales.push(sale);
    }
    const work = sales.flatMap((sale) => Array.from({ length: 5 }, () => happening(sale, roll)));
    for (const status of await Promise.all(work)) expect([200, 400, 409]).toContain(status);
    // Whatever still stands is delivered in the end, or was given back.
    for (const sale of sales) await deliver(sale);
    expect(await balance("escrow", shop.store.id)).toBe(0);
    expect(await sumOfLedger()).toBe(0);
    const { wallet, payout, advance } = await purseOf(shop.seller);
    expect([wallet >= 0, payout, advance <= 0]).toEqual([true, 0, true]);
    for (const sale of sales) {
      const back = (await refundBooksOf(sale))
        .filter(({ to }) => to === "refund_due" || to === "wallet")
        .filter(({ what }) => what !== "order-refund-pph22")
        .reduce((sum, { amount }) => sum + amount, 0);
      expect(back).toBeLessThanOrEqual(sale.total);
    }
  },
);

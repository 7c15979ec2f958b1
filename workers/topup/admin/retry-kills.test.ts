import { beforeAll, describe, expect, it } from "vitest";
import { createUser, type TestUser } from "../../testing/factories.ts";
import { placeGame, placePrepaid } from "../orders/place.ts";
import { processOrder } from "../orders/process.ts";
import { bench, dieAtEveryCall } from "../testing/bench.ts";
import { confirmedRetry } from "../testing/desk.ts";
import { booksOf, ordersOf, purchasesOf, recover, theOrderOf } from "../testing/outcomes.ts";
import { customer, dial, newPhone, SERVICES, stockShelves } from "../testing/shop.ts";
import { retryOrder } from "./retry.ts";

const FUNDS = 1_000_000;
const { credit, diamonds } = SERVICES;
let admin: TestUser;
beforeAll(async () => {
  await stockShelves();
  admin = await createUser(["admin"]);
});

/** An order that the supplier surely refused, and whose money is back. */
async function refused(user: TestUser, family: "prepaid" | "game") {
  const target = newPhone();
  await dial(target, { stay: true, say: { value: "Layanan tidak ditemukan.", count: 1 } });
  const { ctx, settle } = bench({ actor: user, timeoutMs: 3_000 });
  if (family === "prepaid") {
    await placePrepaid(ctx, { service: credit.code, phoneNumber: target }).catch(() => null);
  } else {
    const unpaid = await placeGame(ctx, { service: diamonds.code, gameId: target, zone: "2001" });
    await processOrder(ctx, { orderNumber: unpaid.number });
  }
  await settle();
  return await theOrderOf(target);
}

describe("placing an order again by hand, in a process that is killed at whichever call and carried on", () => {
  it.each(["prepaid", "game"] as const)("buys a %s order once", async (family) => {
    const calls = await dieAtEveryCall(async (death) => {
      const user = await customer(FUNDS);
      const order = await refused(user, family);
      const work = await confirmedRetry(admin, order);
      const dying = bench({ actor: admin, timeoutMs: 3_000, ...death });
      await Promise.race([retryOrder(dying.ctx, work).catch(() => null), dying.killed]);
      await dying.settle();
      for (let again = 0; again < 2; again += 1) {
        const { ctx, settle } = bench({ actor: admin, timeoutMs: 3_000 });
        await retryOrder(ctx, work).catch(() => null);
        await settle();
      }
      await recover(order.target);
      const states = (await ordersOf(order.target)).map(({ state }) => state);
      expect(states).toHaveLength(2);
      const bought = states.filter((state) => state === "processing").length;
      expect(await purchasesOf(order.target)).toHaveLength(bought);
      expect(await booksOf(user)).toEqual({
        wallet: FUNDS - bought * order.amount,
        escrow: bought * order.amount,
      });
      return dying.steps() > death.killAt;
    });
    expect(calls).toBeGreaterThanOrEqual(8);
  });
});
